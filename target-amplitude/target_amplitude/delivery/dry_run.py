"""What a dry run counts, and the examples that a preview shows beside it."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import msgspec
from typing_extensions import override

from target_amplitude.common.event_types import in_order
from target_amplitude.common.tables import table
from target_amplitude.common.text import ADDRESS
from target_amplitude.delivery.block import count_rejects
from target_amplitude.delivery.destination import Destination
from target_amplitude.history.counts import MONTH_TEXT, DistinctUsers, as_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from target_amplitude.delivery.block import Block, QueuedEvent

_ALL_TYPES = "all types"
_MOST_MONTHS = 6
"""What fits side by side into a line of a log."""

_MOST_HASHES = 4096
_MOST_HASHES_OF_TYPE = 512
"""For counts of a month and type, of which a backfill of years has hundreds."""

_MAX_TYPES = 100
"""Types of events that a preview shows."""


class _Named(msgspec.Struct):
    event_type: str


_decode = msgspec.json.Decoder(_Named).decode


class UsersByMonth:
    """Distinct users by calendar month (UTC), as Amplitude bills them, and by event type.

    An event without a time counts for the month of the run, as Amplitude takes it for new.
    """

    def __init__(self) -> None:
        self._now = int(time.time() * 1000)
        self._months: defaultdict[str, dict[str, DistinctUsers]] = defaultdict(dict)
        self._streams: dict[str, str] = {}

    def add(self, events: Iterable[QueuedEvent]) -> None:
        """Count the users of some events."""
        users = defaultdict[tuple[str, str], list[str]](list)
        for event in events:
            name = _decode(event.body).event_type
            self._streams.setdefault(name, event.counts.stream)
            month = as_text(self._now if event.time is None else event.time) or ""
            users[month[:MONTH_TEXT], name].append(event.user)
        for (month, name), of in users.items():
            counted = self._months[month]
            counted.setdefault(name, DistinctUsers(_MOST_HASHES_OF_TYPE)).add(of)
            counted.setdefault(_ALL_TYPES, DistinctUsers(_MOST_HASHES)).add(of)

    def as_json(self) -> dict[str, Any]:
        """Return the counts by month and event type."""
        return {
            month: {name: users.count() for name, users in counted.items()}
            for month, counted in sorted(self._months.items())
        }

    def table(self) -> list[str]:
        """Return the counts as tables of a few months each."""
        streams = in_order(self._streams.values())
        types = sorted(self._streams, key=lambda name: streams.index(self._streams[name]))
        months = sorted(self._months)
        lines: list[str] = []
        for first in range(0, len(months), _MOST_MONTHS):
            shown = months[first : first + _MOST_MONTHS]
            rows = [
                [name, *(str(self._months[month].get(name, 0)) for month in shown)]
                for name in (*types, _ALL_TYPES)
            ]
            lines += table([["distinct users", *shown], *rows], right=range(1, len(shown) + 1))
        return lines


class DryRun(Destination):
    """Counts what would be delivered; sends nothing, writes no rejects and no state."""

    outcome = "dry run"

    def __init__(self, *, counts_users: bool) -> None:
        """Count distinct users by month where wanted."""
        self._users = UsersByMonth() if counts_users else None

    @override
    def add(self, block: Block) -> None:
        count_rejects(block.rejects)
        for campaign in block.campaigns:
            campaign.counts.delivered += 1
        for event in block.events:
            event.counts.delivered += 1
            event.counts.sent_bytes += len(event.body)
        if self._users is not None:
            self._users.add(block.events)

    @override
    def figures(self) -> dict[str, Any]:
        users = {} if self._users is None else self._users.as_json()
        return {"requests": 0, "bytes": 0, "distinct_users_by_month": users}

    @override
    def lines(self, left_out: str) -> list[str]:
        return [] if self._users is None else self._users.table()


class Preview(DryRun):
    """Keeps of each type the event that says most of user and groups, and else most altogether."""

    def __init__(self) -> None:
        super().__init__(counts_users=True)
        self._examples: dict[str, tuple[tuple[int, int], dict[str, Any]]] = {}

    @override
    def add(self, block: Block) -> None:
        super().add(block)
        for queued in block.events:
            event = msgspec.json.decode(queued.body)
            said = len(event.get("user_properties", ())) + len(event.get("groups", ()))
            richness = (said, len(event.get("event_properties", ())))
            known = self._examples.get(event["event_type"])
            if known is None and len(self._examples) == _MAX_TYPES:
                continue
            if known is None or known[0] < richness:
                self._examples[event["event_type"]] = (richness, event)

    def text(self) -> str:
        """Return the examples as JSON, with `***@***` in the place of addresses."""
        return "".join(
            msgspec.json.format(msgspec.json.encode(_masked(event)), indent=2).decode() + "\n"
            for _, event in self._examples.values()
        )


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return ADDRESS.sub("***@***", value)
    if isinstance(value, list):
        return [_masked(member) for member in value]
    if isinstance(value, dict):
        return {_masked(name): _masked(member) for name, member in value.items()}
    return value
