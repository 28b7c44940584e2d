"""What a run leaves in the state for the next one, and where that one starts reading."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tap_hubspot_email_events.errors import ConfigError
from tap_hubspot_email_events.reading.digests import decode, decode_hashes, encode, encode_hashes
from tap_hubspot_email_events.settings import DEFAULT_HISTORY
from tap_hubspot_email_events.timestamps import EARLIEST, format_timestamp, parse_timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_hubspot_email_events.reading.digests import WindowDigest
    from tap_hubspot_email_events.settings import Settings

RUN_STARTED_AT = "run_started_at"
READ_FROM = "read_from"
PORTAL_ID = "portal_id"
SENT = "sent"
MISPLACED = "misplaced"


@dataclass(frozen=True, slots=True)
class Bookmark:
    """The end of the last finished part, and when the run that read it started, in milliseconds.

    `read_from` is where the first of all runs began, `portal_id` the HubSpot account that was read;
    older states do not have them.
    """

    end: int
    run_started_at: int | None
    read_from: int | None = None
    portal_id: int | None = None

    def next_start(self, lookback: int) -> int:
        """Where the next run starts, in milliseconds, as is `lookback`.

        An event may become visible up to `lookback` after its `created`. So what was created
        before a run's start less `lookback` can no longer change, however far that run gets.
        """
        started = self.end if self.run_started_at is None else self.run_started_at
        return min(self.end + 1, started - lookback)

    def is_after(self, now: int) -> bool:
        """Whether it lies in the future, as a wrong clock or a hand may have set it."""
        return self.end > now

    def no_later_than(self, now: int) -> Bookmark:
        """This bookmark, or one at `now`, in milliseconds, where it lies in the future."""
        if not self.is_after(now):
            return self
        started = now if self.run_started_at is None else min(now, self.run_started_at)
        return Bookmark(now, started, self.read_from, self.portal_id)


def read_bookmark(stream: str, state: Mapping[str, Any]) -> Bookmark | None:
    """Read a stream's entry in the state; None if it has no bookmark.

    Raises:
        ConfigError: The entry cannot be understood.
    """
    value = state.get("replication_key_value")
    if value is None:
        return None
    first, portal = state.get(READ_FROM), state.get(PORTAL_ID)
    try:
        # A run with a start date before 2000 used to say so here.
        read_from = max(EARLIEST, _instant(first)) if isinstance(first, str) else first
        bookmark = Bookmark(
            _instant(value),
            _instant_or_none(state.get(RUN_STARTED_AT)),
            _instant_or_none(read_from),
            portal if type(portal) is int else None,
        )
    except (TypeError, ValueError):
        raise ConfigError(
            f"The state's bookmark of stream {stream} is no RFC 3339 date; correct it, or remove "
            "the stream's entry to read it again from `start_date`."
        ) from None
    instants = (bookmark.end, bookmark.run_started_at, bookmark.read_from)
    if any(instant is not None and instant < EARLIEST for instant in instants):
        raise ConfigError(
            f"The state's bookmark of stream {stream} lies before the year 2000, as a number of "
            "seconds does instead of milliseconds; correct it, or remove the stream's entry to "
            "read it again from `start_date`."
        )
    return bookmark


def write_bookmark(state: dict[str, Any], bookmark: Bookmark, replication_key: str) -> None:
    """Write a bookmark to a stream's entry in the state, in place."""
    state["replication_key"] = replication_key
    state["replication_key_value"] = format_timestamp(bookmark.end)
    if bookmark.run_started_at is not None:
        state[RUN_STARTED_AT] = format_timestamp(bookmark.run_started_at)
    if bookmark.read_from is not None:
        state[READ_FROM] = format_timestamp(bookmark.read_from)
    if bookmark.portal_id is not None:
        state[PORTAL_ID] = bookmark.portal_id


def read_digests(state: Mapping[str, Any], bookmark: Bookmark | None) -> list[WindowDigest]:
    """Read what left the tap before from a stream's entry in the state.

    It counts only with the bookmark that was written with it, so nothing is left out because of a
    state that was edited, or written by a version that does not know it.
    """
    sent = state.get(SENT)
    if bookmark is None or not isinstance(sent, dict):
        return []
    try:
        start, end = _instant(sent["from"]), _instant(sent["to"])
    except (KeyError, TypeError, ValueError):
        return []
    digests = decode(sent.get("stretches"), start)
    return digests if digests and digests[-1].end == end == bookmark.end else []


def read_misplaced(state: Mapping[str, Any]) -> list[int]:
    """Read the hashes of misplaced events that left the tap before, from a stream's entry."""
    sent = state.get(SENT)
    return decode_hashes(sent.get(MISPLACED)) if isinstance(sent, dict) else []


def write_digests(
    state: dict[str, Any], digests: Sequence[WindowDigest], misplaced: Sequence[int] = ()
) -> None:
    """Write what has left the tap to a stream's entry in the state, in place."""
    if not digests:
        state.pop(SENT, None)
        return
    state[SENT] = {
        "from": format_timestamp(digests[0].start),
        "to": format_timestamp(digests[-1].end),
        "stretches": encode(digests),
    }
    if misplaced:
        state[SENT][MISPLACED] = encode_hashes(misplaced)


def aligned(start: int, known: Sequence[WindowDigest], earliest: int | None) -> int:
    """Where to start so that the known window at `start` is read whole.

    Not before `earliest`, the start date.
    """
    for window in known:
        if window.start <= start <= window.end and (earliest or 0) <= window.start:
            return window.start
    return start


def first_instant(settings: Settings, bookmark: Bookmark | None, now: int) -> int:
    """Where a stream's range starts, in milliseconds."""
    if bookmark is None:
        return max(EARLIEST, now - DEFAULT_HISTORY if settings.start is None else settings.start)
    start = bookmark.next_start(settings.lookback)
    if settings.start is not None:
        # The lookback stops at the start date, but what follows the bookmark is always read.
        start = max(start, min(settings.start, bookmark.end + 1))
    return max(EARLIEST, start)


def _instant_or_none(value: Any) -> int | None:
    return None if value is None else _instant(value)


def _instant(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise TypeError
    instant = parse_timestamp(value) if isinstance(value, str) else value
    format_timestamp(instant)
    return instant
