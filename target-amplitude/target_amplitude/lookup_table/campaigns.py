"""Convert campaign records into the rows of a lookup table. Pure.

Source: Amplitude's Lookup Table API 2 reference (first column is the key and unique,
1,000,000 rows and 100 MB at most).
"""

from __future__ import annotations

import csv
import io
from typing import Any

from target_amplitude.mapping.properties import MAX_STRING
from target_amplitude.mapping.validation import as_id

_STREAM = "email_campaigns"
PROPERTY = "emailCampaignId"

_FIELDS = ("name", "subject", "type", "subType", "contentId", "appName")
COLUMNS = (PROPERTY, *(f"campaign.{field}" for field in _FIELDS))
"""The key, and the properties that Amplitude derives from it."""

_MAX_ROWS = 1_000_000
_MAX_BYTES = 100_000_000


def is_campaign(stream: str, record: dict[str, Any]) -> bool:
    """Whether a record describes an email: by its stream, or by HubSpot's fields of a campaign."""
    if not as_id(record.get("id")):
        return False
    return stream == _STREAM or (
        "contentId" in record and "type" in record and ("name" in record or "subject" in record)
    )


def campaign_row(record: dict[str, Any]) -> tuple[str, bytes]:
    """Return the key and the row, as CSV, of a campaign."""
    key = as_id(record["id"])
    return key, _line((key, *(_cell(record.get(field)) for field in _FIELDS)))


class CampaignRows:
    """The rows of one table; of several records of a campaign the last one counts.

    Attributes:
        size: Bytes of the table.
    """

    def __init__(self) -> None:
        self._header = _line(COLUMNS)
        self._rows: dict[str, bytes] = {}
        self.size = len(self._header)

    def add(self, key: str, row: bytes) -> bool:
        """Add a campaign; False if the table would be too large for Amplitude."""
        size = self.size + len(row) - len(self._rows.get(key, b""))
        if size > _MAX_BYTES or (key not in self._rows and len(self._rows) >= _MAX_ROWS):
            return False
        self._rows[key] = row
        self.size = size
        return True

    def to_csv(self) -> bytes:
        """Return the table as CSV."""
        return b"".join((self._header, *self._rows.values()))


def _cell(value: Any) -> str:
    text = value if isinstance(value, str) else as_id(value)
    # Python 3.10 refuses to write NUL into a CSV.
    return " ".join(text.replace("\0", " ").split())[:MAX_STRING]


def _line(cells: tuple[str, ...]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode("utf-8", "replace")
