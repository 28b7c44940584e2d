"""What leaves the engine, in which order, and which bookmark follows it."""

from __future__ import annotations

import bisect
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

import msgspec
from typing_extensions import override

from tap_hubspot_email_events.errors import StreamError
from tap_hubspot_email_events.hubspot.events import Page
from tap_hubspot_email_events.reading.digests import SentEvents
from tap_hubspot_email_events.reading.engine import Engine
from tap_hubspot_email_events.reading.plan import Plan
from tap_hubspot_email_events.reading.stream_sync import StreamSync

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_hubspot_email_events.hubspot.events import Event
    from tap_hubspot_email_events.reading.plan import Part

PAGE = 10
HOUR = 3_600_000


def sync_of(name: str, end: int) -> StreamSync:
    sent = SentEvents([], since=1, bucket=1)
    plan = Plan(1, end, page_size=PAGE)
    return StreamSync(
        name, event_type="OPEN", plan=plan, now=end, start=1, end=end, reached=1, sent=sent
    )


class Account:
    """Serves events at given instants, newest first, and fails where it is told to."""

    def __init__(self, instants: Sequence[int], *, fails_before: int = 0) -> None:
        self.instants = sorted(instants)
        self.fails_before = fails_before
        self.encoding = threading.Event()
        self.misplaced: list[int] = []

    def page(self, sync: StreamSync, part: Part) -> Page:
        del sync
        if 1 < part.start < self.fails_before <= part.end:
            assert self.encoding.wait(5)
            raise StreamError("no answer")
        end = bisect.bisect_right(self.instants, part.end)
        end -= int(part.offset or 0)
        oldest = bisect.bisect_left(self.instants, part.requested_start)
        start = max(oldest, end - PAGE)
        events = [{"id": str(at), "created": at} for at in reversed(self.instants[start:end])]
        left = start - oldest
        offset = str(int(part.offset or 0) + len(events))
        return Page(events, left > 0, offset if left else None)

    def note_misplaced(self, events: list[Event]) -> None:
        self.misplaced += [event["created"] for event in events]

    def lines(self, sync: StreamSync, events: list[Event]) -> tuple[bytes, int]:
        del sync
        if self.fails_before:
            self.encoding.set()
            time.sleep(0.05)
        return msgspec.json.encode([event["created"] for event in events]), 0


class Log:
    """Takes what is written."""

    def __init__(self) -> None:
        self.pages: list[list[int]] = []
        self.ends: list[int] = []

    @property
    def instants(self) -> list[int]:
        return [at for page in self.pages for at in page]

    def write(self, lines: bytes) -> None:
        self.pages.append(msgspec.json.decode(lines))

    def finished(self, sync: StreamSync, end: int) -> None:
        due = {at for at in ACCOUNTS[sync.name].instants if at <= end}
        assert due <= set(self.instants), "the bookmark covers what was not written"
        self.ends.append(end)

    def pause(self) -> None:
        pass


ACCOUNTS: dict[str, Account] = {}


def read(account: Account, end: int) -> tuple[Log, StreamSync]:
    """Read one stream to its end."""
    ACCOUNTS["email_open"] = account
    sync = sync_of("email_open", end)
    log = Log()
    Engine([sync], account, threading.Event(), concurrency=4).run(log)
    return log, sync


def test_everything_is_written_once_and_bookmarks_only_move_on() -> None:
    account = Account(range(1, 1000 * HOUR, HOUR))
    log, sync = read(account, 1000 * HOUR)
    assert sorted(log.instants) == account.instants
    assert log.ends == sorted(log.ends)
    assert sync.read_whole


def test_each_page_leaves_oldest_event_first_and_the_newest_day_last() -> None:
    account = Account(range(1, 400 * HOUR, HOUR))
    log, _ = read(account, 400 * HOUR)
    assert all(page == sorted(page) for page in log.pages)
    day_ago = 400 * HOUR - 24 * HOUR
    newest = [at for at in log.instants if at > day_ago]
    assert log.instants[-len(newest) :] == sorted(newest)


class SlowToEncode(Account):
    """Takes long to encode the older pages."""

    @override
    def lines(self, sync: StreamSync, events: list[Event]) -> tuple[bytes, int]:
        time.sleep(0.2 if events[0]["created"] < 15 * HOUR else 0)
        return super().lines(sync, events)


def test_a_page_that_is_slow_to_encode_is_not_overtaken_by_a_newer_one() -> None:
    account = SlowToEncode(range(1, 25 * HOUR, HOUR))
    log, _ = read(account, 25 * HOUR)
    assert log.instants == account.instants


def test_a_page_still_being_encoded_when_a_newer_part_fails_is_not_lost() -> None:
    account = Account(range(1, 1000 * HOUR, HOUR), fails_before=700 * HOUR)
    log, sync = read(account, 1000 * HOUR)
    assert sync.failure is not None
    assert log.ends
    assert not sync.read_whole


class Misplacing(Account):
    """Puts events with times of elsewhere into every page, as HubSpot's index might."""

    @override
    def page(self, sync: StreamSync, part: Part) -> Page:
        page = super().page(sync, part)
        page.events += [{"id": "odd", "created": at} for at in (part.end + 5, 10**15, -7)]
        return page


def test_events_of_elsewhere_are_written_once_and_hide_no_others() -> None:
    account = Misplacing(range(1, 1000 * HOUR, HOUR))
    log, sync = read(account, 1000 * HOUR)
    assert sync.read_whole
    assert set(account.instants) <= set(log.instants)
    assert [log.instants.count(at) for at in (10**15, -7)] == [1, 1]
    assert Counter(account.misplaced) == Counter(log.instants) - Counter(account.instants)
    plain = Account(account.instants)
    assert sync.plan.requests <= read(plain, 1000 * HOUR)[1].plan.requests * 1.1


class HeldUp(Account):
    """Answers requests for all streams but one only once that one is read."""

    def __init__(self, instants: Sequence[int], free: StreamSync) -> None:
        super().__init__(instants)
        self.free = free

    @override
    def page(self, sync: StreamSync, part: Part) -> Page:
        deadline = time.monotonic() + 5
        while sync is not self.free and not self.free.done:
            assert time.monotonic() < deadline, "the stream that could be read waited as well"
            time.sleep(0.01)
        return super().page(sync, part)


def test_streams_that_sit_out_failures_hold_no_other_up() -> None:
    end = 1000 * HOUR
    names = [f"stream_{number}" for number in range(4)]
    syncs = [sync_of(name, end) for name in names]
    account = HeldUp(range(1, end, HOUR), syncs[-1])
    ACCOUNTS.update(dict.fromkeys(names, account))
    Engine(syncs, account, threading.Event(), concurrency=4).run(Log())
    assert all(sync.read_whole for sync in syncs)
