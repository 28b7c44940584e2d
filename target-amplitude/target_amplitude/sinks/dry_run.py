"""The sink of a dry run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from target_amplitude.delivery.rejects import count_rejects
from target_amplitude.history.counts import DistinctUsers
from target_amplitude.lookup_table.upload import NO_SECRET_KEY

if TYPE_CHECKING:
    from target_amplitude.delivery.queued_event import QueuedEvent
    from target_amplitude.delivery.rejects import Reject
    from target_amplitude.history.counts import StreamCounts
    from target_amplitude.mapping.outcome import Refusal


class DryRunSink:
    """Counts what would be delivered; sends nothing, writes no rejects and no state.

    Attributes:
        users: Distinct users by event type.
    """

    def __init__(self, *, has_secret_key: bool) -> None:
        """Start with nothing counted; campaigns would be delivered only with a secret key."""
        self._has_secret_key = has_secret_key
        self.checkpoint = 0
        self.users: dict[str, DistinctUsers] = {}

    def add(
        self, events: list[QueuedEvent], rejects: list[Reject], settled: int, opened: int
    ) -> None:
        """Count events as delivered and rejects as rejected."""
        del settled, opened
        count_rejects(rejects)
        for event in events:
            event.counts.delivered += 1
            event.counts.sent_bytes += len(event.body)

    def add_campaign(
        self, record: dict[str, Any], line: bytes, counts: StreamCounts
    ) -> Refusal | None:
        """Count a campaign as delivered, or return why it would not be."""
        del record, line
        if not self._has_secret_key:
            return NO_SECRET_KEY
        counts.delivered += 1
        return None

    def add_schema(self, stream: str, line: bytes) -> None:
        """Do nothing: schemas are needed for the rejects file only."""

    def close_checkpoint(self, state: bytes) -> None:
        """Drop a state: what it covers is not delivered yet."""

    def count_user(self, event_type: str, user: str) -> None:
        """Count the user of an event of this type."""
        self.users.setdefault(event_type, DistinctUsers()).add([user])
