"""Digests of digests leave out only what is the same, and are cut as fine as there is room."""

from __future__ import annotations

from itertools import accumulate, pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tap_hubspot_email_events.reading.digests import (
    Range,
    SentEvents,
    WindowDigest,
    cut,
    cut_together,
    decode,
    encode,
    event_hash,
)

END = 10_000
DAY = 86_400_000
LONGEST = 2**32 - 1
"""Milliseconds that one window can hold, which are 49 days."""
events = st.lists(st.integers(0, END), max_size=60, unique=True).map(
    lambda times: [{"id": f"e{at}", "created": at} for at in sorted(times, reverse=True)]
)


def bucket(end: int, count: int, digest: int) -> WindowDigest:
    return WindowDigest(end, end, count, digest)


def cut_up(seen: list[WindowDigest], start: int, end: int, most: int) -> list[WindowDigest]:
    return cut(Range(start, end, seen), most)


def always(_start: int, _end: int) -> bool:
    return True


def remembered(
    seen: list[dict[str, Any]], *, most: int = 10, bucket: int = 1
) -> list[WindowDigest]:
    """The digests that a run leaves which has seen these events."""
    sent = SentEvents([], since=0, bucket=bucket)
    sent.deduplicate(list(seen), always)
    return cut(sent.seen(0, END), most)


