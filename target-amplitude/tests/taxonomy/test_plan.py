from __future__ import annotations

import csv
import io
import time
from typing import TYPE_CHECKING, Any

import pytest

from target_amplitude.mapping.events import EventMapper
from target_amplitude.settings import read_settings
from target_amplitude.taxonomy.plan import make_plan
from target_amplitude.taxonomy.tracking_plan_csv import COLUMNS, to_csv

if TYPE_CHECKING:
    from sandbox.client import Sandbox
    from target_amplitude.settings import Settings
    from target_amplitude.taxonomy.properties import PlannedProperty

TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "boolean": (bool,),
    "any": (dict, str, int, float, bool),
}


def settings(**config: Any) -> Settings:
    return read_settings({"api_key": "test-key", "region": "us"} | config)


def fits(value: Any, planned: PlannedProperty) -> bool:
    members = value if planned.is_list else [value]
    return isinstance(members, list) and all(
        type(member) in TYPES[planned.value_type] for member in members
    )


@pytest.mark.parametrize("user_field", ["recipient", "sentBy.id"])
def test_every_property_sent_for_the_sandboxs_events_is_described(
    sandbox: Sandbox, user_field: str
) -> None:
    sandbox.generate(events=4000)
    chosen = settings(user_field=user_field)
    plan = make_plan(chosen, every_type=True)
    planned = {
        event.event_type: {one.name: one for one in event.properties} for event in plan.events
    }
    campaign = {"name": "News", "subject": "Hello", "type": "BATCH_EMAIL", "contentId": 5}
    mapper = EventMapper(chosen)
    now = int(time.time() * 1000)
    sent: set[str] = set()
    for record in sandbox.hubspot_events():
        event = mapper.map(record | {"emailCampaign": campaign}, now)
        if not isinstance(event, dict):
            continue
        sent.add(event["event_type"])
        for name, value in event["event_properties"].items():
            assert name in planned[event["event_type"]], (event["event_type"], name)
            assert fits(value, planned[event["event_type"]][name]), name
    assert len(sent) >= 10


def test_events_have_the_names_they_are_sent_under() -> None:
    plan = make_plan(settings(event_type_prefix="HS ", event_types={"OPEN": "Email Opened"}))
    names = {event.event_type for event in plan.events}
    assert len(names) == 10
    assert {"Email Opened", "HS EMAIL_STATUS_CHANGE", "HS EMAIL_SPAM_REPORT"} <= names


def test_types_renamed_to_one_name_are_one_event() -> None:
    plan = make_plan(settings(event_types={"OPEN": "Email", "CLICK": "Email", "PRINT": "Print"}))
    assert [event.event_type for event in plan.events].count("Email") == 1
    assert "Print" in {event.event_type for event in plan.events}


def test_what_holds_personal_data_is_marked() -> None:
    plan = make_plan(settings(user_field="contact.product_user_id"))
    personal = {planned.name for planned in plan.properties if planned.is_personal}
    assert {"recipient", "cc", "bcc", "from", "replyTo", "response", "ipAddress"} <= personal
    assert "recipient" not in {planned.name for planned in make_plan(settings()).properties}


def test_every_description_says_something_of_its_own() -> None:
    plan = make_plan(settings(), every_type=True)
    texts = [event.description for event in plan.events]
    texts += [planned.description for planned in plan.properties]
    assert len(set(texts)) == len(texts)
    assert all(len(text) > 10 and text.endswith(".") for text in texts)


def test_the_csv_says_the_same_as_the_plan() -> None:
    plan = make_plan(settings(event_types={"OPEN": 'Opened, "really"'}))
    lines = list(csv.DictReader(io.StringIO(to_csv(plan))))
    assert all(set(line) == set(COLUMNS) for line in lines)
    for event in plan.events:
        own = [line for line in lines if line["Object name"] == event.event_type]
        assert own[0]["Event display name"] == event.display_name
        assert own[0]["Event category"] == "HubSpot"
        assert own[0]["Object description"] == event.description
        assert {line["Object type"] for line in own} == {"Event"}
        described = {
            line["Event property name"]: (line["Property value type"], line["Property is array"])
            for line in own[1:]
        }
        assert described == {
            planned.name: (planned.value_type, str(planned.is_list)) for planned in event.properties
        }


@pytest.mark.parametrize(
    "first", ["=", "+", "-", "@", "\t", "\r", "\N{FULLWIDTH EQUALS SIGN}", " =", "\ufeff=", "\xa0@"]
)
def test_no_cell_is_a_formula_in_a_spreadsheet(first: str) -> None:
    plan = make_plan(settings(event_types={"OPEN": f'{first}HYPERLINK("http://x",\0"y")'}))
    lines = list(csv.reader(io.StringIO(to_csv(plan))))
    assert any(f'{first}HYPERLINK("http://x","y")' in cell for line in lines for cell in line)
    assert not any(cell.startswith(first) for line in lines for cell in line)
