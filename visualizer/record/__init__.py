"""Where numbers come from: the only part that imports torch. A model and an input become a Trace."""

from visualizer.record.capture import capture

__all__ = ["capture"]
