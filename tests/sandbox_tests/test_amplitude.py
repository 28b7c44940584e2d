from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import requests

from sandbox_tests.services import amplitude_event

if TYPE_CHECKING:
    from sandbox.client import Sandbox
    from sandbox_tests.services import Services

WEEK = 7 * 24 * 3600


def post(sandbox: Sandbox, body: bytes, headers: dict[str, str]) -> requests.Response:
    return requests.post(f"{sandbox.amplitude_url}/batch", body, headers=headers, timeout=10)


def nested(depth: int) -> dict[str, Any]:
    return {} if depth == 1 else {"deeper": nested(depth - 1)}


@pytest.mark.parametrize(
    ("other", "kept"),
    [
        ({}, 1),
        ({"event_properties": {"changed": True}}, 1),
        ({"insert_id": "another"}, 2),
        ({"user_id": "other@example.com"}, 2),
        ({"device_id": "a-device"}, 2),
    ],
)
def test_duplicates_are_those_of_insert_id_and_device_or_user(
    services: Services, sandbox: Sandbox, other: dict[str, Any], kept: int
) -> None:
    services.upload([amplitude_event(), amplitude_event() | other])

    assert len(sandbox.amplitude_events()) == kept


@pytest.mark.parametrize(("seconds", "kept"), [(WEEK - 60, 1), (WEEK + 60, 2)])
def test_duplicates_are_found_for_seven_days(
    services: Services, sandbox: Sandbox, seconds: int, kept: int
) -> None:
    services.upload([amplitude_event()])
    sandbox.pass_time(seconds)
    services.upload([amplitude_event()])

    assert len(sandbox.amplitude_events()) == kept


@pytest.mark.parametrize(
    "case",
    [
        ({"event_type": None}, "events_with_missing_fields", "event_type"),
        ({"event_type": ""}, "events_with_missing_fields", "event_type"),
        ({"user_id": None}, "events_with_missing_fields", "user_id"),
        ({"time": "2025-10-09T08:53:20Z"}, "events_with_invalid_fields", "time"),
        ({"time": 2**63}, "events_with_invalid_fields", "time"),
        ({"time": 1.5}, "events_with_invalid_fields", "time"),
        ({"time": None}, "events_with_invalid_fields", "time"),
        ({"user_id": 12345}, "events_with_invalid_fields", "user_id"),
        ({"user_id": "Anonymous"}, "events_with_invalid_fields", "user_id"),
        ({"device_id": "{}"}, "events_with_invalid_fields", "device_id"),
        ({"city": 1}, "events_with_invalid_fields", "city"),
        ({"event_properties": []}, "events_with_invalid_fields", "event_properties"),
        ({"event_properties": nested(41)}, "events_with_invalid_fields", "event_properties"),
        (
            {"event_properties": {str(n): 1 for n in range(1025)}},
            "events_with_invalid_fields",
            "event_properties",
        ),
        ({"event_type": "[Amplitude] Revenue"}, "events_with_invalid_fields", "event_type"),
        ({"user_id": "abcd"}, "events_with_invalid_id_lengths", "user_id"),
    ],
)
@pytest.mark.parametrize("style", [("all", [1, 3]), ("first", [1])])
def test_bad_events_are_named_and_the_others_not_kept(
    services: Services,
    sandbox: Sandbox,
    style: tuple[str, list[int]],
    case: tuple[dict[str, Any], str, str],
) -> None:
    index_style, indexes = style
    change, key, field = case
    sandbox.set_amplitude(index_style=index_style)
    bad = amplitude_event() | change

    answer = services.upload([amplitude_event(), bad, amplitude_event(), bad])

    assert answer.status_code == 400
    assert answer.json()[key][field] == indexes
    assert sandbox.amplitude_events() == []


def test_what_is_at_the_limit_is_taken(services: Services, sandbox: Sandbox) -> None:
    events = [
        amplitude_event(1, event_properties=nested(40), price=1, city=None),
        amplitude_event(2, user_id="a@b.c", device_id=None, event_properties=None),
    ]

    assert services.upload(events).status_code == 200
    assert len(sandbox.amplitude_events()) == 2


