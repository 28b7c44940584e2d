"""Settings that depend on each other, and addresses; `tests/settings` has each setting alone."""

from __future__ import annotations

from typing import Any

import pytest

from target_amplitude.common.errors import UserError
from target_amplitude.settings import read_settings

SETTINGS = {"api_key": "key-of-the-project", "api_url": "http://127.0.0.1:9"}


@pytest.mark.parametrize(
    ("settings", "url", "gzip"),
    [
        ({}, "https://api2.amplitude.com/batch", True),
        ({"region": "eu"}, "https://api.eu.amplitude.com/batch", True),
        ({"endpoint": "httpapi"}, "https://api2.amplitude.com/2/httpapi", True),
        ({"region": "eu", "endpoint": "httpapi"}, "https://api.eu.amplitude.com/2/httpapi", True),
        ({"api_url": "https://proxy.example.com/"}, "https://proxy.example.com/batch", False),
        ({"api_url": "https://a.example/batch"}, "https://a.example/batch", False),
        ({"api_url": "https://a.example", "gzip": True}, "https://a.example/batch", True),
        ({"gzip": False}, "https://api2.amplitude.com/batch", False),
    ],
)
def test_region_and_endpoint_make_the_url(settings: dict[str, Any], url: str, gzip: bool) -> None:  # noqa: FBT001
    made = read_settings({"api_key": "k"} | settings)
    assert (made.url, made.compresses) == (url, gzip)


def test_no_secret_shows_in_the_settings() -> None:
    assert "s3cr3t" not in repr(read_settings({"api_key": "s3cr3t", "secret_key": "s3cr3t"}))


@pytest.mark.parametrize(
    ("config", "problems"),
    [
        (
            {},
            [
                "Setting api_key is missing: set it to the API key of the project, for example as "
                "TARGET_AMPLITUDE_API_KEY."
            ],
        ),
        (
            {"region": "asia"},
            [
                "Setting api_key is missing: set it to the API key of the project, for example as "
                "TARGET_AMPLITUDE_API_KEY.",
                'Setting region must be one of eu, us, not "asia".',
            ],
        ),
        (
            {"api_key": "k", "reconcile": "report", "user_field": "..", "api_url": "http://a"},
            [
                "Setting api_url must be an https URL, or an http URL of this machine.",
                "Setting reconcile needs secret_key, the project's secret key (Settings > "
                "Projects), with which Amplitude's Export API is read.",
                "Setting user_field is empty: name a field, such as recipient.",
            ],
        ),
    ],
)
def test_all_that_is_wrong_is_said(config: dict[str, Any], problems: list[str]) -> None:
    with pytest.raises(UserError) as caught:
        read_settings(config)
    assert str(caught.value) == " ".join(problems)


@pytest.mark.parametrize(
    ("setting", "given", "says"),
    [
        ("user_property_fields", {"$set": "contact.plan"}, "the name $set"),
        ("user_property_fields", {"$whatever": "contact.plan"}, "the name $whatever"),
        ("user_property_fields", {"[Amplitude] City": "contact.city"}, "[Amplitude] City"),
        ("user_property_fields", {"gp:plan": "contact.plan"}, "the name gp:plan"),
        ("user_property_fields", ["contact.city"], '{"hubspot_city": "contact.city"}'),
        ("user_property_fields", {"os_name": "browser.name"}, "the name os_name"),
        ("user_property_fields", {" ": "contact.plan"}, "a name of 1 to 1024"),
        ("user_property_fields", {"x" * 1025: "contact.plan"}, "a name of 1 to 1024"),
        ("user_property_fields", {"plan": "."}, "each name a field"),
        ("user_property_fields", ["contact."], "a name of 1 to 1024"),
        ("user_property_fields", [f"contact.p{n}" for n in range(1001)], "at most 1,000 user"),
        ("group_fields", {f"type {n}": "contact.x" for n in range(6)}, "at most 5 types"),
        ("group_fields", {"$company": "contact.x"}, "the name $company"),
        ("group_fields", {"grp:company": "contact.x"}, "the name grp:company"),
        ("group_fields", {"": "contact.x"}, "a name of 1 to 1024"),
        ("group_fields", {"company": ""}, "each name a field"),
    ],
)
def test_a_name_that_amplitude_does_not_take_is_a_sentence(
    setting: str, given: Any, says: str
) -> None:
    with pytest.raises(UserError) as caught:
        read_settings(SETTINGS | {setting: given})
    assert str(caught.value).startswith(f"Setting {setting} must ")
    assert says in str(caught.value)


def test_as_many_names_as_amplitude_takes_are_taken() -> None:
    fields = {f"p{number}": f"contact.p{number}" for number in range(1000)}
    groups = {f"t{number}": "contact.x" for number in range(5)}
    made = read_settings(SETTINGS | {"user_property_fields": fields, "group_fields": groups})
    assert (made.user_property_fields, made.group_fields) == (fields, groups)
