"""What a state that was given holds: bookmarks that are understood, or a sentence why not.

A state that holds something, but nothing that is known, would otherwise count as none, and the
whole history would be read and sent again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_hubspot_email_events.common.event_types import STREAM_OF_TYPE
from tap_hubspot_email_events.common.tables import names
from tap_hubspot_email_events.errors import ConfigError
from tap_hubspot_email_events.reading.bookmarks import read_bookmark

if TYPE_CHECKING:
    from collections.abc import Iterable

BOOKMARKS = "bookmarks"
LAST_RUN = "last_run"
_BESIDE_BOOKMARKS = frozenset({LAST_RUN, "currently_syncing"})
_WITHOUT_BOOKMARK = frozenset(
    {
        "replication_key_value",
        "starting_replication_value",
        "replication_key_signpost",
        "progress_markers",
    }
)
"""What the SDK writes to the entry of a stream before that has a bookmark."""
_STREAMS = frozenset({*STREAM_OF_TYPE.values(), "email_campaigns"})
_RIGHT_FORM = '{"bookmarks": {...}}'

Bookmarks = dict[str, dict[str, Any]]


def read_state(state: object) -> Bookmarks:
    """The entries of a state by stream; none where there is no state.

    Raises:
        ConfigError: The state holds something that is not understood.
    """
    if state is None or state == {}:
        return {}
    if not isinstance(state, dict):
        raise ConfigError(
            f"The state is {kind_of(state)}; it must be an object of the form {_RIGHT_FORM}."
        )
    _refuse_wrapped(state)
    bookmarks = state.get(BOOKMARKS)
    if bookmarks is None:
        bookmarks = {}
    if not isinstance(bookmarks, dict):
        raise ConfigError(
            f"The state's `bookmarks` is {kind_of(bookmarks)}; it must be an object with an entry "
            "for each stream."
        )
    for name, entry in bookmarks.items():
        _check_entry(name, entry)
    strangers = [name for name in bookmarks if name not in _STREAMS]
    if strangers and not any(bookmarks[name] for name in _STREAMS & bookmarks.keys()):
        raise ConfigError(
            f"The state has bookmarks of none of this tap's streams, but of {_names(strangers)}; "
            "it is another tap's. Give the state of this tap, or none to read from `start_date`."
        )
    others = [name for name in state if name not in {BOOKMARKS, *_BESIDE_BOOKMARKS}]
    if others and not any(bookmarks.values()):
        raise ConfigError(
            f"The state has no `bookmarks` but {_names(others)}, which this tap does not know; it "
            f"must be of the form {_RIGHT_FORM}. Give no state to read from `start_date`."
        )
    return bookmarks


def unknown_warning(bookmarks: Bookmarks) -> str | None:
    """What to say of a state's bookmarks of streams that this tap does not have."""
    if not (strangers := [name for name in bookmarks if name not in _STREAMS]):
        return None
    return (
        f"The state also has bookmarks of streams that this tap does not have: {_names(strangers)};"
        " they are kept and have no effect."
    )


def _refuse_wrapped(state: dict[str, Any]) -> None:
    if "singer_state" in state:
        raise ConfigError(
            "The state is wrapped in `singer_state`, as `meltano state get` prints it; for "
            f"`--state`, give the object inside ({_RIGHT_FORM}), and for `meltano state set` "
            f'{{"singer_state": {_RIGHT_FORM}}}, wrapped once.'
        )
    if state.get("type") == "STATE":
        raise ConfigError(
            "The state is a whole STATE message; for `--state`, give its `value` alone "
            f'({_RIGHT_FORM}), and for `meltano state set` {{"singer_state": {_RIGHT_FORM}}} with '
            "the bookmarks of that value."
        )
    if streams := [name for name in state if name in _STREAMS]:
        raise ConfigError(
            f"The state has {_names(streams)} outside of `bookmarks`; put all streams' entries "
            f"inside it: {_RIGHT_FORM}."
        )


def _check_entry(name: str, entry: object) -> None:
    if not isinstance(entry, dict):
        raise ConfigError(
            f"The state's entry of stream {_names([name])} is {kind_of(entry)}; it must be an "
            "object, or be removed to read the stream from `start_date`."
        )
    # The SDK resets these before the run, and takes their form for granted.
    partitions = entry.get("partitions", [])
    if not isinstance(partitions, list) or not all(
        isinstance(each, dict) and isinstance(each.get("progress_markers", {}), dict)
        for each in (entry, *partitions)
    ):
        raise ConfigError(
            f"The state's entry of stream {_names([name])} has `partitions` or `progress_markers` "
            "of an unknown form; remove them."
        )
    if name not in STREAM_OF_TYPE.values():
        return
    if read_bookmark(name, entry) is None and (others := entry.keys() - _WITHOUT_BOOKMARK):
        raise ConfigError(
            f"The state's entry of stream {name} has no `replication_key_value`, but "
            f"{_names(sorted(others))}; put the bookmark right, or remove the entry to read the "
            "stream from `start_date`."
        )


def _names(of: Iterable[str]) -> str:
    return names(f"`{name[:60]}`" for name in of)


def kind_of(value: object) -> str:
    """A JSON value's kind in words."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case str():
            return "a string"
        case list():
            return "a list"
        case dict():
            return "an object"
    return "a number"
