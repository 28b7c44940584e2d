"""What a mapper cannot go on with, and what it cannot treat."""

from __future__ import annotations

from mapper_email_events.common.errors import UserError


class MapperError(UserError):
    """Ends the run; the message is one sentence and quotes no value."""


class UntreatableError(Exception):
    """A record is held back; the message is a reason of a few fixed words."""
