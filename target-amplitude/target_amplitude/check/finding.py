"""What a check has found."""

from __future__ import annotations

import msgspec

OK = "ok"
FAILED = "failed"
UNKNOWN = "unknown"


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at.

    Attributes:
        name: What it was.
        result: `ok`, `failed` or `unknown`.
        seen: What was seen, in words, free of personal data and secrets.
    """

    name: str
    result: str
    seen: str
