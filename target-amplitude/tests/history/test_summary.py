"""What a run says at its end, and when it fails for having delivered nothing."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import pytest

from loading.messages import record, run_of, schema, state
from target_amplitude.errors import RunFailedError

if TYPE_CHECKING:
    from loading.loader import Loader
    from sandbox.client import Sandbox

BY_PRODUCT_ID: dict[str, Any] = {"user_field": "contact.product_user_id"}


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [entry.getMessage() for entry in caplog.records if entry.levelno == logging.WARNING]


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [entry.getMessage() for entry in caplog.records if entry.filename == "run.py"]


def without_recipient(number: int, **fields: Any) -> dict[str, Any]:
    message = record(number, **fields)
    del message["record"]["recipient"]
    return message


def test_the_table_is_aligned_and_the_totals_come_last(
    loader: Loader, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    clicks = [record(n, stream="email_click", type="CLICK") for n in range(1, 1201)]
    bad = record(2000, recipient="a@b")
    loader.load([schema(), schema("email_click"), *run_of(5)[1:], *clicks, bad, state(1)])
    lines = said(caplog)
    assert lines[0:3] == [
        "stream        read  delivered  skipped  rejected  left",
        "email_open       6          5        0         1     0",
        "email_click  1,200      1,200        0         0     0",
    ]
    assert lines[3] == "Rejected: 1 invalid id"
    assert lines[4].startswith("1 of 1,206 records were rejected (1 invalid id); they are in ")
    assert lines[-1].startswith(
        "Total: 1,206 read, 1,205 delivered, 0 skipped, 1 rejected, 0 left; "
    )
    assert lines[-1].endswith(" events/s")
    assert "@" not in caplog.text
    assert all(len(line) <= 120 for line in lines if not line.startswith("1 of"))


def test_email_events_of_which_none_is_delivered_fail_the_run(
    loader: Loader, caplog: pytest.LogCaptureFixture
) -> None:
    messages = [without_recipient(n) for n in range(1, 11)]
    with pytest.raises(RunFailedError, match=r"None of 10 email events was delivered \(10 no user"):
        loader.load([schema(), *messages, state(1)])
    assert "10 no user" in warnings(caplog)[0]
    assert "select recipient in the tap" in warnings(caplog)[0]
    assert loader.runs[-1]["outcome"].startswith("None of 10 email events")


UNBOUNCE = [schema(), without_recipient(1, type="UNBOUNCE"), state(1)]


@pytest.mark.parametrize(
    ("messages", "settings"),
    [
        (run_of(10), {"dry_run": True}),
        (run_of(10), {"unknown_users": "skip", **BY_PRODUCT_ID}),
        (UNBOUNCE, {"max_rejected_percent": 0}),
    ],
)
def test_where_nothing_was_to_be_delivered_the_run_ends_well(
    sandbox: Sandbox, loader: Loader, messages: list[Any], settings: dict[str, Any]
) -> None:
    loader.load(messages, **settings)
    assert not sandbox.amplitude_counts()


@pytest.mark.parametrize("unknown_users", ["recipient", "skip"])
def test_a_user_field_that_matches_nobody_is_named(
    loader: Loader, caplog: pytest.LogCaptureFixture, unknown_users: str
) -> None:
    loader.load(run_of(10), user_field="contact.prodct_user_id", unknown_users=unknown_users)
    (warning,) = warnings(caplog)
    assert warning.startswith("user_field contact.prodct_user_id has a value in none of 10 email")


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (12345.5, "number with a fraction"),
        (True, "true or false"),
        (False, "true or false"),
        (["a"], "list"),
        ([], "list"),
        ({"id": "a"}, "object"),
    ],
)
@pytest.mark.parametrize("unknown_users", ["recipient", "skip"])
@pytest.mark.parametrize("is_flattened", [False, True])
def test_what_is_no_usable_id_is_not_taken_for_a_missing_one(  # noqa: PLR0913, PLR0917
    sandbox: Sandbox,
    loader: Loader,
    caplog: pytest.LogCaptureFixture,
    value: Any,
    name: str,
    unknown_users: str,
    *,
    is_flattened: bool,
) -> None:
    known, unknown = {"product_user_id": "product-1"}, {"product_user_id": None}
    bad = {"product_user_id": value}
    contacts = [bad, known, bad, {"product_user_id": 1e5}, bad, unknown]
    messages = [record(n, contact=contact) for n, contact in enumerate(contacts, 1)]
    names = schema()
    if is_flattened:
        names["schema"]["properties"]["contact__product_user_id"] = {}
        for each in messages:
            inner = each["record"].pop("contact")["product_user_id"]
            text = json.dumps(inner) if isinstance(inner, (list, dict)) else inner
            each["record"]["contact__product_user_id"] = text
    loader.load([names, *messages, state(1)], unknown_users=unknown_users, **BY_PRODUCT_ID)
    (warning,) = warnings(caplog)
    fate = "were skipped" if unknown_users == "skip" else "count as the recipient's"
    assert warning == (
        "user_field contact.product_user_id holds something that is not a usable id in 3 of 6 "
        f"email events (3 {name}), which {fate} (unknown_users); an id is text or a whole number."
    )
    (counts,) = loader.streams.values()
    assert counts["unusable_ids"] == {name: 3}
    falls_back = unknown_users == "recipient"
    assert (counts["fell_back"], counts["skipped"]) == ((4, 0) if falls_back else (0, 4))
    users = {event["user_id"] for event in sandbox.amplitude_events()}
    assert {"product-1", "100000"} <= users
    assert len(users) == (6 if falls_back else 2)


def test_who_has_neither_a_usable_id_nor_a_recipient_is_rejected_with_the_type(
    loader: Loader,
) -> None:
    loader.load(
        [schema(), without_recipient(1, contact={"product_user_id": [1]}), *run_of(2)[1:]],
        **BY_PRODUCT_ID,
    )
    (reject,) = loader.rejects[1:]
    assert reject["rejected"]["detail"] == "user_field holds no usable id (list)"
    assert reject["rejected"]["reason"] == "no user"


def test_a_user_field_that_matches_one_is_not_named(
    loader: Loader, caplog: pytest.LogCaptureFixture
) -> None:
    loader.load(
        [schema(), record(1, contact={"product_user_id": "product-1"}), *run_of(9)[1:]],
        **BY_PRODUCT_ID,
    )
    assert warnings(caplog) == []


def test_streams_without_a_mapping_end_well_with_a_warning(
    loader: Loader, caplog: pytest.LogCaptureFixture
) -> None:
    bare = {"type": "RECORD", "stream": "email_click", "record": {"id": "1", "url": "https://x"}}
    loader.load([schema("email_click"), bare, state(1)], max_rejected_percent=0)
    assert warnings(caplog)[-1].startswith("No record of this run has a mapping to an event")
    assert "id, created, type" in warnings(caplog)[-1]


def test_records_without_a_user_are_no_stream_without_a_mapping(
    loader: Loader, caplog: pytest.LogCaptureFixture
) -> None:
    order = {"event_type": "Order", "user_id": None}
    orders = [{"type": "RECORD", "stream": "orders", "record": order}] * 6
    loader.load([schema("orders", ()), *orders, state(1)])
    assert loader.streams["orders"]["rejected"] == {"no user": 6}
    assert not any("mapping" in line for line in warnings(caplog))


def test_a_run_without_records_only_says_its_totals(
    loader: Loader, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    loader.load([schema(), state(1)])
    assert [line.split(";")[0] for line in said(caplog)] == [
        "Total: 0 read, 0 delivered, 0 skipped, 0 rejected, 0 left"
    ]


def test_fields_of_users_and_groups_without_a_value_are_named(
    loader: Loader, caplog: pytest.LogCaptureFixture
) -> None:
    contacts = [{}, {"plan": "team", "whole": {"a": 1}}, {"ids": [str(n) for n in range(11)]}]
    loader.load(
        [schema(), *(record(n, contact=contact) for n, contact in enumerate(contacts)), state(1)],
        user_property_fields=["contact.plan", "contact.pln", "contact.whole"],
        group_fields={"company": "contact.ids", "office": "contact.whole"},
    )
    assert warnings(caplog) == [
        "user_property_fields: none of 3 email events has a usable value in contact.pln, "
        "contact.whole; check the spelling, and whether the tap reads it (contact_properties) and "
        "selects it.",
        "group_fields: none of 3 email events has a usable value in contact.whole; check the "
        "spelling, and whether the tap reads it (contact_properties) and selects it.",
        "1 lists in group_fields name more groups than fit into the 10 that Amplitude takes of an "
        "event, and are cut to their first 5; the event properties hold all of them.",
    ]


@pytest.mark.parametrize("messages", [[], [{"event_type": "Ordered", "user_id": "user-1"}]])
def test_without_email_events_no_field_is_missed(
    loader: Loader, caplog: pytest.LogCaptureFixture, messages: list[dict[str, Any]]
) -> None:
    made = [{"type": "RECORD", "stream": "orders", "record": each} for each in messages]
    loader.load([schema("orders", ()), *made, state(1)], user_property_fields=["contact.plan"])
    assert not [each for each in warnings(caplog) if "user_property_fields" in each]
