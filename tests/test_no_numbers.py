"""What is NaN or infinite is drawn as itself, in every view, on the way there and back: hatched, said, and no reason to
fail."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.recorded import recorded
from visualizer import paint, sight, views
from visualizer.export import draw
from visualizer.record.gradients import largest_singular
from visualizer.record.studies.saturation import Count
from visualizer.scene import colour
from visualizer.scene.grids import axis, curve
from visualizer.scene.picture import LEGEND, Image, Look, TermTiles
from visualizer.scene.state import Place
from visualizer.trace import Trace
from visualizer.views.gradient_flow._layers import sentence

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # sums of what is no number; nothing is to raise

GROUPS = ("weights", "weight_gradients", "inner", "inner_gradients")
VIEWS = {"digits_cnn": ("network", "feature_maps", "filters", "microscope", "gradient_flow", "saturation"),
         "rows_lstm": ("network", "hidden_state", "gates", "cell", "diagram", "unrolled", "trajectory", "microscope"),
         "crnn_strip": ("network", "step_outputs", "unrolled", "microscope"),
         "adding_rnn": ("network", "microscope", "hidden_state")}


def poisoned(trace: Trace, what: float, everywhere: bool) -> Trace:
    """The same recording with what is no number in every array of numbers: everywhere, or at two places."""
    def of(array):
        if array is None or array.dtype.kind != "f" or not array.size:
            return array
        changed = np.array(array)
        if everywhere:
            changed[...] = what
        else:
            changed.flat[0], changed.flat[changed.size // 2] = -what, what
        return changed

    layers = tuple(replace(layer, output=of(layer.output), gradient=of(layer.gradient), **{
        group: {name: of(array) for name, array in getattr(layer, group).items()} for group in GROUPS})
        for layer in trace.layers)
    studies = {name: {key: of(array) for key, array in arrays.items()} for name, arrays in trace.studies.items()}
    return replace(trace, layers=layers, studies=studies)


@pytest.mark.matrix(spine=("filters", "gradient_flow"), sample=24)
@pytest.mark.parametrize("everywhere", [True, False], ids=["everywhere", "somewhere"])
@pytest.mark.parametrize("what", [np.nan, np.inf], ids=["nan", "inf"])
@pytest.mark.parametrize(("model", "view"), [(model, view) for model, known in VIEWS.items() for view in known],
                         ids=[f"{model}-{view}" for model, known in VIEWS.items() for view in known])
def test_every_view_draws_it_both_ways(model, view, what, everywhere):
    """Nothing raises, and where every number is none no cell has the colour of a number."""
    trace, found = poisoned(recorded(model), what, everywhere), views.find(view)
    assert found.suits(trace)
    beats = sight.times(trace, Place(view=view)).beats
    back = next(index for index, beat in enumerate(beats) if beat.direction == "backward")
    for index in {0, back // 2, back - 1, back, (back + len(beats)) // 2, len(beats) - 1}:
        for phase in ("", "@0.5"):
            picture = sight.seen(trace, Place(view=view, at=f"{beats[index].address}{phase}",
                                              look=Look(size=(1104, 796))))
            assert picture.caption
            paint.render(picture, 0.25)
            if everywhere:
                assert not [mark for mark in picture if is_coloured(mark, trace)]


def is_coloured(mark, trace) -> bool:
    """Whether a mark draws numbers of the recording without hatching them: tokens and zeros from before the first step
    are numbers indeed, and what is empty, in an outline, is still to come."""
    if not isinstance(mark, Image) or mark.scale is None or mark.opacity == 0 or mark.group == LEGEND \
            or not mark.values.size or mark.border == "rule" or mark.focus is None or mark.focus.layer not in trace:
        return False
    layer = trace[mark.focus.layer]
    if layer.output.dtype.kind != "f" or mark.focus.array in ("inner.hidden", "inner.cell") \
            or isinstance(mark.holds, TermTiles) or (mark.palette.startswith("weight") and not layer.weights):
        return False  # what each term is multiplied by may be a number that nobody recorded: 1, or a share
    return mark.hatched is None or not (mark.hatched | (False if mark.covered is None else mark.covered)).all()


def test_the_way_back_says_that_it_is_no_number_and_not_that_it_is_0():
    trace = poisoned(recorded("digits_cnn"), np.nan, True)
    said = sentence(trace, np.full(len(trace.layers), np.nan), None, sight.moment_of(trace, Place()))
    assert "NaN" in said
    assert "exactly 0" not in said


def test_an_image_hatches_what_is_no_number_and_keeps_bytes():
    values = np.array([[[0.5, np.nan], [np.inf, -1.0]]])
    mark = Image(0, 0, (4, 4), colour.signed(values, 1.0))
    assert mark.values.dtype == np.uint8
    assert mark.hatched.tolist() == [[[False, True], [True, False]]]
    assert Image(0, 0, (4, 4), colour.signed(np.zeros((1, 2, 2)), 1.0)).hatched is None


def test_a_scale_ends_at_what_is_known():
    values = [np.nan, 3.0, -np.inf, -4.0]
    assert (colour.largest(values), colour.reach(values)) == (4.0, (-4.0, 3.0))
    assert (colour.largest([np.nan]), colour.reach([np.inf])) == (0.0, (0.0, 0.0))


def test_a_curve_is_drawn_though_its_point_lies_nowhere():
    xs = np.linspace(-3, 3, 50)
    assert curve(0, 0, 100, 100, xs, np.tanh(xs), (np.nan, np.inf), np.nan, Look())
    assert axis(0.0, 0.0)[:2] == (0.0, 1.0)


def test_a_unit_without_a_number_is_not_dead():
    count = Count(next(iter(_flat())))
    count.add(np.array([[np.nan, np.nan], [-1.0, -2.0], [1.0, -1.0]]))
    assert (count.on > 0).tolist() == [True, False, True]


def _flat():
    from visualizer import kinds

    relu = next(layer for layer in recorded("digits_cnn") if layer.kind == "relu")
    yield from kinds.flat(relu).values()


def test_the_largest_singular_value_of_what_is_no_matrix_of_numbers_is_none():
    found = largest_singular(np.stack([np.eye(2) * 3, np.full((2, 2), np.nan)]))
    assert found[0] == pytest.approx(3)
    assert np.isnan(found[1])


def test_a_cell_of_a_dense_layer_is_one_of_its_weights():
    """In the filters every spot that can be clicked names a number that the weights have."""
    for model in ("digits_cnn", "rows_lstm", "adding_rnn"):
        trace = recorded(model)
        for layer in trace:
            if layer.weights:
                picture = draw(trace, "filters", at=f"{layer.name}.forward" if layer.inner == {} else "")
                for mark in picture:
                    if isinstance(mark, Image) and mark.focus is not None and mark.focus.array == "weight":
                        x, y = mark.tile_origin(len(mark.values) - 1)
                        wide, high = mark.tile_size
                        hit = picture.hit(x + wide - mark.cell[0] / 2, y + high - mark.cell[1] / 2)
                        values = trace[hit.layer].weights["weight"]
                        assert len(hit.cell) == values.ndim
                        assert values[hit.cell] is not None
