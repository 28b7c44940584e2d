"""Where a run's records go: what every destination does, and the one of a dry run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from typing_extensions import override

from target_amplitude.delivery.block import count_rejects
from target_amplitude.history.counts import DistinctUsers

if TYPE_CHECKING:
    from target_amplitude.delivery.block import Block


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


class DryRun(Destination):
    """Counts what would be delivered; sends nothing, writes no rejects and no state."""

    outcome = "dry run"

    def __init__(self, *, counts_users: bool) -> None:
        """Count distinct users by event type where wanted."""
        self._counts_users = counts_users
        self._users: dict[str, DistinctUsers] = {}

    @override
    def add(self, block: Block) -> None:
        count_rejects(block.rejects)
        for campaign in block.campaigns:
            campaign.counts.delivered += 1
        for event in block.events:
            event.counts.delivered += 1
            event.counts.sent_bytes += len(event.body)
            if self._counts_users:
                name = _decode(event.body).event_type
                self._users.setdefault(name, DistinctUsers()).add([event.user])

    @override
    def figures(self) -> dict[str, Any]:
        users = {name: users.count() for name, users in self._users.items()}
        return {"requests": 0, "bytes": 0, "distinct_users_by_event_type": users}

    @override
    def lines(self, left_out: str) -> list[str]:
        return [f"{name}: {users.count():,} distinct users" for name, users in self._users.items()]
