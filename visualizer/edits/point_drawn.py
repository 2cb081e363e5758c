"""point_drawn: a picture is made of a point that is drawn from its region by a seed, as in training, not of the middle.
"""

from visualizer.edits import MODEL, Edit, of_knobs, seed
from visualizer.language import tr

EDIT = Edit("point_drawn", "Point drawn by chance", MODEL, "point_drawn:SEED",
            "a point drawn from the region of a picture, mean + e^(s/2) ε, in the place of its middle",
            of_knobs(seed()), lambda seed: tr("point drawn by seed {seed}").format(seed=seed),
            draws=lambda seed: seed)