@pytest.mark.parametrize(
    ("body", "error", "missing"),
    [
        (b"", "Missing request body", None),
        (b"{", "Invalid JSON request body", None),
        (b'{"api_key":"sandbox-api-key","events":[NaN]}', "Invalid JSON request body", None),
        (b'{"api_key":"sandbox-api-key","events":["\xff"]}', "Invalid JSON request body", None),
        (b'{"api_key":"sandbox-api-key","events":{}}', "Invalid JSON request body", None),
        (
            b'{"api_key":"sandbox-api-key","events":[' + b"[" * 5000,
            "Invalid JSON request body",
            None,
        ),
        (b'{"events":[{}]}', "Request missing required field", "api_key"),
        (b'{"api_key":"sandbox-api-key"}', "Request missing required field", "events"),
        (b'{"api_key":"other","events":[{}]}', "Invalid API key: other", None),
    ],
)
def test_bad_requests_are_refused_as_a_whole(
    sandbox: Sandbox, body: bytes, error: str, missing: str | None
) -> None:
    answer = post(sandbox, body, {"Content-Type": "application/json"})

    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert answer.json().get("missing_field") == missing


def test_a_request_must_call_itself_json(sandbox: Sandbox) -> None:
    body = json.dumps({"api_key": "sandbox-api-key", "events": [amplitude_event()]}).encode()

    assert post(sandbox, body, {"Content-Type": "text/plain"}).status_code == 400
    assert post(sandbox, body, {"Content-Type": "application/json"}).status_code == 200


@pytest.mark.parametrize(
    ("path", "events", "padding", "status"),
    [
        ("/batch", 2000, 0, 200),
        ("/batch", 2001, 0, 413),
        ("/2/httpapi", 2, 450_000, 200),
        ("/2/httpapi", 2, 500_000, 413),
        ("/batch", 2, 500_000, 200),
        ("/batch", 40, 500_000, 413),
    ],
)
def test_size_and_number_are_limited(
    services: Services, path: str, events: int, padding: int, status: int
) -> None:
    properties = {"padding": "x" * padding}
    batch = [amplitude_event(n, event_properties=properties) for n in range(events)]

    assert services.upload(batch, path).status_code == status


def test_a_user_who_sends_too_much_is_throttled_by_name(
    services: Services, sandbox: Sandbox
) -> None:
    many = [amplitude_event(0, insert_id=str(n)) for n in range(901)]

    answer = services.upload([amplitude_event(1), *many], "/2/httpapi")
    assert answer.status_code == 429
    assert list(answer.json()["throttled_users"]) == ["person0@example.com"]
    assert answer.json()["throttled_events"] == list(range(1, 902))
    assert services.upload(many[1:], "/2/httpapi").status_code == 200
    assert services.upload(many[:1], "/2/httpapi").status_code == 429
    sandbox.pass_time(31)
    assert services.upload(many[:1], "/2/httpapi").status_code == 200


def test_the_user_table_follows_the_order_of_arrival_and_resets_groups(
    services: Services, sandbox: Sandbox
) -> None:
    services.upload(
        [
            amplitude_event(0, city="Dublin", country="IE", os_name="iOS", os_version="17"),
            amplitude_event(0, insert_id="b", time=1, country="FR"),
            amplitude_event(0, insert_id="c", os_name="Linux"),
            amplitude_event(0, insert_id="d", city="Rome", **{"$skip_user_properties_sync": True}),
            amplitude_event(0, insert_id="e", user_properties={"plan": "pro"}),
            amplitude_event(1),
        ]
    )

    users = sandbox.amplitude_users()

    assert users["person0@example.com"] == {
        "events": 5,
        "properties": {"country": "FR", "os_name": "Linux", "plan": "pro"},
    }
    assert users["person1@example.com"] == {"events": 1, "properties": {}}


