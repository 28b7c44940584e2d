"""Months as the parts of a backfill. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True)
class Month:
    """A month in UTC, named as in 2025-03."""

    name: str

    @classmethod
    def of_partition(cls, key: str) -> Month:
        """The month of a Dagster partition, whose key is the month's first day."""
        return cls(key[:7])

    @property
    def partition(self) -> str:
        """The key of its Dagster partition."""
        return f"{self.name}-01"

    @property
    def start(self) -> str:
        """Its first millisecond, RFC 3339."""
        return f"{self.partition}T00:00:00.000Z"

    @property
    def end(self) -> str:
        """Its last millisecond, RFC 3339: both ends of a tap's range belong to it."""
        within_next = date.fromisoformat(self.partition) + timedelta(days=31)
        last = within_next.replace(day=1) - timedelta(days=1)
        return f"{last.isoformat()}T23:59:59.999Z"

    @property
    def state_id_suffix(self) -> str:
        """What tells its bookmarks from those of other parts and of the hourly run."""
        return f"month-{self.name}"
