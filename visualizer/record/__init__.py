"""Where numbers come from: the only part that imports torch. A model and an input become a Trace."""

from visualizer.record.capture import capture
from visualizer.record.catalog import Opened, open_model
from visualizer.record.run import record

__all__ = ["Opened", "capture", "open_model", "record"]
