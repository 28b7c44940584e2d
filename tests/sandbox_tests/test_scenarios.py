from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from sandbox.clock import Clock
from sandbox.hubspot.store import Account
from sandbox.scenarios.history import LATE_MOST, History

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.client import Sandbox
    from sandbox.hubspot.store import Arrival

NOW = 1_760_000_000_000
DAY = 86_400_000
TEN = {
    *("SENT", "DROPPED", "PROCESSED", "DELIVERED", "DEFERRED", "BOUNCE", "OPEN", "CLICK"),
    *("STATUSCHANGE", "SPAMREPORT"),
}


def history(seed: int) -> History:
    return History(seed, Account(4711, Clock()))


def decoded(arrivals: Iterable[Arrival]) -> list[dict[str, Any]]:
    return [msgspec.json.decode(arrival.payload) for arrival in arrivals]


@pytest.fixture(scope="module")
def past() -> list[dict[str, Any]]:
    return decoded(history(7).past(5000, 30, NOW))


def test_a_seed_gives_the_same_events_at_any_time(past: list[dict[str, Any]]) -> None:
    later = decoded(history(7).past(5000, 30, NOW + DAY))
    other = decoded(history(8).past(5000, 30, NOW))

    assert [(e["id"], e["created"] + DAY) for e in past] == [(e["id"], e["created"]) for e in later]
    assert {e["id"] for e in past}.isdisjoint(e["id"] for e in other)


def test_the_past_has_so_many_events_of_all_ten_types_and_none_of_the_future(
    past: list[dict[str, Any]],
) -> None:
    assert len(past) == 5000
    assert Counter(e.get("type") for e in past).keys() >= TEN
    assert all(NOW - 30 * DAY <= e["created"] <= NOW for e in past)
    assert len({e["id"] for e in past}) == 5000


def test_the_odd_cases_of_real_accounts_occur(past: list[dict[str, Any]]) -> None:
    agents = " ".join(e.get("userAgent", "") for e in past)
    cities = " ".join(e.get("location", {}).get("city", "") for e in past)

    assert all(proxy in agents for proxy in ("GoogleImageProxy", "YahooMailProxy"))
    assert any(e.get("userAgent") == "Mozilla/5.0" for e in past)
    assert "東京" in cities
    assert any(e.get("filteredEvent") for e in past)
    assert any(e.get("browser") == {} for e in past)
    assert any(e["type"] == "OPEN" and "location" not in e for e in past if "type" in e)
    assert any("recipient" not in e and "type" not in e for e in past)
    assert any(e.get("appId") == 0 for e in past)
    assert any(e.get("emailCampaignId", 0) > 2**53 for e in past)
    assert any(e.get("attempt") for e in past)
    assert any("smtpId" in e and e["smtpId"] is None for e in past)


def test_an_increment_is_new_and_partly_late() -> None:
    events = decoded(history(7).increment(400, NOW - 60_000, NOW, 0.3))

    late = [e for e in events if e["created"] < NOW - 60_000]
    assert len(events) == 400
    assert 20 < len(late) < 300
    assert all(NOW - LATE_MOST <= e["created"] <= NOW for e in events)


def test_what_arrives_is_added_to_what_was_there(sandbox: Sandbox) -> None:
    before = sandbox.generate(events=500)
    after = sandbox.arrive(events=100)

    assert sum(before.values()) == 500
    assert sum(after.values()) == 600
    assert sandbox.hubspot_counts() == after
    assert len(sandbox.hubspot_events()) == 600
    assert {c["product_user_id"] for c in sandbox.contacts().values() if "product_user_id" in c}
