"""Settings that depend on each other, and addresses; `tests/settings` has each setting alone."""

from __future__ import annotations

from typing import Any

import pytest

from tap_hubspot_email_events.errors import ConfigError
from tap_hubspot_email_events.settings import (
    checked_address,
    now_milliseconds,
    read_settings,
)
from tap_hubspot_email_events.timestamps import format_timestamp, parse_timestamp

TOKEN = {"access_token": "a-secret-token"}


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (
            {},
            "No HubSpot credentials: set access_token, or client_id, client_secret and "
            "refresh_token.",
        ),
        (
            {"start_date": "x"},
            "No HubSpot credentials: set access_token, or client_id, client_secret and "
            "refresh_token. Setting start_date must be a date such as 2026-01-31T00:00:00Z, not "
            '"x".',
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
            {**TOKEN, "end_date": "2020-01-01"},
            "Setting end_date is before start_date (30 days ago where that is not set); correct "
            "them.",
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
    assert "a-secret" not in said


def test_a_range_may_be_one_instant_and_end_within_the_last_thirty_days() -> None:
    assert read_settings({**TOKEN, "start_date": "2026-01-01", "end_date": "2026-01-01"}).end
    day = format_timestamp(now_milliseconds() - 86_400_000)
    assert read_settings({**TOKEN, "end_date": day}).end == parse_timestamp(day)


def test_a_slash_at_the_end_of_an_address_counts_for_nothing() -> None:
    settings = read_settings({**TOKEN, "api_url": "https://example.com/X/"})
    assert settings.api_url == "https://example.com/X"
    with pytest.raises(ConfigError, match=r"^--url must be"):
        checked_address("--url", "example.com")
