"""A run's last lines: the table, what went wrong unnoticed, the totals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from extracting.extractor import event, now, select
from tap_hubspot_email_events.timestamps import format_timestamp

if TYPE_CHECKING:
    from extracting.extractor import Runner
    from sandbox.client import Sandbox

DAY = 86_400_000


def test_the_totals_are_the_last_line(sandbox: Sandbox, tap: Runner) -> None:
    sandbox.generate(events=500, days=20)
    run = tap()
    last = run.errors.splitlines()[-1]
    assert f"Total: {len(run.records):,} records, " in last
    assert run.complaints == []
    assert sum("email_open  " in line for line in run.errors.splitlines()) == 1


def test_a_selection_of_nothing_is_said(sandbox: Sandbox, tap: Runner) -> None:
    run = tap(catalog=select(tap.catalog()))
    assert run.code == 0
    assert "No stream is selected" in run.complaints[0]
    assert sandbox.hubspot_stats()["requests"] == 0


def test_an_event_keeps_its_type_whatever_is_selected(sandbox: Sandbox, tap: Runner) -> None:
    sandbox.add_events([event("CLICK", now() - DAY)])
    catalog = select(tap.catalog(), "email_click")
    for entry in catalog["streams"]:
        for each in entry["metadata"]:
            if each["breadcrumb"]:
                each["metadata"]["selected"] = each["breadcrumb"][-1] == "url"
    (record,) = tap(catalog=catalog).records
    assert set(record) == {"id", "created", "portalId", "type"}
    assert record["type"] == "CLICK"


def test_a_contact_property_that_nobody_has_is_named(sandbox: Sandbox, tap: Runner) -> None:
    sandbox.generate(events=500, days=20)
    (warning,) = tap(contact_properties=["firstname", "product_userid"]).complaints
    assert "contacts has a value for product_userid; check contact_properties" in warning


def test_recipients_none_of_whom_is_a_contact_are_said(sandbox: Sandbox, tap: Runner) -> None:
    sandbox.add_events(
        [event("OPEN", now() - n) | {"recipient": f"reader{n}@example.com"} for n in range(1, 8)]
    )
    run = tap(contact_properties=["firstname"])
    assert run.code == 0
    assert len(run.records) == 7
    (warning,) = run.complaints
    assert "No recipient is a contact in HubSpot (addresses looked up: 7)" in warning


def test_a_start_date_that_was_moved_back_is_said_on_every_run(
    sandbox: Sandbox, tap: Runner
) -> None:
    first = tap(start_date=format_timestamp(now() - 10 * DAY))
    older = format_timestamp(now() - 20 * DAY)
    second = tap(state=first.state, start_date=older)
    third = tap(state=second.state, start_date=older)
    for run in (second, third):
        assert run.code == 0
        (warning,) = run.complaints
        assert "start_date has no effect on email_bounce, email_click and 8 more" in warning
    assert sandbox.hubspot_stats()["requests"] == 33


def test_a_state_of_another_writer_is_warned_of_once(sandbox: Sandbox, tap: Runner) -> None:
    sandbox.add_events([event("OPEN", now() - DAY)])
    mark = format_timestamp(now() - DAY // 2)
    state = {"bookmarks": {"email_open": {"replication_key_value": mark}}}
    settings = {"start_date": "2026-01-01T00:00:00Z"}
    first = tap(state=state, **settings)
    (warning,) = first.complaints
    assert "does not say from when on email_open was read" in warning
    assert tap(state=first.state, **settings).complaints == []
