"""What HubSpot holds, what Amplitude got, and what a state covers. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tap_hubspot_email_events.common.event_types import STREAM_OF_TYPE
from tap_hubspot_email_events.reading.bookmarks import read_bookmark, read_digests
from tap_hubspot_email_events.reading.digests import MODULUS, event_hash

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sandbox.scenarios.steady import Moment

# The shortest lookback of any run, in milliseconds: what is visible sooner has to arrive.
LOOKBACK = 120 * 60_000


@dataclass
class Truth:
    """Every event there is, and where it is; ids are HubSpot's."""

    known: dict[str, Moment] = field(default_factory=dict)
    arrived: set[str] = field(default_factory=set)
    rejected: set[str] = field(default_factory=set)
    doubled: int = 0

    @property
    def settled(self) -> set[str]:
        """The events that are in Amplitude or in the rejects."""
        return self.arrived | self.rejected

    def add(self, events: Iterable[Moment]) -> None:
        """Take events into HubSpot."""
        self.known.update((each.id, each) for each in events)

    def delete(self, ids: set[str]) -> None:
        """Let events disappear from HubSpot; nobody can read them any more."""
        for each in ids:
            self.known.pop(each, None)

    def visible(self, at: int) -> list[Moment]:
        """The events that HubSpot shows at an instant in milliseconds."""
        return [each for each in self.known.values() if int(each.visible_at * 1000) <= at]

    def arrive(self, ids: list[str]) -> None:
        """Note what Amplitude kept."""
        for each in ids:
            self.doubled += each in self.arrived
            self.arrived.add(each)

    def covered_but_nowhere(self, state: Mapping[str, Any], now: int) -> Iterator[str]:
        """Yield each event that the next run will not send although it is nowhere."""
        visible = self.visible(now)
        settled = self.settled
        for kind, stream in STREAM_OF_TYPE.items():
            entry = state.get("bookmarks", {}).get(stream, {})
            bookmark = read_bookmark(stream, entry)
            if bookmark is None:
                continue
            mine = [each for each in visible if each.type == kind]
            start = bookmark.next_start(LOOKBACK)
            for each in mine:
                if each.created < start and is_promised(each) and each.id not in settled:
                    yield f"{each.id} lies before {stream}'s next start"
            for window in read_digests(entry, bookmark):
                within = [each for each in mine if window.start <= each.created <= window.end]
                digest = sum(map(_hash, within)) % MODULUS
                if (len(within), digest) != (window.count, window.digest):
                    continue
                for each in within:
                    if each.id not in settled:
                        yield f"{each.id} lies in a window of {stream} that is taken for sent"

    def missing(self, at: int) -> list[Moment]:
        """The promised events that were visible at an instant and are nowhere."""
        settled = self.settled
        return [each for each in self.visible(at) if is_promised(each) and each.id not in settled]


def is_promised(event: Moment) -> bool:
    """Whether an event becomes visible within the lookback."""
    return event.visible_at * 1000 - event.created <= LOOKBACK


def _hash(event: Moment) -> int:
    return event_hash({"id": event.id, "created": event.created})


def moved_back(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """The streams whose bookmark is earlier than before, with both."""
    streams = []
    for stream, entry in before.get("bookmarks", {}).items():
        old = read_bookmark(stream, entry)
        new = read_bookmark(stream, after.get("bookmarks", {}).get(stream, {}))
        if old is not None and (new is None or new.end < old.end):
            streams.append(f"{stream}, {old} to {new}")
    return streams
