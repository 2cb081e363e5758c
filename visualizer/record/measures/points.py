"""points: how often the maps of a network that was told only which digit it is point at where that lies."""

from __future__ import annotations

import numpy as np
import torch

from visualizer.claims import Number
from visualizer.edits import drawn
from visualizer.record.measures import Data, Measure, as_mean, as_share, opened, output_of

DIGITS, SEED = 200, 3


def _run(data: Data, model: str, layer: str, side: str, what: str = "maps") -> Number:
    """A digit somewhere on a black picture of so many pixels a side; of the maps of a layer, each weighed as the dense
    layer behind its maximum weighs it for the class that is answered, the strongest place of their sum (Zhou and others
    2016), and whether it lies in the box of the ink. `chance`: the share of the picture that the box takes."""
    if what not in ("maps", "chance"):
        raise ValueError(f"{what} is neither maps nor chance")
    made, wide = opened(model), int(side)
    dense = [part for part in made.module.modules() if isinstance(part, torch.nn.Linear)]
    if len(dense) != 1:
        raise ValueError(f"{model} has not one dense layer behind its maps")
    chance, found, boxes = drawn(SEED), [], []
    for picture in data.digits[0][:DIGITS]:
        room = wide - picture.shape[0]
        top, left = (int(each) for each in chance.integers(0, room + 1, 2))
        canvas = np.zeros((wide, wide), np.uint8)
        canvas[top:top + picture.shape[0], left:left + picture.shape[1]] = picture
        rows, columns = np.nonzero(canvas > 0)
        box = rows.min(), rows.max(), columns.min(), columns.max()
        boxes.append((box[1] - box[0] + 1) * (box[3] - box[2] + 1) / wide ** 2)
        if what == "chance":
            continue
        x = torch.from_numpy(canvas[None, None]).float() / 255
        with torch.no_grad():
            answer = int(made.module(x).argmax())
        maps = output_of(made.module, layer, x)[0]
        heat = torch.einsum("c,cij->ij", dense[0].weight[answer].detach(), maps).numpy()
        row, column = np.unravel_index(int(heat.argmax()), heat.shape)
        step = wide / heat.shape[0]
        at = (row + 0.5) * step, (column + 0.5) * step
        found.append(box[0] <= at[0] <= box[1] + 1 and box[2] <= at[1] <= box[3] + 1)
    return as_mean(np.array(boxes)) if what == "chance" else as_share(np.array(found))


MEASURE = Measure("points", "points MODEL LAYER SIDE [maps|chance]", "how often the strongest place of the maps lies "
                  "on the digit, somewhere on a black picture", _run)
