"""What records are converted for: the interface of Amplitude's sink and the dry run's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from target_amplitude.delivery.queued_event import QueuedEvent
    from target_amplitude.delivery.rejects import Reject
    from target_amplitude.history.counts import StreamCounts
    from target_amplitude.mapping.outcome import Refusal


class Sink(Protocol):
    """Takes converted records in the order they were read."""

    @property
    def checkpoint(self) -> int:
        """Number of the checkpoint that covers records read now."""

    def add(
        self, events: list[QueuedEvent], rejects: list[Reject], settled: int, opened: int
    ) -> None:
        """Take what `opened` records became, of which `settled` need no delivery."""

    def add_campaign(
        self, record: dict[str, Any], line: bytes, counts: StreamCounts
    ) -> Refusal | None:
        """Take a campaign for the lookup table, to be settled later, or return why not."""

    def add_schema(self, stream: str, line: bytes) -> None:
        """Take a SCHEMA message."""

    def close_checkpoint(self, state: bytes) -> None:
        """Take the state that covers everything before it."""

    def count_user(self, event_type: str, user: str) -> None:
        """Count the user of an event of this type."""
