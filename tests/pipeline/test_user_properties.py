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
TODAY = {"city": "Dublin", "country": "IRELAND", "os_name": "Ubuntu", "plan": "team"}
LAST_YEAR = {
    "city": "Boston",
    "country": "UNITED STATES",
    "os_name": "Android",
    "os_version": "9",
    "plan": "free",
}


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
    pipe.tap["contact_properties"] = ["plan", "associatedcompanyid"]
    pipe.target["user_property_fields"] = ["contact.plan"]
    pipe.target["group_fields"] = {"company": "contact.associatedcompanyid"}
    return pipe


def known(sandbox: Sandbox) -> Any:
    return sandbox.amplitude_users()[ADA]["properties"]


def contact(plan: str | None, company: str) -> dict[str, str]:
    known = {"email": ADA, "associatedcompanyid": company}
    return known if plan is None else known | {"plan": plan}


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("recent", TODAY), ("always", LAST_YEAR), ("never", {}), ("off", {})],
)
def test_a_backfill_of_last_year_changes_what_the_mode_lets_it_change(
    pipe: Pipe, sandbox: Sandbox, mode: str, expected: dict[str, str]
) -> None:
    sandbox.add_contacts([contact("team", "7")])
    sandbox.add_events([opened("Dublin", "IRELAND", FIREFOX, 1)])
    pipe.run(user_properties=mode)
    after_today = known(sandbox)
    sandbox.add_contacts([contact("free", "8")])
    sandbox.add_events([opened("Boston", "UNITED STATES", ANDROID, 24 * 365)])
    pipe.forget()

    pipe.run(user_properties=mode)

    assert after_today == (TODAY if mode in {"recent", "always"} else {})
    assert known(sandbox) == expected
    today, last_year = sandbox.amplitude_events()
    assert (today["groups"], last_year["groups"]) == ({"company": "7"}, {"company": "8"})
    # The events themselves say it in every mode.
    for event, city, plan in ((today, "Dublin", "team"), (last_year, "Boston", "free")):
        assert event["event_properties"]["location.city"] == city
        assert event["event_properties"]["contact.plan"] == plan


def test_what_comes_last_wins_and_what_is_gone_removes_nothing(
    pipe: Pipe, sandbox: Sandbox
) -> None:
    seen = []
    for hours_ago, plan in ((3, "free"), (2, "team"), (1, None)):
        sandbox.add_contacts([contact(plan, "7")])
        sandbox.add_events([opened("Dublin", "IRELAND", FIREFOX, hours_ago)])
        pipe.run()
        seen.append(known(sandbox)["plan"])

    assert seen == ["free", "team", "team"]
    *_, last = sandbox.amplitude_events()
    assert "user_properties" not in last


def test_flattened_records_say_the_same(pipe: Pipe, sandbox: Sandbox) -> None:
    sandbox.add_contacts([contact("team", "7")])
    sandbox.add_events([opened("Dublin", "IRELAND", FIREFOX, 1)])
    pipe.run()
    pipe.forget()
    (nested,) = sandbox.amplitude_events()
    sandbox.remove_amplitude_events([nested["insert_id"]])

    pipe.run({"flattening_enabled": True, "flattening_max_depth": 1})

    (flat,) = sandbox.amplitude_events()
    assert flat == nested
    assert (flat["user_properties"], flat["groups"]) == ({"plan": "team"}, {"company": "7"})
