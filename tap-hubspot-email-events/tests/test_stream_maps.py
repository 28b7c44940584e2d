"""What stream maps drop is counted and said, and what cannot be applied ends in a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from extracting.extractor import event, now, select

if TYPE_CHECKING:
    from extracting.extractor import Runner
    from sandbox.client import Sandbox

HOUR = 3_600_000
MASK = {"recipient": "md5(recipient)"}


@pytest.fixture(autouse=True)
def events(sandbox: Sandbox) -> None:
    """Ten opens and five clicks."""
    begin = now() - 24 * HOUR
    sandbox.add_events([event("OPEN", begin + number) for number in range(10)])
    sandbox.add_events([event("CLICK", begin + number) for number in range(5)])


@pytest.mark.parametrize(
    "maps",
    [
        {"email_open": {"__filter__": "type == 'NONE'"}},
        {"email_open": {"recipient": "recipient", "__filter__": "0"}, "email_sent": MASK},
        {"email_open": None},
    ],
)
def test_a_map_that_drops_all_of_a_stream_is_warned_of(tap: Runner, maps: dict[str, Any]) -> None:
    run = tap(stream_maps=maps)
    assert run.code == 0
    assert len(run.records) == 5
    (warning,) = run.complaints
    assert "Stream map email_open dropped every record of email_open (10);" in warning
    assert "Total: 5 records, 10 dropped by stream maps, " in run.errors


def test_what_some_records_lose_to_a_map_stands_in_a_column_of_its_own(tap: Runner) -> None:
    run = tap(stream_maps={"email_open": {"__filter__": "id[-1] == '3'"}})
    assert run.complaints == []
    table = {
        words[-4]: words[-3:] for line in run.errors.splitlines() if len(words := line.split()) > 4
    }
    assert table["stream"] == ["records", "dropped", "requests"]
    assert sum(map(int, table["email_open"][:2])) == 10
    assert table["email_click"][:2] == ["5", "0"]
    assert " dropped " not in tap().errors


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"stream_maps": {"email_opn": MASK}}, "email_opn matches no stream; did you mean email_o"),
        ({"flattening_enabled": True}, "flattening_max_depth"),
    ],
)
def test_what_cannot_be_applied_is_told_before_anything_is_read(
    sandbox: Sandbox, tap: Runner, settings: dict[str, Any], words: str
) -> None:
    run = tap(**settings)
    assert (run.code, run.messages) == (1, [])
    (complaint,) = run.complaints
    assert words in complaint
    assert sandbox.hubspot_stats()["requests"] == 0


def test_an_expression_that_fails_costs_its_stream_alone(tap: Runner) -> None:
    run = tap(stream_maps={"email_open": {"user": "int(recipient)"}})
    assert run.code == 1
    assert [record["type"] for record in run.records] == ["CLICK"] * 5
    (complaint,) = run.complaints
    assert (
        "email_open: Stream map email_open, field user: the expression `int(recipient)` fails on a "
        "record of email_open (ValueError)." in complaint
    )
    assert "@" not in run.errors
    assert "replication_key_value" in run.state["bookmarks"]["email_click"]
    assert "replication_key_value" not in run.state["bookmarks"].get("email_open", {})


def test_maps_of_campaigns_are_counted_and_fail_alike(sandbox: Sandbox, tap: Runner) -> None:
    sandbox.generate(events=100, days=2)
    catalog = select(tap.catalog(), "email_campaigns", "email_click")
    dropping = tap(catalog=catalog, stream_maps={"email_campaigns": {"__filter__": "id is None"}})
    failing = tap(catalog=catalog, stream_maps={"email_campaigns": {"name": "int(name)"}})

    (warning,) = dropping.complaints
    assert "Stream map email_campaigns dropped every record of email_campaigns" in warning
    assert failing.code == 1
    (complaint,) = failing.complaints
    assert "field name: the expression `int(name)` fails on a record of email_camp" in complaint
    assert failing.records == dropping.records != []


def test_a_catalog_with_streams_of_another_tap_is_warned_of(tap: Runner) -> None:
    catalog = select(tap.catalog(), "email_click")
    catalog["streams"].append(catalog["streams"][0] | {"tap_stream_id": "email_opn", "stream": "x"})
    run = tap(catalog=catalog)
    assert run.code == 0
    assert len(run.records) == 5
    (warning,) = run.complaints
    assert "The catalog selects or describes email_opn, which this tap does not have" in warning
