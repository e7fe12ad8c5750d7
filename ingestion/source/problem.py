"""What went wrong with a source, in words that hold no credential and no value.

Belongs here: the one exception of this package. The texts of drivers and servers are never passed on: they quote
addresses with passwords, statements and cells.
"""

from __future__ import annotations


class SourceError(Exception):
    """A source cannot be read: what and where, what to do next, and whether trying again may help."""

    def __init__(self, what: str, next_step: str, *, may_pass: bool = False) -> None:
        super().__init__(what)
        self.next_step = next_step
        self.may_pass = may_pass


class ChangingError(Exception):
    """A remote file changed or vanished while it was fetched: it waits for the next pass."""
