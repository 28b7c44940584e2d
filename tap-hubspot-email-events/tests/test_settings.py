"""Each wrong setting is one sentence that names it and never shows its value."""

from __future__ import annotations

from typing import Any

import pytest

from tap_hubspot_email_events.errors import ConfigError
from tap_hubspot_email_events.settings import SETTINGS, Settings
from tap_hubspot_email_events.tap import TapHubSpotEmailEvents

TOKEN = {"access_token": "a-secret-token"}
OAUTH = {"client_id": "a", "client_secret": "a-secret", "refresh_token": "b-secret"}


def test_defaults_are_those_of_the_contract() -> None:
    settings = Settings.of(TOKEN)
    assert (settings.start, settings.end, settings.lookback) == (None, None, 7_200_000)
    assert not settings.exclude_filtered_events
    assert (settings.max_concurrent_requests, settings.requests_per_10_seconds) == (8, 100)
    assert (settings.page_size, settings.max_retries) == (1000, 8)
    assert settings.api_url == "https://api.hubapi.com"


def test_either_group_of_credentials_will_do() -> None:
    assert Settings.of(TOKEN).access_token == "a-secret-token"
    assert Settings.of(OAUTH).refresh_token == "b-secret"


def test_empty_settings_count_as_not_set() -> None:
    assert Settings.of({**TOKEN, "client_id": "", "start_date": None, "end_date": ""}).end is None


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({}, "access_token"),
        ({"access_token": ""}, "access_token"),
        ({**TOKEN, **OAUTH}, "not both"),
        ({**TOKEN, "client_id": "a"}, "not both"),
        ({"client_id": "a"}, "client_secret"),
        ({**OAUTH, "refresh_token": None}, "refresh_token"),
        ({"access_token": "a-secret-\ntoken"}, "access_token"),
        ({"access_token": 5}, "access_token"),
        ({**TOKEN, "start_date": "a-secret-date"}, "start_date"),
        ({**TOKEN, "end_date": "2026-02-30"}, "end_date"),
        ({**TOKEN, "start_date": 5}, "start_date"),
        ({**TOKEN, "start_date": "2026-02-01", "end_date": "2026-01-01"}, "end_date"),
        ({**TOKEN, "end_date": "2020-01-01"}, "30 days"),
        ({**TOKEN, "lookback_minutes": -1}, "lookback_minutes"),
        ({**TOKEN, "lookback_minutes": "2h-secret"}, "lookback_minutes"),
        ({**TOKEN, "page_size": 0}, "page_size"),
        ({**TOKEN, "page_size": 1001}, "page_size"),
        ({**TOKEN, "max_concurrent_requests": 0}, "max_concurrent_requests"),
        ({**TOKEN, "requests_per_10_seconds": 0}, "requests_per_10_seconds"),
        ({**TOKEN, "max_retries": -1}, "max_retries"),
        ({**TOKEN, "exclude_filtered_events": "a-secret"}, "exclude_filtered_events"),
        ({**TOKEN, "api_url": "http://secret.example.com"}, "api_url"),
        ({**TOKEN, "api_url": "https://user:secret@example.com"}, "api_url"),
        ({**TOKEN, "api_url": "https://[secret"}, "api_url"),
        ({**TOKEN, "api_url": "ftp://127.0.0.1"}, "api_url"),
    ],
)
def test_a_wrong_setting_is_named_without_its_value(config: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Settings.of(config)
    sentence = str(caught.value)
    assert named in sentence
    assert "secret-" not in sentence
    assert "secret." not in sentence
    assert sentence.count(".") <= 4


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080", "http://localhost:1/", "http://[::1]:80", "https://eu.example"]
)
def test_https_and_loopback_addresses_are_taken(url: str) -> None:
    assert Settings.of({**TOKEN, "api_url": url}).api_url == url.rstrip("/")


def test_every_setting_is_described_and_secrets_are_marked() -> None:
    properties = SETTINGS["properties"]
    assert all(schema["description"] and schema["title"] for schema in properties.values())
    secrets = {name for name, schema in properties.items() if schema.get("secret")}
    assert {"access_token", "client_secret", "refresh_token"} <= secrets


@pytest.mark.parametrize("wrong", ["firstname", [1], [""], {"firstname": True}])
def test_contact_properties_of_a_wrong_kind_are_one_sentence(wrong: object) -> None:
    with pytest.raises(ConfigError, match="`contact_properties` must be a list") as caught:
        TapHubSpotEmailEvents(config={"access_token": "unused", "contact_properties": wrong})

    assert "firstname" not in str(caught.value)
