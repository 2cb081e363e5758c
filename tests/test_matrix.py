"""The sample of a large matrix: the spine always, every value at least once, the same each time."""

from itertools import product
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.conftest import chosen, pytest_collection_modifyitems

NAMES = ["-".join(parts) for parts in product([f"model{number}" for number in range(12)],
                                              [f"view{number}" for number in range(9)], ["light", "dark"])]


def drawn(**words):
    return [name for name, keep in zip(NAMES, chosen(NAMES, **words), strict=True) if keep]


def test_the_spine_is_always_there():
    found = drawn(spine=("model1", "model2-view3"), sample=0)
    assert {"model2-view3-light", "model2-view3-dark"} | {name for name in NAMES if "model1-" in name} <= set(found)
    assert len([name for name in found if "model10-" in name]) < 18, "a word is a whole word"


def test_every_value_is_there_at_least_once_and_no_more_than_needed():
    found = drawn(sample=0)
    assert {word for name in found for word in name.split("-")} == {word for name in NAMES for word in name.split("-")}
    assert len(found) <= 12 + 9 + 2


def test_it_is_filled_up_to_the_size_of_the_sample():
    assert len(drawn(sample=50)) == 50
    assert drawn(sample=10_000) == NAMES


def test_where_each_one_takes_long_the_sample_is_no_larger_than_it_says():
    assert len(drawn(sample=4, each=False)) == 4
    assert len(drawn(spine=("model1",), sample=4, each=False)) == 18 + 4


def test_the_same_seed_draws_the_same():
    assert drawn(sample=30, seed="a") == drawn(sample=30, seed="a")
    assert drawn(sample=30, seed="a") != drawn(sample=30, seed="b")


class Config:
    """What pytest was called with, and which items it was told are left out."""

    def __init__(self, *args, **options):
        self.args, self.options, self.hook, self.left_out = args, {"all": False, "seed": 0} | options, self, []

    def getoption(self, name):
        return self.options[name.removeprefix("--")]

    def pytest_deselected(self, items):
        self.left_out += items


def an_item(name, marker):
    return SimpleNamespace(path=Path("test_it.py"), originalname="test_it", nodeid=f"tests/test_it.py::test_it[{name}]",
                           callspec=SimpleNamespace(id=name), get_closest_marker=lambda name: marker)


@pytest.mark.parametrize(("config", "count"), [
    (Config(), 18 + 20), (Config(seed=3), 18 + 20), (Config(all=True), len(NAMES)),
    (Config("/a/tests/test_it.py::test_it[model7-view7-dark]"), 18 + 20 + 1)])
def test_pytest_runs_the_spine_and_the_sample(config, count):
    marker = pytest.mark.matrix(spine=("model1",), sample=20).mark
    items = [an_item(name, marker) for name in NAMES]
    pytest_collection_modifyitems(config, items)
    assert count - 1 <= len(items) <= count, "a combination that is named may be in the sample, too"
    assert len(items) + len(config.left_out) == len(NAMES)
    assert all(an_item(name, marker).nodeid in {item.nodeid for item in items} for name in NAMES if "model1-" in name)
    assert not config.args or config.args[0].removeprefix("/a/") in {item.nodeid for item in items}


def test_other_tests_all_run():
    items = [an_item(name, None) for name in NAMES]
    pytest_collection_modifyitems(Config(), items)
    assert len(items) == len(NAMES)


def test_a_test_may_draw_its_own(some, request):
    found = some([(model, view) for model in range(40) for view in "ab"], spine=("7",), sample=45)
    assert {(7, "a"), (7, "b")} <= set(found)
    assert len(found) == (80 if request.config.getoption("--all") else 47)
