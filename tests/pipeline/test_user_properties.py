"""What Amplitude knows of a user today, and which events may change it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.pipe import Pipe

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.client import Sandbox

ADA = "ada@example.com"
FIREFOX = "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0"
ANDROID = "Mozilla/5.0 (Android 9; Mobile; rv:68.0) Gecko/68.0 Firefox/68.0"
PROXIES = {
    "Google": "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 "
    "(via ggpht.com GoogleImageProxy)",
    "Yahoo": "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
    "Apple": "Mozilla/5.0",
    "Seznam": "SeznamEmailProxy/2.0.174",
    "HEY": "HEY.com/ImageProxy 1.0",
    "Fastmail": "FastMailUA/1.0",
    "Outlook's link checker": "Microsoft Office Existence Discovery",
}
STEPS = ("DELIVERED", "OPEN", "CLICK")
TODAY = {"city": "Dublin", "country": "IRELAND", "os_name": "Ubuntu"}
LAST_YEAR = {"city": "Boston", "country": "UNITED STATES", "os_name": "Android", "os_version": "9"}


def opened(city: str, country: str, agent: str, hours_ago: float) -> dict[str, Any]:
    created = datetime.now(tz=timezone.utc) - timedelta(hours=hours_ago)
    return {
        "id": f"{city}-{hours_ago}",
        "created": int(created.timestamp() * 1000),
        "type": "OPEN",
        "recipient": ADA,
        "portalId": 4711,
        "emailCampaignId": 1,
        "filteredEvent": False,
        "location": {"city": city, "country": country},
        "userAgent": agent,
    }


@pytest.fixture
def pipe(tmp_path: Path, sandbox: Sandbox) -> Pipe:
    pipe = Pipe(tmp_path, sandbox)
    pipe.tap["start_date"] = (datetime.now(tz=timezone.utc) - timedelta(days=500)).isoformat()
    return pipe


def known(sandbox: Sandbox) -> Any:
    return sandbox.amplitude_users()[ADA]["properties"]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("recent", TODAY), ("always", LAST_YEAR), ("never", {}), ("off", {})],
)
def test_a_backfill_of_last_years_opens_changes_what_the_mode_lets_it_change(
    pipe: Pipe, sandbox: Sandbox, mode: str, expected: dict[str, str]
) -> None:
    sandbox.add_events([opened("Dublin", "IRELAND", FIREFOX, 1)])
    pipe.run(user_properties=mode)
    after_today = known(sandbox)
    sandbox.add_events([opened("Boston", "UNITED STATES", ANDROID, 24 * 365)])
    pipe.forget()

    pipe.run(user_properties=mode)

    assert after_today == (TODAY if mode in {"recent", "always"} else {})
    assert known(sandbox) == expected
    assert sandbox.amplitude_users()[ADA]["events"] == 2
    cities = {event["event_properties"]["location.city"] for event in sandbox.amplitude_events()}
    assert cities == {"Dublin", "Boston"}


def test_opens_through_a_mail_proxy_change_nothing(pipe: Pipe, sandbox: Sandbox) -> None:
    pipe.target["user_properties"] = "always"
    sandbox.add_events([opened("Dublin", "IRELAND", FIREFOX, 3)])
    pipe.run()
    sandbox.add_events(
        [
            opened(f"{name} city", "UNITED STATES", agent, number / 10)
            for number, (name, agent) in enumerate(PROXIES.items(), start=1)
        ]
    )

    pipe.run()

    assert sandbox.amplitude_users()[ADA]["events"] == 1 + len(PROXIES)
    assert known(sandbox) == TODAY


def contact(plan: str | None, company: str) -> dict[str, str]:
    known = {"email": ADA, "associatedcompanyid": company}
    return known if plan is None else known | {"plan": plan}


@pytest.fixture
def person(pipe: Pipe) -> Pipe:
    pipe.tap["contact_properties"] = ["plan", "associatedcompanyid"]
    pipe.target["user_property_fields"] = ["contact.plan"]
    pipe.target["group_fields"] = {"company": "contact.associatedcompanyid"}
    return pipe


@pytest.mark.parametrize(
    ("mode", "expected"), [("recent", "team"), ("always", "free"), ("never", None), ("off", None)]
)
def test_a_backfill_changes_what_is_known_of_the_person_as_the_mode_says(
    person: Pipe, sandbox: Sandbox, mode: str, expected: str | None
) -> None:
    sandbox.add_contacts([contact("team", "7")])
    sandbox.add_events([opened("Dublin", "IRELAND", FIREFOX, 1)])
    person.run(user_properties=mode)
    sandbox.add_contacts([contact("free", "8")])
    sandbox.add_events([opened("Boston", "UNITED STATES", ANDROID, 24 * 365)])
    person.forget()

    person.run(user_properties=mode)

    assert known(sandbox).get("plan") == expected
    events = sandbox.amplitude_events()
    assert [event["groups"] for event in events] == [{"company": "7"}, {"company": "8"}]
    sent = [event.get("user_properties", {}).get("plan") for event in events]
    assert sent == ([None, None] if mode == "off" else ["team", "free"])


def test_what_comes_last_wins_and_what_is_gone_removes_nothing(
    person: Pipe, sandbox: Sandbox
) -> None:
    seen = []
    for hours_ago, plan in ((3, "free"), (2, "team"), (1, None)):
        sandbox.add_contacts([contact(plan, "7")])
        sandbox.add_events([opened("Dublin", "IRELAND", FIREFOX, hours_ago)])
        person.run()
        seen.append(known(sandbox)["plan"])

    assert seen == ["free", "team", "team"]
    *_, last = sandbox.amplitude_events()
    assert "user_properties" not in last


def test_flattened_records_say_the_same(person: Pipe, sandbox: Sandbox) -> None:
    sandbox.add_contacts([contact("team", "7")])
    sandbox.add_events([opened("Dublin", "IRELAND", FIREFOX, 1)])
    person.run()
    person.forget()
    (nested,) = sandbox.amplitude_events()
    sandbox.remove_amplitude_events([nested["insert_id"]])

    person.run({"flattening_enabled": True, "flattening_max_depth": 1})

    (flat,) = sandbox.amplitude_events()
    assert flat == nested
    assert (flat["user_properties"], flat["groups"]) == ({"plan": "team"}, {"company": "7"})


def test_who_of_a_plan_opened_and_did_not_click_by_company(person: Pipe, sandbox: Sandbox) -> None:
    sandbox.generate(events=6_000, days=20)
    person.run()
    campaign = sandbox.campaigns()[0]["id"]
    contacts = sandbox.contacts()
    expected: dict[str, set[str]] = {}
    histories: dict[str, list[tuple[int, str]]] = {}
    for event in sandbox.hubspot_events():
        if event.get("emailCampaignId") == campaign and event.get("type") in STEPS:
            histories.setdefault(event["recipient"], []).append((event["created"], event["type"]))
    for who, history in histories.items():
        known = contacts.get(who.lower(), {})
        taken = [kind for _, kind in sorted(history)]
        if known.get("plan") == "team" and in_order(taken, "DELIVERED", "OPEN"):
            dropped = expected.setdefault(known["associatedcompanyid"], set())
            if not in_order(taken, *STEPS):
                dropped.add(who)

    answer = sandbox.funnel_by_group(
        campaign, [f"[HubSpot] EMAIL_{kind}" for kind in STEPS], "company", {"plan": "team"}
    )

    assert sum(map(len, expected.values())) > 10
    assert len(expected) > 3
    assert {
        company: set(users["dropped"]) for company, users in answer.items() if users["reached"][1]
    } == expected


def in_order(taken: list[str], *steps: str) -> bool:
    rest = iter(taken)
    return all(step in rest for step in steps)
