"""Our tap into a database, and a database into our target."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Any

import yaml

from interoperability.environment import OTHERS, OURS, ROOT, run
from interoperability.postgres import DATABASE, USER

if TYPE_CHECKING:
    from pathlib import Path

    from interoperability.postgres import Postgres
    from sandbox.client import Sandbox

ROWS = 250
ORDERS = f"""
DROP SCHEMA IF EXISTS shop CASCADE;
CREATE SCHEMA shop;
CREATE TABLE shop.orders (
  id integer PRIMARY KEY, customer_id text, created_ms bigint, total numeric, currency text
);
INSERT INTO shop.orders
SELECT n, 'customer-' || n % 7, 1790000000000 + n * 60000, n * 1.5, 'EUR'
FROM generate_series(1, {ROWS}) AS n;
"""


def connection(server: Postgres) -> dict[str, Any]:
    return {
        "host": "127.0.0.1",
        "port": server.port,
        "user": USER,
        "password": "not needed",
        "database": DATABASE,
    }


def stored(server: Postgres, stream: str) -> dict[str, dict[str, Any]]:
    """The rows of a stream's table by id, without the columns that the target adds."""
    rows = server.query(f"SELECT row_to_json(t) FROM email.{stream} AS t")
    found = [json.loads("\t".join(row)) for row in rows]
    assert len(found) == len({(row["id"], row["created"]) for row in found})
    return {
        row["id"]: {name: value for name, value in row.items() if not name.startswith("_sdc")}
        for row in found
    }


def values(fields: dict[str, Any]) -> dict[str, Any]:
    """The values of a row or a record; a column's name is in lower case, and what lacks is null."""
    given = {name.lower(): value for name, value in fields.items() if value is not None}
    # The column has no time zone, and no zeros at the end.
    text = given["created"].replace("Z", "")
    moment = datetime.fromisoformat((text if "." in text else f"{text}.").ljust(23, "0"))
    return given | {"created": moment}


def test_a_database_gets_a_row_for_each_event_and_keeps_it_on_a_second_load(
    sandbox: Sandbox, server: Postgres, tmp_path: Path
) -> None:
    sandbox.generate(events=1_500, days=20)
    server.query("DROP SCHEMA IF EXISTS email CASCADE")
    tap = {
        "api_url": sandbox.hubspot_url,
        "access_token": "sandbox-access-token",
        "start_date": "2020-01-01T00:00:00Z",
    }
    target = connection(server) | {
        "default_target_schema": "email",
        "add_record_metadata": False,
        "activate_version": False,
    }
    messages = run(OURS / "tap-hubspot-email-events", tap, tmp_path)
    records: dict[str, list[dict[str, Any]]] = {}
    for message in map(json.loads, messages):
        if message["type"] == "RECORD":
            records.setdefault(message["stream"], []).append(message["record"])
    assert sum(map(len, records.values())) > 1_000

    for _ in range(2):
        run(OTHERS / "target-postgres", target, tmp_path, given=messages)
        for stream, those in records.items():
            rows = stored(server, stream)
            assert len(rows) == len(those)
            pairs = ((values(rows[each["id"]]), values(each)) for each in those)
            different = [(row, record) for row, record in pairs if row != record]
            assert different == []


def readme_map() -> dict[str, Any]:
    """The stream map of the target's README, for orders of a shop."""
    text = (ROOT / "target-amplitude/README.md").read_text(encoding="utf-8")
    block = re.search(r"^ +stream_maps:\n(?: {8,}.*\n)+", text, re.MULTILINE)
    assert block is not None
    maps: dict[str, Any] = yaml.safe_load(block[0])["stream_maps"]["orders"]
    return maps


def test_a_databases_rows_become_events_by_the_readmes_stream_map(
    sandbox: Sandbox, server: Postgres, tmp_path: Path
) -> None:
    server.query(ORDERS)
    tap = connection(server) | {"filter_schemas": ["shop"]}
    catalog = json.loads("".join(run(OTHERS / "tap-postgres", tap, tmp_path, "--discover")))
    for entry in catalog["streams"]:
        entry["selected"] = True
        for each in entry["metadata"]:
            each["metadata"]["selected"] = True
    (tmp_path / "catalog.json").write_text(json.dumps(catalog))
    messages = run(OTHERS / "tap-postgres", tap, tmp_path, "--catalog", "catalog.json")
    streams = Counter(json.loads(line)["stream"] for line in messages if '"RECORD"' in line)
    ((stream, count),) = streams.items()
    assert count == ROWS
    target = {
        "api_url": sandbox.amplitude_url,
        "api_key": "sandbox-api-key",
        "rejected_path": str(tmp_path / "rejected.jsonl"),
        "stream_maps": {stream: readme_map()},
    }
    for _ in range(2):
        run(OURS / "target-amplitude", target, tmp_path, given=messages)
    events = sandbox.amplitude_events()
    assert len(events) == ROWS
    assert {event["event_type"] for event in events} == {"Order Placed"}
    assert {event["insert_id"] for event in events} == {f"order-{n}" for n in range(1, ROWS + 1)}
    assert events[0]["event_properties"].keys() == {"total", "currency"}
    assert sandbox.amplitude_stats()["duplicates"] == ROWS
