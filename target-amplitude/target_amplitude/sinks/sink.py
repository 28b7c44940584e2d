"""Where the intake's events go: to Amplitude, or in a dry run nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from target_amplitude.delivery.rejects import count_rejects
from target_amplitude.history.distinct_users import DistinctUsers
from target_amplitude.lookup_table.upload import NO_SECRET_KEY

if TYPE_CHECKING:
    from target_amplitude.delivery.delivery import Delivery
    from target_amplitude.delivery.queue import Item
    from target_amplitude.delivery.rejects import Reject, RejectsFile
    from target_amplitude.history.counts import StreamTally
    from target_amplitude.lookup_table.upload import CampaignUpload
    from target_amplitude.mapping import Refusal


class Outlet(Protocol):
    """What the intake needs of the other side."""

    epoch: int

    def add(self, items: list[Item], rejects: list[Reject], settled: int, opened: int) -> None:
        """Take what a piece of input became."""

    def close_epoch(self, state: bytes) -> None:
        """Take a state."""

    def schema(self, stream: str, line: bytes) -> None:
        """Take a stream's SCHEMA message."""

    def campaign(self, record: dict[str, Any], line: bytes, tally: StreamTally) -> Refusal | None:
        """Take a campaign for the lookup table, to be settled later, or say why not."""

    def see(self, event_type: str, user: str) -> None:
        """Note who would be counted by event type."""

    def is_own_reject(self, mark: msgspec.Raw) -> bool:
        """Whether a record was kept aside by this very run."""


class _Mark(msgspec.Struct):
    run: str = ""


class DeliveringOutlet:
    """Hands events to the delivery."""

    def __init__(
        self,
        delivery: Delivery,
        rejects: RejectsFile,
        campaigns: CampaignUpload,
    ) -> None:
        """Take the delivery, where it keeps rejects, and the way of campaigns."""
        self._delivery = delivery
        self._rejects = rejects
        self._campaigns = campaigns
        self.epoch = 0

    def add(self, items: list[Item], rejects: list[Reject], settled: int, opened: int) -> None:
        """Take what a piece of input became."""
        self._delivery.add(items, rejects, settled, opened)

    def close_epoch(self, state: bytes) -> None:
        """Take a state."""
        self._delivery.close_epoch(state)
        self.epoch = self._delivery.epoch

    def schema(self, stream: str, line: bytes) -> None:
        """Take a stream's SCHEMA message."""
        self._rejects.schema(stream, line)
        self._campaigns.deliver_early()

    def campaign(self, record: dict[str, Any], line: bytes, tally: StreamTally) -> Refusal | None:
        """Take a campaign for the lookup table, to be settled later, or say why not."""
        return self._campaigns.take(record, line, tally, self.epoch)

    def see(self, event_type: str, user: str) -> None:
        """Users by event type are counted in a dry run only."""

    def is_own_reject(self, mark: msgspec.Raw) -> bool:
        """Whether a record was kept aside by this very run, which then reads its own output."""
        try:
            return msgspec.json.decode(mark, type=_Mark).run == self._rejects.run
        except msgspec.MsgspecError:
            return False


class DryOutlet:
    """Counts what would be delivered; sends nothing, keeps nothing aside, moves no state."""

    def __init__(self, *, has_secret_key: bool) -> None:
        """Start with nobody seen; campaigns are delivered only with a secret key."""
        self._has_secret_key = has_secret_key
        self.epoch = 0
        self.users: dict[str, DistinctUsers] = {}

    def add(self, items: list[Item], rejects: list[Reject], settled: int, opened: int) -> None:
        """Take what a piece of input became."""
        del settled, opened
        count_rejects(rejects)
        for item in items:
            item.tally.delivered += 1
            item.tally.sent_bytes += len(item.body)

    def close_epoch(self, state: bytes) -> None:
        """Drop a state: the real run has yet to deliver what it covers."""

    def schema(self, stream: str, line: bytes) -> None:
        """Nothing is kept aside, so no schema is needed."""

    def campaign(self, record: dict[str, Any], line: bytes, tally: StreamTally) -> Refusal | None:
        """Count a campaign that would be in the lookup table."""
        del record, line
        if not self._has_secret_key:
            return NO_SECRET_KEY
        tally.delivered += 1
        return None

    def see(self, event_type: str, user: str) -> None:
        """Note who would be counted by event type."""
        self.users.setdefault(event_type, DistinctUsers()).add([user])

    def is_own_reject(self, mark: msgspec.Raw) -> bool:
        """A dry run keeps nothing aside."""
        del mark
        return False
