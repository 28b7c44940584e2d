"""Months as the parts of a backfill. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from email_events_orchestration.errors import ConfigurationError

NAME = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A month in UTC, named as in 2025-03."""

    name: str

    @classmethod
    def parse(cls, text: str) -> Month:
        """Read a month as it is written.

        Raises:
            ConfigurationError: It is not a month.
        """
        if not NAME.fullmatch(text):
            raise ConfigurationError(f"{text} is not a month; write it as in 2025-01.")
        return cls(text)

    @classmethod
    def of_partition(cls, key: str) -> Month:
        """The month of a Dagster partition, whose key is the month's first day."""
        return cls(key[:7])

    @classmethod
    def of_mapping(cls, key: str) -> Month:
        """The month of a Dagster step, in whose name a hyphen is not allowed."""
        return cls(key.replace("_", "-"))

    @property
    def mapping_key(self) -> str:
        """What tells its Dagster step from those of other months."""
        return self.name.replace("-", "_")

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
        last = date.fromisoformat(self.next.partition) - timedelta(days=1)
        return f"{last.isoformat()}T23:59:59.999Z"

    @property
    def next(self) -> Month:
        """The month after it."""
        within_next = date.fromisoformat(self.partition) + timedelta(days=31)
        return Month(within_next.isoformat()[:7])

    @property
    def state_id_suffix(self) -> str:
        """What tells its bookmarks from those of other parts and of the hourly run."""
        return f"month-{self.name}"


def select_months(
    first: Month, last: Month, *, first_loadable: Month, present: Month
) -> tuple[list[Month], list[str]]:
    """Select those of a range that can be loaded, and say of the others why they cannot.

    Raises:
        ConfigurationError: The range is reversed, or none of its months can be loaded.
    """
    if first > last:
        raise ConfigurationError(f"--from {first.name} is after --to {last.name}; exchange them.")
    months = [first]
    while months[-1] < last:
        months.append(months[-1].next)
    too_early = [month for month in months if month < first_loadable]
    not_over = [month for month in months if month >= present]
    left_out = []
    if too_early:
        reason = f"before `first_month` ({first_loadable.name} in orchestration.yml), left out"
        left_out.append(f"{_names(too_early)} {reason}")
    if not_over:
        left_out.append(f"{_names(not_over)} not over, left out")
    loadable = [month for month in months if first_loadable <= month < present]
    if not loadable:
        raise ConfigurationError("; ".join([*left_out, "no month remains to be loaded."]))
    return loadable, left_out


def _names(months: list[Month]) -> str:
    if len(months) == 1:
        return f"{months[0].name} is"
    return f"{months[0].name} to {months[-1].name} are"
