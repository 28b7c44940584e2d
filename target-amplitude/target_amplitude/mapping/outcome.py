"""Why a record does not become an event."""

from __future__ import annotations

import msgspec


class Refusal(msgspec.Struct, frozen=True):
    """The record is rejected.

    Attributes:
        reason: A few fixed words, by which rejects are counted.
        detail: What exactly is wrong; names fields, never quotes their values.
        counted: Whether it counts towards `max_rejected_percent`.
    """

    reason: str
    detail: str = ""
    counted: bool = True


class Skip(msgspec.Struct, frozen=True):
    """A setting leaves the record out."""

    reason: str


NO_MAPPING = Refusal("no mapping", counted=False)
NO_USER = Refusal("no user", "it has neither a value in user_field nor a recipient")
NEVER_A_USER = Refusal("no user", "HubSpot names no recipient in this type", counted=False)
