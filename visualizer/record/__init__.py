"""Where numbers come from: the only part that imports torch. A model and an input become a Trace."""

from visualizer.record.capture import capture
from visualizer.record.catalog import Opened, open_model
from visualizer.record.run import pass_of, record
from visualizer.record.studies import Pass, measure, study, with_study

__all__ = ["Opened", "Pass", "capture", "measure", "open_model", "pass_of", "record", "study", "with_study"]