def test_a_funnel_counts_users_who_took_the_steps_in_order(
    services: Services, sandbox: Sandbox
) -> None:
    def event(user: int, time: int, step: str, campaign: int = 7) -> dict[str, Any]:
        properties = {"emailCampaignId": campaign}
        return amplitude_event(
            user, insert_id=f"{user}{time}{campaign}", time=time, event_type=step
        ) | {"event_properties": properties}

    services.upload(
        [
            *(event(1, 10, "sent"), event(1, 20, "open"), event(1, 30, "click")),
            *(event(2, 10, "sent"), event(2, 5, "open"), event(2, 30, "click")),
            *(event(3, 20, "open"), event(3, 10, "sent"), event(3, 30, "click", campaign=8)),
        ]
    )

    assert sandbox.funnel(7, ["sent", "open", "click"]) == {"sent": 3, "open": 2, "click": 1}
    assert sandbox.funnel(None, ["sent", "open", "click"]) == {"sent": 3, "open": 2, "click": 2}


def test_charts_see_the_table_as_it_was_when_an_event_came(
    services: Services, sandbox: Sandbox
) -> None:
    def event(user: int, step: str, **fields: Any) -> dict[str, Any]:
        return amplitude_event(
            user, insert_id=f"{user}{step}", time={"sent": 10, "open": 20}[step], event_type=step
        ) | {"groups": {"company": "7"}, **fields}

    skips = {"$skip_user_properties_sync": True}
    services.upload(
        [
            event(1, "sent", user_properties={"plan": "free", "city": "Rome"}),
            event(1, "open", user_properties={"plan": "team"}, groups={"company": ["7", "8"]}),
            event(2, "sent", user_properties={"plan": "team"}),
            event(2, "open"),
            event(3, "sent", user_properties={"plan": "team"}),
            event(3, "open", **skips),
            event(4, "sent", user_properties={"plan": "team"}, **skips),
        ]
    )

    def funnel(**where: Any) -> Any:
        return sandbox.funnel_by_group(None, ["sent", "open"], "company", where)

    people = [f"person{number}@example.com" for number in range(5)]
    assert funnel() == {
        "7": {"reached": [4, 3], "dropped": [people[4]]},
        "8": {"reached": [0, 0], "dropped": []},
    }
    assert funnel(plan="team")["7"] == {"reached": [3, 1], "dropped": [people[3], people[4]]}
    assert sandbox.cohort(plan="team") == [people[1], people[2], people[3]]
    assert sandbox.cohort(plan="team", city="Rome") == [people[1]]


def test_groups_beyond_the_limits_are_not_tracked(services: Services, sandbox: Sandbox) -> None:
    many = [str(number) for number in range(12)]
    upload = [
        amplitude_event(0, groups={"a": many[:7], "b": many[:7]}),
        amplitude_event(1, groups=dict.fromkeys("bcdefg", "1")),
    ]
    assert services.upload(upload).status_code == 200

    def groups(group_type: str) -> list[str]:
        return list(sandbox.funnel_by_group(None, [upload[0]["event_type"]], group_type))

    assert [len(groups(name)) for name in "abcdefg"] == [7, 3, 1, 1, 1, 0, 0]


@pytest.mark.parametrize("value", [7, True, ["a", 7], {"id": "7"}, [["a"]]])
def test_a_group_that_is_not_text_is_refused(services: Services, value: Any) -> None:
    answer = services.upload([amplitude_event(), amplitude_event(1, groups={"company": value})])
    assert answer.json()["events_with_invalid_fields"] == {"groups": [1]}


def test_a_lookup_table_needs_a_unique_key_column(sandbox: Sandbox) -> None:
    url = f"{sandbox.amplitude_url}/api/3/lookup_table"
    keys = ("sandbox-api-key", "sandbox-secret-key")
    about = {"value": "emailCampaignId", "type": "event"}
    form = {"name": "campaigns", "key": "id", "property": json.dumps(about)}

    def upload(file: str) -> requests.Response:
        files = {"file": ("campaigns.csv", file.encode(), "text/csv")}
        return requests.post(url, form, files=files, auth=keys, timeout=10)

    assert upload("id,name\r\n7,News\r\n8,Ünï\r\n").json()["rows"] == 2
    assert upload("id,name\r\n7,News\r\n7,News\r\n").status_code == 400
    assert sandbox.lookup_tables()["campaigns"]["rows"][1] == {"id": "8", "name": "Ünï"}
    assert requests.post(url, form, auth=keys, timeout=10).status_code == 400
