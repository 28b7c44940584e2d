"""Where a run's records go: what every destination does, and the one of a dry run."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import msgspec
from typing_extensions import override

from target_amplitude.common.event_types import in_order
from target_amplitude.common.tables import table
from target_amplitude.delivery.block import count_rejects
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


class Destination:
    """Takes blocks in the order they were read."""

    @property
    def outcome(self) -> str:
        """What a good run did, in a word or two."""
        raise NotImplementedError

    def add(self, block: Block) -> None:
        """Take a block; waits while too much is queued.

        Raises:
            RunFailedError: If the run has failed, or the block cannot be kept.
        """
        raise NotImplementedError

    def finish(self) -> None:
        """Do what is left to do, once the last block was added.

        Raises:
            RunFailedError: If the run has failed.
        """

    def interrupt(self, signum: int) -> None:
        """Finish soon, as a signal asks to; called in its handler."""

    def close(self) -> None:
        """Stop what is still going on."""

    def figures(self) -> dict[str, Any]:
        """Return what the job log says beside the counts of streams."""
        raise NotImplementedError

    def lines(self, left_out: str) -> list[str]:  # noqa: ARG002 - for those that need it
        """Return the figures in words; `left_out` are the records without an event, by reason."""
        return []

    def warnings(self) -> list[str]:
        """Return what a user should know beside the figures."""
        return []


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
