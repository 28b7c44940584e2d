"""The schemas name what the records carry."""

from __future__ import annotations

from tap_hubspot_email_events.tap import TapHubSpotEmailEvents

CAMPAIGN_FIELDS = ("name", "subject", "type", "contentId")


def test_the_schema_names_the_contact_properties_asked_for() -> None:
    config = {"access_token": "unused", "contact_properties": ["product_user_id"]}

    tap = TapHubSpotEmailEvents(config=config)

    properties = tap.streams["email_open"].schema["properties"]
    assert list(properties["contact"]["properties"]) == ["product_user_id"]
    assert set(properties["emailCampaign"]["properties"]) == set(CAMPAIGN_FIELDS)
