"""What a mapper cannot go on with, and what it cannot treat."""

from __future__ import annotations


class MapperError(Exception):
    """Ends the run; the message is one sentence and quotes no value."""


class UntreatableError(Exception):
    """A record is held back; the message is a reason of a few fixed words."""
