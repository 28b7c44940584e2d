"""From campaign records to the rows of a lookup table: pure.

Source of the rules: Amplitude's Lookup Table API 2 reference (first column is the key and unique,
1,000,000 rows and 100 MB at most).
"""

from __future__ import annotations

import csv
import io
from typing import Any

from target_amplitude.mapping.identity import as_id
from target_amplitude.mapping.properties import MAX_STRING

STREAM = "email_campaigns"
PROPERTY = "emailCampaignId"

_FIELDS = ("name", "subject", "type", "subType", "contentId", "appName")
COLUMNS = (PROPERTY, *(f"campaign.{field}" for field in _FIELDS))
"""The key, and the properties that Amplitude derives from it."""

_MOST_ROWS = 1_000_000
_MOST_BYTES = 100_000_000


def is_campaign(stream: str, record: dict[str, Any]) -> bool:
    """Whether a record describes an email: by its stream, or by HubSpot's fields of a campaign."""
    if not as_id(record.get("id")):
        return False
    return stream == STREAM or (
        "contentId" in record and "type" in record and ("name" in record or "subject" in record)
    )


class CampaignRows:
    """The rows of one table by campaign; of several records of a campaign the last one counts."""

    def __init__(self) -> None:
        """Start with the header alone."""
        self._header = _line(COLUMNS)
        self._rows: dict[str, bytes] = {}
        self._size = len(self._header)

    def add(self, record: dict[str, Any]) -> bool:
        """Add a campaign; False if Amplitude takes no table of that size."""
        key = as_id(record["id"])
        row = _line((key, *(_cell(record.get(field)) for field in _FIELDS)))
        size = self._size + len(row) - len(self._rows.get(key, b""))
        if size > _MOST_BYTES or (key not in self._rows and len(self._rows) >= _MOST_ROWS):
            return False
        self._rows[key] = row
        self._size = size
        return True

    def to_csv(self) -> bytes:
        """The table."""
        return b"".join((self._header, *self._rows.values()))


def _cell(value: Any) -> str:
    text = value if isinstance(value, str) else as_id(value)
    # NUL has no place in a CSV, and Python 3.10 refuses to write it.
    return " ".join(text.replace("\0", " ").split())[:MAX_STRING]


def _line(cells: tuple[str, ...]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode("utf-8", "replace")
