"""What a person sees and touches: the window and its parts, the store that holds the State, and the only clock."""

from visualizer.ui import overrides

overrides.hold()
