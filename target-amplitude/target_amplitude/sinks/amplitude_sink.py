"""The sink that delivers to Amplitude."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from target_amplitude.delivery.delivery import Delivery
    from target_amplitude.delivery.queued_event import QueuedEvent
    from target_amplitude.delivery.rejects import Reject, RejectsFile
    from target_amplitude.history.counts import StreamCounts
    from target_amplitude.lookup_table.upload import CampaignUpload
    from target_amplitude.mapping.outcome import Refusal


class AmplitudeSink:
    """Passes events to the delivery and campaigns to the upload of their lookup table."""

    def __init__(
        self,
        delivery: Delivery,
        rejects: RejectsFile,
        campaigns: CampaignUpload,
    ) -> None:
        """Take what events, schemas and campaigns are passed to."""
        self._delivery = delivery
        self._rejects = rejects
        self._campaigns = campaigns
        self.checkpoint = 0

    def add(
        self, events: list[QueuedEvent], rejects: list[Reject], settled: int, opened: int
    ) -> None:
        """Queue events and write rejects; waits while the queue is full.

        Raises:
            RunFailedError: If the run has failed, or rejects cannot be written.
        """
        self._delivery.add(events, rejects, settled, opened)

    def add_campaign(
        self, record: dict[str, Any], line: bytes, counts: StreamCounts
    ) -> Refusal | None:
        """Take a campaign for the lookup table, to be settled later, or return why not."""
        return self._campaigns.add(record, line, counts, self.checkpoint)

    def add_schema(self, stream: str, line: bytes) -> None:
        """Remember a schema for rejects; where a stream of campaigns has ended, upload them.

        Raises:
            RunFailedError: If rejects or the state cannot be written.
        """
        self._rejects.add_schema(stream, line)
        self._campaigns.upload_early()

    def close_checkpoint(self, state: bytes) -> None:
        """Take a state, which is written once everything before it is settled.

        Raises:
            RunFailedError: If the run has failed, or the state cannot be written.
        """
        self._delivery.close_checkpoint(state)
        self.checkpoint = self._delivery.checkpoint

    def count_user(self, event_type: str, user: str) -> None:
        """Do nothing: users by event type are counted in a dry run only."""
