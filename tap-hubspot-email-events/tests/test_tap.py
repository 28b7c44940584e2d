"""The SDK's own tests of a tap, and what this tap needs of the SDK's private side."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
import requests_mock
from singer_sdk.testing import SuiteConfig, get_tap_test_class

from tap_hubspot_email_events.common.event_types import SELECTED_BY_DEFAULT, STREAM_OF_TYPE
from tap_hubspot_email_events.tap import TapHubSpotEmailEvents

if TYPE_CHECKING:
    from collections.abc import Iterator

API = "https://api.hubapi.com"
CAMPAIGN = {"id": 1, "appId": 113, "name": "March", "subject": "Hi", "type": "BATCH_EMAIL"}


def events(request: Any, _context: Any) -> dict[str, Any]:
    kind = request.qs["eventtype"][0].upper()
    order = random.Random(kind)
    newest = int(request.qs["endtimestamp"][0])
    return {
        "events": [
            {
                "id": f"{kind}-{number}",
                "created": newest - number * 1000,
                "type": kind,
                "portalId": 4711,
                "recipient": f"someone{order.randrange(9)}@example.com",
                "emailCampaignId": 1,
            }
            for number in range(3)
        ],
        "hasMore": False,
    }


@pytest.fixture(scope="module", autouse=True)
def _hubspot() -> Iterator[None]:
    with requests_mock.Mocker() as mocker:
        mocker.get(f"{API}/email/public/v1/events", json=events)
        mocker.get(f"{API}/email/public/v1/campaigns/1", json=CAMPAIGN)
        listed = {"campaigns": [{"id": 1, "appId": 113}], "hasMore": False}
        mocker.get(f"{API}/email/public/v1/campaigns", json=listed)
        mocker.get(f"{API}/email/public/v1/campaigns/by-id", json=listed)
        mocker.get(f"{API}/account-info/v3/details", json={"portalId": 4711})
        yield


TestTap = get_tap_test_class(
    TapHubSpotEmailEvents,
    config={"access_token": "t"},
    suite_config=SuiteConfig(max_records_limit=3),
)
# Hardly an event has every field that the schemas describe.
for _words in ("Fields in transformed catalog", "No records were available"):
    TestTap = pytest.mark.filterwarnings(f"ignore:{_words}:UserWarning")(TestTap)


def test_the_ten_types_and_no_others_are_selected_at_first() -> None:
    tap = TapHubSpotEmailEvents(config={"access_token": "t"})
    selected = {name for name, stream in tap.streams.items() if stream.selected}
    assert selected == {STREAM_OF_TYPE[kind] for kind in SELECTED_BY_DEFAULT}
    assert len(selected) == 10
    assert len(tap.streams) == 22


def test_discovery_needs_no_credentials() -> None:
    tap = TapHubSpotEmailEvents(config={}, validate_config=False)
    assert tap.catalog_dict["streams"]


def test_the_schema_names_what_enrichment_adds() -> None:
    config = {"access_token": "t", "contact_properties": ["product_user_id"]}
    properties = TapHubSpotEmailEvents(config=config).streams["email_open"].schema["properties"]
    assert set(properties["contact"]["properties"]) == {"product_user_id"}
    assert set(properties["emailCampaign"]["properties"]) == {
        "name",
        "subject",
        "type",
        "contentId",
    }
