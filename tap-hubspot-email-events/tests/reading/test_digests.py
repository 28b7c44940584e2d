"""Digests of digests leave out only what is the same, and are cut as fine as there is room."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_hubspot_email_events.reading.digests import (
    Range,
    SentEvents,
    WindowDigest,
    cut,
    cut_together,
    decode,
    decode_hashes,
    encode,
    encode_hashes,
    event_hash,
)

END = 10_000
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


@given(events, st.integers(1, 100), st.integers(1, 500))
def test_digests_follow_one_another_and_hold_everything(
    seen: list[dict[str, Any]], most: int, bucket: int
) -> None:
    digests = remembered(seen, most=most, bucket=bucket)
    assert digests[0].start == 0
    assert digests[-1].end == END
    for one, other in pairwise(digests):
        assert one.end + 1 == other.start
    assert sum(window.count for window in digests) == len(seen)
    assert len(digests) <= most + 1


@given(events, st.integers(1, 100))
def test_what_is_written_is_read(seen: list[dict[str, Any]], most: int) -> None:
    digests = remembered(seen, most=most)
    assert decode(encode(digests), 0) == digests


@pytest.mark.parametrize("text", [None, 5, "", "AAA", "!", "AAAA", []])
def test_what_is_no_encoding_is_nothing(text: object) -> None:
    assert decode(text, 0) == []


def test_digests_hold_equally_many_events_as_far_as_buckets_allow() -> None:
    buckets = [bucket(9, 1, 1), bucket(19, 1, 2), bucket(29, 1, 4)]
    assert cut_up(buckets, 0, 29, 3) == [
        WindowDigest(0, 9, 1, 1),
        WindowDigest(10, 19, 1, 2),
        WindowDigest(20, 29, 1, 4),
    ]
    assert cut_up(buckets, 5, 30, 2) == [WindowDigest(5, 19, 2, 3), WindowDigest(20, 30, 1, 4)]
    assert cut_up(buckets[:1], 0, 10, 1) == [WindowDigest(0, 9, 1, 1), WindowDigest(10, 10, 0, 0)]
    assert cut_up(buckets, 0, 29, 0) == [WindowDigest(0, 29, 3, 7)]


def test_what_is_seen_is_told_by_buckets() -> None:
    sent = SentEvents([], since=10, bucket=10)
    seen = [{"id": "a", "created": at} for at in (31, 25, 12, 10, 9)]
    sent.deduplicate(seen, always)
    hashes = {event["created"]: event_hash(event) for event in seen}
    assert sent.seen(15, 29).seen == [
        WindowDigest(10, 19, 2, hashes[10] + hashes[12]),
        WindowDigest(20, 29, 1, hashes[25]),
    ]
    assert [each.end for each in sent.seen(0, 40).seen] == [19, 29, 39]


def test_each_window_is_asked_about_by_its_bounds() -> None:
    asked: list[tuple[int, int]] = []

    def is_read(start: int, end: int) -> bool:
        asked.append((start, end))
        return False

    sent = SentEvents([WindowDigest(0, 9, 2, 0), WindowDigest(10, 19, 2, 0)], since=0, bucket=1)
    sent.deduplicate([{"id": "a", "created": 12}, {"id": "b", "created": 3}], is_read)
    assert sorted(asked) == [(0, 9), (10, 19)]


def test_the_hashes_are_those_of_states_already_written() -> None:
    one: dict[str, Any] = {"id": "a", "created": 1}
    assert event_hash(one) == 5_127_164_068_374_875_894
    assert event_hash(one | {"obsoletedBy": {"id": "b"}}) == 13_054_485_817_837_284_007
    assert (
        event_hash({"id": "\ud800\u00e9", "created": 1_760_000_000_000}) == 66_408_594_625_808_322
    )


def test_an_encoding_that_was_spoilt_is_nothing() -> None:
    text = encode([WindowDigest(0, 9, 1, 1)])
    assert decode(text, 0) != []
    assert decode(f"{text[:5]}!{text[5:]}", 0) == []
    assert decode(text[:-4], 0) == []


@pytest.mark.parametrize(("instant", "start"), [(0, 0), (9, 0), (10, 10), (25, 20)])
def test_a_bucket_begins_at_a_multiple_of_its_length(instant: int, start: int) -> None:
    assert SentEvents([], since=0, bucket=10).bucket_start(instant) == start


@given(
    st.lists(st.tuples(st.integers(0, 400), st.integers(1, 5)), max_size=30),
    st.integers(1, 20),
)
def test_every_event_is_in_the_window_of_its_day_however_long_the_lookback(
    days: list[tuple[int, int]], most: int
) -> None:
    day = 86_400_000
    buckets = [bucket((at + 1) * day - 1, count, count) for at, count in sorted(dict(days).items())]
    digests = cut_up(buckets, 0, 401 * day, most)
    assert decode(encode(digests), 0) == digests
    for window in digests:
        inside = sum(bucket.count for bucket in buckets if window.start < bucket.end <= window.end)
        # A boundary may lie within the day, which then counts with its end.
        assert window.count == inside == window.digest


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


@pytest.mark.parametrize("start", [0, 10**12])
def test_what_was_seen_before_a_gap_of_49_days_is_counted_before_it(start: int) -> None:
    longest = 2**32 - 1
    # Two in a millisecond each, as far apart as one window can hold, and a millisecond more.
    near = [bucket(start, 1, 5), bucket(start + longest - 1, 1, 7)]
    far = [bucket(start, 1, 5), bucket(start + longest, 1, 7)]
    end = start + longest + 9
    assert cut_up(near, start, end, 1)[0] == WindowDigest(start, start + longest - 1, 2, 12)
    assert cut_up(far, start, end, 1) == [
        WindowDigest(start, start, 1, 5),
        WindowDigest(start + 1, start + longest, 1, 7),
        WindowDigest(start + longest + 1, end, 0, 0),
    ]
    assert cut_up(far[:1], start, end, 1) == [
        WindowDigest(start, start, 1, 5),
        WindowDigest(start + 1, start + longest, 0, 0),
        WindowDigest(start + longest + 1, end, 0, 0),
    ]
    # The end of the last bucket lies behind the range's.
    assert cut_up(far, start, start + longest - 1, 1) == [
        WindowDigest(start, start, 1, 5),
        WindowDigest(start + 1, start + longest - 1, 1, 7),
    ]


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
    known = [WindowDigest(0, END, 3, sum(map(event_hash, seen)) % 2**64)]
    sent = SentEvents(known, since=0, bucket=1)
    assert sent.deduplicate(seen[:1], lambda *_: False) == []
    assert sent.deduplicate(seen[1:2], lambda *_: False) == []
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


def test_the_first_window_holds_all_of_its_first_bucket() -> None:
    sent = SentEvents([], since=15, bucket=10)
    event = {"id": "a", "created": 12}
    assert sent.deduplicate([event], always) == [event]
    assert [bucket.count for bucket in sent.seen(sent.bucket_start(15), END).seen] == [1]


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


@given(st.lists(st.integers(0, 2**64 - 1)))
def test_hashes_are_decoded_as_they_were_encoded(hashes: list[int]) -> None:
    assert decode_hashes(encode_hashes(hashes)) == hashes


@pytest.mark.parametrize("odd", [None, 5, "x", "AAAA", "????", "AAAAAAAAAAAA"])
def test_what_are_no_hashes_are_none(odd: object) -> None:
    assert decode_hashes(odd) == []


def test_an_event_that_becomes_obsolete_is_another() -> None:
    event: dict[str, Any] = {"id": "a", "created": 1}
    assert event_hash(event) == event_hash({**event, "obsoletedBy": None, "contact": {}})
    assert event_hash(event) != event_hash({**event, "obsoletedBy": {"id": "b"}})
