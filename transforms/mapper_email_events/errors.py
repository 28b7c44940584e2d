"""What a mapper cannot treat."""

from __future__ import annotations


class UntreatableError(Exception):
    """A record is held back; the message is a reason of a few fixed words."""
