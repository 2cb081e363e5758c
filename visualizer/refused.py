"""Refused: what is raised where a file or a request is not opened. It needs nothing, so whoever reads a command line
has it before numpy is there."""

from __future__ import annotations


class Refused(Exception):
    """A file or a request that is not opened; its text is one sentence that says what to do."""

    @property
    def line(self) -> str:
        """What in it can be copied and run: what stands between its backticks; empty if nothing does."""
        return str(self).partition("`")[2].rpartition("`")[0]