@given(events, st.integers(0, 100), st.sampled_from([1, 7, 500]))
def test_digests_follow_one_another_and_hold_everything(
    seen: list[dict[str, Any]], most: int, bucket: int
) -> None:
    digests = remembered(seen, most=most, bucket=bucket)
    assert digests[0].start == 0
    assert digests[-1].end == END
    for one, other in pairwise(digests):
        assert one.end + 1 == other.start
    assert sum(window.count for window in digests) == len(seen)
    assert len(digests) <= max(1, most) + 1
    if bucket == 1:
        # Equally many in each, but for the rest.
        assert {window.count for window in digests[:-1]} <= {-(-len(seen) // max(1, most))}


def test_what_is_seen_is_told_by_whole_buckets() -> None:
    sent = SentEvents([], since=15, bucket=10)
    seen = [{"id": "a", "created": at} for at in (31, 25, 12, 10, 9)]
    assert sent.deduplicate(seen, always) == seen
    hashes = {event["created"]: event_hash(event) for event in seen}
    assert sent.seen(15, 29).seen == [
        WindowDigest(10, 19, 2, hashes[10] + hashes[12]),
        WindowDigest(20, 29, 1, hashes[25]),
    ]
    assert [each.end for each in sent.seen(0, 40).seen] == [19, 29, 39]
    assert [sent.bucket_start(at) for at in (0, 9, 10, 25)] == [0, 0, 10, 20]


def test_the_hashes_are_those_of_states_already_written() -> None:
    one: dict[str, Any] = {"id": "a", "created": 1}
    assert event_hash(one) == 5_127_164_068_374_875_894
    assert event_hash(one | {"obsoletedBy": None, "contact": {}}) == event_hash(one)
    # It becomes another once it is obsolete.
    assert event_hash(one | {"obsoletedBy": {"id": "b"}}) == 13_054_485_817_837_284_007
    assert (
        event_hash({"id": "\ud800\u00e9", "created": 1_760_000_000_000}) == 66_408_594_625_808_322
    )


@given(
    st.lists(
        st.tuples(st.sampled_from([2, DAY, LONGEST - 1, LONGEST, 90 * DAY]), st.integers(1, 5)),
        max_size=30,
    ),
    st.integers(1, 20),
    st.sampled_from([-1, 0, DAY, 90 * DAY]),
)
def test_every_event_is_in_the_window_of_its_time_however_long_the_lookback(
    gaps: list[tuple[int, int]], most: int, beyond: int
) -> None:
    ends = list(accumulate((gap for gap, _ in gaps), initial=0))
    end = max(0, ends[-1] + beyond)
    buckets = [bucket(at, count, count) for at, (_, count) in zip(ends[1:], gaps, strict=True)]
    digests = cut_up(buckets, 0, end, most)
    assert decode(encode(digests), 0) == digests
    assert digests[-1].end == end
    for window in digests:
        # A bucket may end after the range does.
        inside = [each for each in buckets if window.start <= min(each.end, end) <= window.end]
        assert window.count == window.digest == sum(each.count for each in inside)


@given(
    st.dictionaries(st.text(max_size=3), events, max_size=22),
    st.integers(1, 100),
    st.integers(1, 60),
)
def test_streams_share_the_room_whatever_was_cut_before(
    streams: dict[str, list[dict[str, Any]]], before: int, most: int
) -> None:
    known = {name: remembered(seen, most=before) for name, seen in streams.items()}
    shared = cut_together({name: Range(0, END, each) for name, each in known.items()}, most)
    assert sum(map(len, shared.values())) <= most + 2 * len(streams)
    for name, seen in streams.items():
        digests = shared[name]
        assert (digests[0].start, digests[-1].end) == (0, END)
        assert decode(encode(digests), 0) == digests
        assert {each.end for each in digests} <= {each.end for each in known[name]}
        sent = SentEvents(digests, since=0, bucket=1)
        assert sent.deduplicate(list(seen), always) == []
        assert sent.repeated == len(seen)


def test_digests_of_nothing_are_one_again() -> None:
    nothing = [WindowDigest(10 * at, 10 * at + 9, 0, 0) for at in range(1000)]
    shared = cut_together({"a": Range(0, 9999, nothing), "b": Range(0, 9, [])}, 2500)
    assert shared == {"a": [WindowDigest(0, 9999, 0, 0)], "b": [WindowDigest(0, 9, 0, 0)]}


@given(events, events, st.integers(1, 60), st.integers(1, 300))
def test_nothing_new_is_left_out_and_nothing_unchanged_sent(
    before: list[dict[str, Any]], added: list[dict[str, Any]], most: int, bucket: int
) -> None:
    known = remembered(before, most=most, bucket=bucket)
    now = {event["id"]: event for event in (*before, *added)}
    sent = SentEvents(known, since=0, bucket=bucket)
    page = sorted(now.values(), key=lambda event: -event["created"])
    out = sent.deduplicate(page, always)
    new = now.keys() - {event["id"] for event in before}
    assert new <= {event["id"] for event in out}
    changed = [s for s in known if any(s.start <= now[name]["created"] <= s.end for name in new)]
    for event in out:
        assert any(each.start <= event["created"] <= each.end for each in changed)
    assert len(out) + sent.repeated == len(page)
    assert cut(sent.seen(0, END), most) == remembered(page, most=most, bucket=bucket)


@given(events, st.sets(st.integers(0, 60)))
def test_a_window_that_has_lost_an_event_is_sent(
    before: list[dict[str, Any]], gone: set[int]
) -> None:
    known = remembered(before)
    left = [event for number, event in enumerate(before) if number not in gone]
    out = SentEvents(known, since=0, bucket=1).deduplicate(left, always)
    lost = [event for number, event in enumerate(before) if number in gone]
    touched = [s for s in known if any(s.start <= e["created"] <= s.end for e in lost)]
    assert [e["id"] for e in out] == [
        e["id"] for e in left if any(s.start <= e["created"] <= s.end for s in touched)
    ]


def test_a_window_waits_until_it_is_read_whole() -> None:
    seen = [{"id": f"e{at}", "created": at} for at in (30, 20, 10)]
    newest, *older = map(event_hash, seen)
    known = [WindowDigest(0, 25, 2, sum(older) % 2**64), WindowDigest(26, END, 1, newest)]
    sent = SentEvents(known, since=0, bucket=1)

    def is_read(start: int, end: int) -> bool:
        return (start, end) == (26, END)

    assert sent.deduplicate(seen[:2], is_read) == []
    assert sent.repeated == 1
    assert sent.deduplicate(seen[2:], always) == []
    assert sent.repeated == 3


def test_a_window_with_more_events_than_before_is_not_held() -> None:
    seen = [{"id": f"e{at}", "created": at} for at in (30, 20, 10)]
    known = [WindowDigest(0, END, 1, event_hash(seen[0]))]
    sent = SentEvents(known, since=0, bucket=1)
    assert sent.deduplicate(seen[:1], lambda *_: False) == []
    assert sent.deduplicate(seen[1:2], lambda *_: False) == seen[:2]
    assert sent.deduplicate(seen[2:], lambda *_: False) == seen[2:]


def test_what_comes_after_a_decision_is_new() -> None:
    seen = [{"id": f"e{at}", "created": at} for at in (30, 20)]
    sent = SentEvents([WindowDigest(0, END, 1, event_hash(seen[0]))], since=0, bucket=1)
    assert sent.deduplicate(seen[:1], always) == []
    assert sent.deduplicate(seen[1:], always) == seen[1:]


def test_a_misplaced_event_is_sent_once_in_a_run_and_not_by_the_next() -> None:
    first, second = ({"id": name, "created": 5} for name in "ab")
    sent = SentEvents([], since=0, bucket=1)
    assert sent.deduplicate_misplaced([first, first]) == [first]
    assert sent.deduplicate_misplaced([first]) == []
    then = SentEvents([], since=0, bucket=1, misplaced=sent.misplaced)
    assert then.deduplicate_misplaced([first, second]) == [second]
    assert then.repeated == 1
    assert len(then.misplaced) == 2
    assert then.seen(0, END).seen == []
