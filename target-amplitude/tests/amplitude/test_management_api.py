from __future__ import annotations

from typing import Any

import pytest

from target_amplitude.amplitude.management_api import find_message, host_of_region
from target_amplitude.settings import read_settings
from target_amplitude.taxonomy import registration


@pytest.mark.parametrize(
    ("config", "host"),
    [
        ({}, "https://amplitude.com"),
        ({"region": "eu"}, "https://analytics.eu.amplitude.com"),
        ({"api_url": "https://proxy.example.com"}, "https://amplitude.com"),
        ({"api_url": "http://127.0.0.1:8702", "endpoint": "httpapi"}, "http://127.0.0.1:8702"),
    ],
)
def test_the_secret_key_goes_to_the_region_or_this_machine(
    config: dict[str, Any], host: str
) -> None:
    settings = read_settings({"api_key": "k"} | config)
    assert host_of_region(settings, registration.HOSTS) == host


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, ""),
        ({"errors": []}, ""),
        ({"errors": ["x"]}, ""),
        ({"error": 5}, ""),
        ({"error": 5, "message": "No"}, "No"),
        ({"errors": [{"message": "No"}]}, "No"),
    ],
)
def test_an_answer_of_any_shape_has_a_message_or_none(
    content: dict[str, Any], message: str
) -> None:
    assert find_message(content) == message
