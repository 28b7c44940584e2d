from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from loading.messages import numbers, schema, state
from target_amplitude.common.stream_map_settings import MapError

if TYPE_CHECKING:
    from loading.loader import Loader
    from sandbox.client import Sandbox

MASK = {"recipient": "md5(recipient)"}


def test_a_stream_map_turns_any_record_into_an_event(sandbox: Sandbox, loader: Loader) -> None:
    maps = {
        "orders": {
            "event_type": "'Order Placed'",
            "user_id": "customer",
            "id": "id",
            "insert_id": "str(id)",
            "__filter__": "total > 10",
            "__else__": None,
        },
    }
    messages: list[Any] = [schema("orders")]
    for number in range(10):
        fields = {"id": number, "customer": "customer-1", "total": number * 3}
        messages.append({"type": "RECORD", "stream": "orders", "record": fields})
    loader.load([*messages, state(3)], stream_maps=maps)
    assert sandbox.amplitude_counts() == {"Order Placed": 6}
    assert loader.streams["orders"]["skipped"] == 4
    assert numbers(loader.states) == [3]


def emails(*streams: str) -> list[Any]:
    """A schema and a record for each of these streams, and a state."""
    messages: list[Any] = []
    for stream in streams:
        messages += [schema(stream), email(stream)]
    return [*messages, state(3)]


def email(stream: str) -> dict[str, Any]:
    record = {"id": stream, "created": 1_764_400_000_000, "type": "OPEN", "portalId": 1}
    return {
        "type": "RECORD",
        "stream": stream,
        "record": record | {"recipient": "ada@example.com"},
    }


@pytest.mark.parametrize("is_flattened", [False, True])
def test_a_stream_map_may_make_the_fields_of_users_and_groups(
    sandbox: Sandbox,
    loader: Loader,
    is_flattened: bool,  # noqa: FBT001
) -> None:
    names = schema()
    names["schema"]["properties"] = {
        "id": {"type": "string"},
        "recipient": {"type": "string"},
        "contact": {"type": "object", "properties": {"plans": {"type": "string"}}},
    }
    message = email("email_open")
    message["record"]["contact"] = {"plans": "team;beta", "companies": ["7", "8"]}
    loader.load(
        [names, message, state(1)],
        stream_maps={"email_open": {"domain": "recipient.split('@')[1]"}},
        flattening_enabled=is_flattened,
        flattening_max_depth=1,
        user_property_fields={"plans": "contact.plans"},
        group_fields={"company": "contact.companies", "domain": "domain"},
    )
    (event,) = sandbox.amplitude_events()
    assert event["user_properties"] == {"plans": "team;beta"}
    assert event["groups"] == {"company": ["7", "8"], "domain": "example.com"}


def test_maps_that_drop_everything_are_warned_of(
    sandbox: Sandbox, loader: Loader, caplog: pytest.LogCaptureFixture
) -> None:
    loader.load(emails("email_open", "email_sent"), stream_maps={"__else__": None})
    assert "Stream map __else__ dropped every record of email_open, email_sent (2);" in caplog.text
    filtered = {"email_open": {"__filter__": "type == 'x'"}}
    loader.load(emails("email_open", "email_open"), stream_maps=filtered)
    assert "Stream map email_open dropped every record of email_open (2);" in caplog.text
    assert sandbox.amplitude_counts() == {}
    assert numbers(loader.states) == [3]


@pytest.mark.parametrize(
    ("maps", "meant"),
    [
        ({"email_opn": MASK}, "email_open"),
        ({"emails_*": MASK}, "email_*"),
        ({"opens": {"__source__": "email_opn", **MASK}}, "email_open"),
        ({"email_opn": MASK, "__else__": None}, "email_open"),
    ],
)
def test_a_map_meant_for_a_stream_but_misspelt_is_refused_before_its_records_leave(
    sandbox: Sandbox, loader: Loader, maps: dict[str, Any], meant: str
) -> None:
    with pytest.raises(MapError) as failure:
        loader.load(emails("email_sent", "email_open"), stream_maps={"email_sent": {}, **maps})
    assert f"email_open has no map; did you mean {meant}?" in str(failure.value)
    assert sandbox.amplitude_counts() == {"[HubSpot] EMAIL_OPEN": 1}
    assert loader.runs[-1]["exit_code"] == 1


def test_a_map_that_matched_no_stream_fails_the_run_at_the_end_of_the_input(
    sandbox: Sandbox, loader: Loader
) -> None:
    with pytest.raises(MapError, match="orders in stream_maps matched no stream of the input"):
        loader.load(emails("email_open"), stream_maps={"orders": MASK})
    assert sum(sandbox.amplitude_counts().values()) == 1
    assert numbers(loader.states) == [3]
    assert loader.runs[-1]["exit_code"] == 1


@pytest.mark.parametrize(
    ("maps", "streams"),
    [
        # For a stream that this run does not have.
        ({"email_click": MASK}, ["email_open"]),
        ({"orders": MASK, "email_open": {}}, ["email_open"]),
        # For one that comes after another of a similar name.
        ({"orders": MASK}, ["orders_archive", "orders"]),
        # An empty one says that a stream stays as it is.
        ({"email_open": {}, "email_opn": MASK}, ["email_open", "email_opn"]),
    ],
)
def test_a_map_that_may_be_meant_so_is_taken(
    loader: Loader, maps: dict[str, Any], streams: list[str]
) -> None:
    loader.load(emails(*streams), stream_maps=maps)
    assert numbers(loader.states) == [3]


def test_rejects_may_be_those_of_other_streams_than_the_maps(loader: Loader) -> None:
    reject = email("email_open") | {"rejected": {"reason": "x"}}
    loader.load([schema("email_open"), reject, state(3)], stream_maps={"orders": MASK})
    assert numbers(loader.states) == [3]


def test_an_expression_that_fails_is_named_with_its_line_and_without_values(
    sandbox: Sandbox, loader: Loader
) -> None:
    messages = [schema("email_sent"), email("email_sent"), *emails("email_open")]
    with pytest.raises(MapError) as failure:
        loader.load(messages, stream_maps={"email_open": {"user": "int(recipient)"}})
    assert str(failure.value) == (
        "Line 4 of the input: Stream map email_open, field user: the expression `int(recipient)` "
        "fails on a record of email_open (ValueError)."
    )
    assert sum(sandbox.amplitude_counts().values()) == 1


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"stream_maps": {"email_open": {"user": ["x"]}}}, "field user"),
        ({"stream_maps": {"__else__": []}}, "__else__"),
        ({"flattening_enabled": True}, "flattening_max_depth"),
    ],
)
def test_settings_that_cannot_be_applied_are_refused_before_anything_is_read(
    loader: Loader, settings: dict[str, Any], words: str
) -> None:
    with pytest.raises(MapError, match=words):
        loader.load(emails("email_open"), **settings)
    assert not loader.job_log_path.exists()
