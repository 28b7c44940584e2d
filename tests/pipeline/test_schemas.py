"""Every record satisfies the schema written before it, which names each of its fields."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from extracting.extractor import Runner, select
from tap_hubspot_email_events.common.event_types import STREAM_OF_TYPE

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.client import Sandbox

EVERY_STREAM = (*STREAM_OF_TYPE.values(), "email_campaigns")
CONTACT = {"contact_properties": ["firstname", "lastname"]}
FLAT = {"flattening_enabled": True, "flattening_max_depth": 3}


def check(messages: list[dict[str, Any]]) -> set[str]:
    """Check the records; returns the streams that had any."""
    schemas: dict[str, Any] = {}
    streams = set()
    for message in messages:
        if message["type"] == "SCHEMA":
            validator = jsonschema.Draft7Validator(strict(message["schema"]))
            schemas[message["stream"]] = validator
        elif message["type"] == "RECORD":
            streams.add(message["stream"])
            errors = list(schemas[message["stream"]].iter_errors(message["record"]))
            assert not errors, (message["stream"], [error.message for error in errors])
    return streams


def strict(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema that takes no field beside those it names."""
    made = json.loads(json.dumps(schema))

    def tighten(each: Any) -> None:
        if isinstance(each, dict):
            if "properties" in each:
                each["additionalProperties"] = False
            for part in each.values():
                tighten(part)

    tighten(made)
    return dict(made)


@pytest.mark.parametrize("settings", [{}, CONTACT, FLAT, CONTACT | FLAT])
def test_no_field_of_a_record_is_missing_in_its_schema(
    sandbox: Sandbox, tmp_path: Path, settings: dict[str, Any]
) -> None:
    sandbox.generate(events=3000, days=20)
    tap = Runner(sandbox, tmp_path)
    catalog = select(tap.catalog(), *EVERY_STREAM)
    run = tap(catalog=catalog, enrich_campaigns=True, **settings)
    assert run.code == 0, run.errors
    assert len(check(run.messages)) >= 12


@pytest.mark.parametrize("settings", [CONTACT, CONTACT | FLAT])
def test_a_catalog_older_than_the_contact_properties_gets_them(
    sandbox: Sandbox, tmp_path: Path, settings: dict[str, Any]
) -> None:
    sandbox.generate(events=500, days=20)
    tap = Runner(sandbox, tmp_path)
    # Discovered without `contact_properties`.
    run = tap(catalog=select(tap.catalog(), "email_open"), **settings)
    assert run.records
    assert check(run.messages) == {"email_open"}
    name = "contact__firstname" if settings.get("flattening_enabled") else "contact"
    assert name in run.records[0]
