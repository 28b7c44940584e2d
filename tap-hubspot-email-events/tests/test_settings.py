"""Each wrong setting is one sentence that names it and never shows its value."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tap_hubspot_email_events.errors import ConfigError
from tap_hubspot_email_events.settings import (
    SETTINGS,
    checked_address,
    now_milliseconds,
    read_settings,
)
from tap_hubspot_email_events.tap import TapHubSpotEmailEvents
from tap_hubspot_email_events.timestamps import format_timestamp, parse_timestamp

TOKEN = {"access_token": "a-secret-token"}
OAUTH = {"client_id": "a", "client_secret": "a-secret", "refresh_token": "b-secret"}


def test_defaults_are_those_of_the_contract() -> None:
    settings = read_settings(TOKEN)
    assert (settings.start, settings.end, settings.lookback) == (None, None, 7_200_000)
    assert not settings.exclude_filtered_events
    assert (settings.max_concurrent_requests, settings.requests_per_10_seconds) == (8, 100)
    assert (settings.page_size, settings.max_retries) == (1000, 8)
    assert settings.api_url == "https://api.hubapi.com"


def test_either_group_of_credentials_will_do() -> None:
    assert read_settings(TOKEN).access_token == "a-secret-token"
    assert read_settings(OAUTH).refresh_token == "b-secret"


def test_empty_settings_count_as_not_set() -> None:
    assert read_settings({**TOKEN, "client_id": "", "start_date": None, "end_date": ""}).end is None


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({}, "No HubSpot credentials: set access_token"),
        ({"access_token": ""}, "No HubSpot credentials: set access_token"),
        ({**TOKEN, **OAUTH}, "not both"),
        ({**TOKEN, "client_id": "a"}, "not both"),
        ({"client_id": "a"}, "client_secret and refresh_token not set"),
        ({**OAUTH, "refresh_token": None}, "tap-hubspot-email-events:connect"),
        ({"access_token": "a-secret-\ntoken"}, "Setting access_token must be text of printable"),
        ({"access_token": 5}, "Setting access_token must be text"),
        ({**TOKEN, "start_date": "tomorrow"}, "start_date must be a date such as 2026-01-31T00"),
        ({**TOKEN, "end_date": "2026-02-30"}, 'not "2026-02-30"'),
        ({**TOKEN, "start_date": 5}, "Setting start_date must be text, not 5; put it into quotes"),
        ({**TOKEN, "start_date": "2026-02-01", "end_date": "2026-01-01"}, "end_date is before"),
        ({**TOKEN, "end_date": "2020-01-01"}, "30 days"),
        ({**TOKEN, "lookback_minutes": -1}, "lookback_minutes must be a whole number from 0"),
        ({**TOKEN, "lookback_minutes": "2h"}, "lookback_minutes must be a whole number from 0"),
        ({**TOKEN, "page_size": 0}, "page_size must be a whole number from 1 to 1000, not 0"),
        ({**TOKEN, "page_size": 1001}, "page_size must be a whole number from 1 to 1000"),
        ({**TOKEN, "max_concurrent_requests": 0}, "max_concurrent_requests must be"),
        ({**TOKEN, "requests_per_10_seconds": 0}, "requests_per_10_seconds must be"),
        ({**TOKEN, "max_retries": -1}, "max_retries must be"),
        ({**TOKEN, "exclude_filtered_events": "maybe"}, 'must be true or false, not "maybe"'),
        ({**TOKEN, "enrich_campaigns": "maybe"}, "Setting enrich_campaigns must be true or false"),
        ({**TOKEN, "api_url": "http://secret.example.com"}, "Setting api_url must be an https"),
        ({**TOKEN, "api_url": "https://user:secret@example.com"}, "Setting api_url must be"),
        ({**TOKEN, "api_url": "https://[secret"}, "Setting api_url must be an https address"),
        ({**TOKEN, "api_url": "ftp://127.0.0.1"}, "Setting api_url must be an https address"),
    ],
)
def test_a_wrong_setting_is_a_sentence_without_secrets(
    config: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        read_settings(config)
    said = str(caught.value)
    assert sentence in said
    assert "secret-" not in said
    assert "secret." not in said
    assert "\n" not in said


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (
            {},
            "No HubSpot credentials: set access_token, or client_id, client_secret and "
            "refresh_token.",
        ),
        (
            {**TOKEN, "client_id": "a"},
            "Set either access_token, or client_id, client_secret and refresh_token, not both.",
        ),
        (
            {"client_id": "a"},
            "The OAuth credentials are incomplete: client_secret and refresh_token not set; the "
            "command `tap-hubspot-email-events-connect` (in Meltano `meltano invoke "
            "tap-hubspot-email-events:connect`) obtains the refresh_token with the other two.",
        ),
        (
            {**TOKEN, "end_date": "x" * 61},
            f'Setting end_date must be a date such as 2026-01-31T00:00:00Z, not "{"x" * 60}".',
        ),
        (
            {**TOKEN, "start_date": "2026-01-02", "end_date": "2026-01-01"},
            "Setting end_date is before start_date (30 days ago where that is not set); correct "
            "them.",
        ),
        (
            {**TOKEN, "api_url": "ftp://a"},
            "Setting api_url must be an https address, or http on a loopback host, such as "
            "https://api.hubapi.com.",
        ),
    ],
)
def test_the_sentence_as_a_whole(config: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_settings(config)
    assert str(caught.value) == said


def test_all_sentences_are_said_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        read_settings({"start_date": "x"})
    assert str(caught.value) == (
        "No HubSpot credentials: set access_token, or client_id, client_secret and refresh_token. "
        'Setting start_date must be a date such as 2026-01-31T00:00:00Z, not "x".'
    )


def test_a_range_may_be_one_instant_and_end_within_the_last_thirty_days() -> None:
    assert read_settings({**TOKEN, "start_date": "2026-01-01", "end_date": "2026-01-01"}).end
    day = format_timestamp(now_milliseconds() - 86_400_000)
    assert read_settings({**TOKEN, "end_date": day}).end == parse_timestamp(day)


def test_a_slash_at_the_end_of_an_address_counts_for_nothing() -> None:
    assert checked_address("--url", "https://example.com/X/") == "https://example.com/X"
    with pytest.raises(ConfigError, match=r"^--url must be"):
        checked_address("--url", "example.com")


def test_now_is_in_milliseconds() -> None:
    assert type(now_milliseconds()) is int
    assert abs(now_milliseconds() - time.time() * 1000) < 5000


def test_every_setting_is_described_and_secrets_are_marked() -> None:
    properties = SETTINGS["properties"]
    assert all(schema["description"] and schema["title"] for schema in properties.values())
    secrets = {name for name, schema in properties.items() if schema.get("secret")}
    assert {"access_token", "client_secret", "refresh_token"} <= secrets


@pytest.mark.parametrize("wrong", ["a,,b", [1], [""], {"firstname": True}])
def test_contact_properties_of_a_wrong_kind_are_one_sentence(wrong: object) -> None:
    with pytest.raises(ConfigError, match="Setting contact_properties must be a list of words"):
        TapHubSpotEmailEvents(config={"access_token": "unused", "contact_properties": wrong})
