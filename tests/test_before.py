"""Before training: every bundled network opens as it was, in a picture of its own and in a reel with what it became."""

from __future__ import annotations

import pytest
import torch
from PIL import Image

from visualizer import cli, registry
from visualizer.record import open_model

LARGE = ("lenet_mnist", "mlp_mnist", "crnn_strip", "sentiment_gru")
"""Networks whose first weights are not written but drawn."""


@pytest.mark.matrix(spine=LARGE, sample=5, each=False)
@pytest.mark.parametrize("name", registry.models())
def test_every_bundled_network_has_its_picture_and_its_reel_from_before_training(name, tmp_path, capsys):
    found = {}
    for what, wanted in {"after": (), "before": ("--edit", "untrained"), "reel": ("--reel", "before,after")}.items():
        path = tmp_path / f"{what}.png"
        assert cli.main(["shot", name, *wanted, "-o", str(path)]) == cli.DONE, capsys.readouterr().err
        with Image.open(path) as image:
            found[what] = image.tobytes()
    assert len(set(found.values())) == 3
    assert registry.card(registry.weights(name, untrained=True))["trained"] == "no"


def test_drawing_first_weights_leaves_the_random_numbers_of_others_alone():
    state = torch.get_rng_state()
    once, again = (open_model("mlp_mnist", untrained=True).module.state_dict() for _ in range(2))
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(again[name], weight) for name, weight in once.items())
