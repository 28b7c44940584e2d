"""What a check has found."""

from __future__ import annotations

import msgspec

OK = "ok"
FAILED = "failed"
UNKNOWN = "unknown"
ASSUMED = "assumed"
DIFFERS = "differs"


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at.

    Attributes:
        name: What it was.
        result: Of the account `ok`, `failed` or `unknown`; of an assumption `assumed`, `differs`
            or `unknown`.
        seen: What was seen, in words, free of personal data and secrets.
    """

    name: str
    result: str
    seen: str

    @property
    def is_bad(self) -> bool:
        """Whether somebody has to do something about it."""
        return self.result in {FAILED, DIFFERS}


def assumed(seen: str) -> tuple[str, str]:
    """Result and words where HubSpot does what the tap relies on."""
    return ASSUMED, seen


def differs(seen: str) -> tuple[str, str]:
    """Result and words where HubSpot does something else."""
    return DIFFERS, seen


def unknown(seen: str) -> tuple[str, str]:
    """Result and words where the account holds too little to tell."""
    return UNKNOWN, seen
