"""A state is understood, or refused with a sentence; it is never taken for none."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_hubspot_email_events.errors import ConfigError
from tap_hubspot_email_events.reading.bookmarks import read_bookmark
from tap_hubspot_email_events.reading.states import read_state, unknown_warning

MARK = {"replication_key": "created", "replication_key_value": "2025-10-09T08:53:20Z"}
GOOD = {"bookmarks": {"email_open": MARK}}
ENDED = {"started_at": "2025-10-09T08:53:20Z", "complete": False, "reason": "x"}


@pytest.mark.parametrize(
    "state",
    [
        None,
        {},
        {"bookmarks": None},
        {"bookmarks": {}},
        {"last_run": ENDED},
        {"bookmarks": {}, "last_run": ENDED, "currently_syncing": None},
    ],
)
def test_nothing_is_no_state(state: Any) -> None:
    assert read_state(state) == {}


@pytest.mark.parametrize(
    "entry",
    [
        {},
        MARK,
        MARK | {"run_started_at": "2025-10-09T08:53:20Z", "portal_id": 4711, "sent": {}},
        {"starting_replication_value": None},
        {"starting_replication_value": "2025-10-09T08:53:20Z"},
        {"progress_markers": {"Note": "x", "replication_key_value": "x"}},
        {"replication_key_signpost": "2025-10-09T08:53:20Z"},
        {"replication_key_value": None},
    ],
)
def test_what_the_tap_and_the_sdk_write_is_taken(entry: dict[str, Any]) -> None:
    campaigns: list[dict[str, Any]] = [
        {},
        {"email_campaigns": {}},
        {"email_campaigns": {"progress_markers": {}}},
    ]
    for others in campaigns:
        bookmarks = {"email_open": entry, **others}
        assert read_state({"bookmarks": bookmarks, "last_run": ENDED}) == bookmarks


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"singer_state": GOOD}, "wrapped in `singer_state`"),
        ({"singer_state": GOOD} | GOOD, "wrapped in `singer_state`"),
        ({"type": "STATE", "value": GOOD}, "is a whole STATE message"),
        ({"value": GOOD}, "has no `bookmarks` but `value`"),
        ({"bookmark": GOOD["bookmarks"]}, "has no `bookmarks` but `bookmark`"),
        ({"bookmarks": {}, "other": 5}, "has no `bookmarks` but `other`"),
        ({"email_open": MARK}, "has `email_open` outside of `bookmarks`"),
        (GOOD | {"email_click": MARK}, "has `email_click` outside of `bookmarks`"),
        ([], "is a list"),
        (json.dumps(GOOD), "is a string"),
        (0, "is a number"),
        (False, "is a boolean"),
        ({"bookmarks": []}, "`bookmarks` is a list"),
        ({"bookmarks": {"email_open": None}}, "entry of stream `email_open` is null"),
        (
            {"bookmarks": {"email_open": {"replication_key": "created"}}},
            "stream email_open has no `replication_key_value`, but `replication_key`",
        ),
        (
            {"bookmarks": {"email_open": {"bookmark": "2025-10-09", "a": 1, "b": 1, "c": 1}}},
            "no `replication_key_value`, but `a`, `b` and 2 more",
        ),
        (
            {"bookmarks": {"email_open": {"replication_key_value": None, "portal_id": 1}}},
            "stream email_open has no `replication_key_value`",
        ),
        ({"bookmarks": {"email_open": {"progress_markers": None}}}, "of an unknown form"),
        ({"bookmarks": {"contacts": {"partitions": 5}} | GOOD["bookmarks"]}, "of an unknown form"),
        ({"bookmarks": {"contacts": MARK}}, "none of this tap's streams, but of `contacts`"),
        (
            {"bookmarks": {"contacts": MARK, "email_open": {}}},
            "none of this tap's streams, but of `contacts`",
        ),
        ({"bookmarks": {"email_open": MARK | {"replication_key_value": 5}}}, "the year 2000"),
    ],
)
def test_what_holds_something_else_is_refused_with_what_it_is(state: Any, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_state(state)
    assert words in str(caught.value)
    assert str(caught.value).startswith("The state")
    assert str(caught.value).endswith(".")


def test_where_what_was_meant_is_plain_the_sentence_says_how_to_put_it_right() -> None:
    for state in ({"singer_state": GOOD}, {"type": "STATE", "value": GOOD}):
        with pytest.raises(ConfigError) as caught:
            read_state(state)
        assert "for `--state`, give" in str(caught.value)
        assert '`meltano state set` {"singer_state": {"bookmarks": {...}}}' in str(caught.value)


def test_unknown_streams_beside_known_ones_are_named() -> None:
    bookmarks = dict.fromkeys(("a", "email_open", "b", "c", "d"), MARK)
    assert read_state({"bookmarks": bookmarks}) == bookmarks
    warning = unknown_warning(bookmarks)
    assert warning is not None
    assert "does not have: `a`, `b` and 2 more; they are kept" in warning
    assert unknown_warning(GOOD["bookmarks"]) is None


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
KNOWN = (
    "bookmarks bookmark singer_state type value last_run currently_syncing email_open email_sent "
    "email_campaigns contacts partitions progress_markers replication_key replication_key_value "
    "starting_replication_value run_started_at"
)
NAMES = st.text(max_size=5) | st.sampled_from(KNOWN.split())
VALUES = SCALARS | st.sampled_from(["STATE", "2025-10-09T08:53:20Z"]) | st.integers(0, 2 * 10**12)
JSON = st.recursive(
    VALUES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4)
)
SAYS_NOTHING = {"last_run", "currently_syncing"}
OF_THE_SDK = {"starting_replication_value", "replication_key_signpost", "progress_markers"}


@given(JSON | st.fixed_dictionaries({"bookmarks": st.dictionaries(NAMES, JSON, max_size=4)}))
def test_whatever_holds_something_is_understood_or_refused(state: Any) -> None:
    try:
        bookmarks = read_state(state)
    except ConfigError:
        return
    marked = [n for n, e in bookmarks.items() if n.startswith("email_") and read_bookmark(n, e)]
    if marked or bookmarks.get("email_campaigns"):
        return
    assert state is None or set(state) <= SAYS_NOTHING | {"bookmarks"}
    assert all(name.startswith("email_") for name in bookmarks)
    for entry in bookmarks.values():
        assert {key for key, value in entry.items() if value is not None} <= OF_THE_SDK
