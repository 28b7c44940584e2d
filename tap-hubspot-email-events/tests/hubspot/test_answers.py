"""Each answer of HubSpot's has one meaning."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from tap_hubspot_email_events.hubspot.answers import (
    Accept,
    DailyLimitReached,
    Reauthorise,
    Refuse,
    Retry,
    Throttle,
    decide,
    scrub,
)

NOW = datetime(2026, 1, 31, 12, 0, 0, tzinfo=timezone.utc)


def answer(status: int, body: Any = None, **headers: str) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
    named = CaseInsensitiveDict({k.replace("_", "-"): v for k, v in headers.items()})
    return decide(status, named, content, now=NOW)


@pytest.mark.parametrize("status", [200, 201, 204])
def test_success_is_accepted(status: int) -> None:
    assert isinstance(answer(status), Accept)


@pytest.mark.parametrize(
    "status", [408, 425, 423, 477, 500, 502, 503, 504, 521, 522, 523, 524, 530]
)
def test_temporary_failures_are_retried(status: int) -> None:
    assert isinstance(answer(status), Retry)


@pytest.mark.parametrize("status", [302, 400, 403, 404, 405, 410, 414, 422])
def test_what_will_not_change_is_refused(status: int) -> None:
    assert isinstance(answer(status), Refuse)


@pytest.mark.parametrize("status", [400, 403, 404, 405, 410, 414, 488])
def test_a_refusal_keeps_its_status(status: int) -> None:
    assert answer(status).status == status


@pytest.mark.parametrize(
    ("body", "scopes"),
    [
        (
            {
                "category": "MISSING_SCOPES",
                "message": "This app hasn't been granted all required scopes to make this call.",
                "errors": [{"context": {"requiredGranularScopes": ["marketing-email"]}}],
            },
            "`marketing-email`",
        ),
        (
            {"errors": [{"context": {"requiredScopes": ["a-b", "c.d"]}}], "message": "scopes"},
            "`a-b` or `c.d`",
        ),
        ({"message": "No permission (requires one of [leads-read, leads-write])"}, "`leads-read`"),
        (
            {"message": "EXTERNAL auth request is missing required 'workflows-access' scope."},
            "`workflows-access`",
        ),
        ({"message": "This oauth-token (CJ) does not have proper permissions!"}, "`content`"),
        (
            {"category": "MISSING_SCOPES", "message": "isn't available for public use."},
            "`content`",
        ),
        ({"errors": "odd", "message": "scope"}, "`content`"),
        ({"errors": [{"context": {"requiredScopes": "odd"}}], "message": "scope"}, "`content`"),
        ("This app hasn't been granted all required scopes to make this call.", "`content`"),
        ("", "`content`"),
    ],
)
def test_a_missing_scope_is_the_one_that_hubspot_names(body: Any, scopes: str) -> None:
    content = body.encode() if isinstance(body, str) else msgspec.json.encode(body)
    decision = decide(403, {}, content)
    assert isinstance(decision, Refuse)
    assert f"the token lacks the scope {scopes}" in decision.sentence


def test_another_403_is_no_matter_of_scopes() -> None:
    body = msgspec.json.encode({"message": "This resource is private to its owner."})
    decision = decide(403, {}, body)
    assert isinstance(decision, Refuse)
    assert "lacks the scope" not in decision.sentence
    assert "private to its owner" in decision.sentence


@pytest.mark.parametrize(
    ("body", "host"),
    [
        (b'{"message":"portal 4711 is unknown to this Hublet"}', "https://api-eu1.hubapi.com"),
        (b'{"message":"portal 4711 belongs to na2"}', "https://api-na2.hubapi.com"),
        (b"", "https://api-eu1.hubapi.com"),
    ],
)
def test_a_wrong_data_centre_is_named_with_the_host_to_try(body: bytes, host: str) -> None:
    decision = decide(488, {}, body)
    assert isinstance(decision, Refuse)
    assert "`api_url`" in decision.sentence
    assert host in decision.sentence


def test_a_refused_token_is_renewed() -> None:
    assert isinstance(answer(401, {"category": "EXPIRED_AUTHENTICATION"}), Reauthorise)


@pytest.mark.parametrize(
    "message",
    [
        "This app hasn't been granted all required scopes to make this call.",
        "auth request is missing required 'content' scope",
        "This oauth-token (abc) does not have proper permissions! (requires any of [email-access])",
        "",
    ],
)
def test_a_missing_scope_is_named(message: str) -> None:
    assert "scope `content`" in answer(403, {"message": message}).sentence


def test_an_account_without_the_api_is_told_what_hubspot_says() -> None:
    sentence = answer(403, {"message": "The account may not use this feature"}).sentence
    assert "The account may not use this feature" in sentence
    assert "marketing email" in sentence


def test_a_locked_resource_is_left_alone_for_two_seconds() -> None:
    assert answer(423).wait >= 2


def test_a_moving_account_is_waited_for_as_long_as_hubspot_says() -> None:
    assert answer(477, Retry_After="30").wait == 30
    assert answer(477).wait > 0


@pytest.mark.parametrize(
    ("body", "policy"),
    [
        ({"policyName": "TEN_SECONDLY_ROLLING"}, "TEN_SECONDLY_ROLLING"),
        ({"policyName": "SECONDLY"}, "SECONDLY"),
        ({"message": "You have reached your secondly limit."}, "SECONDLY"),
        ({"message": "You have reached your ten_secondly_rolling limit."}, "TEN_SECONDLY_ROLLING"),
        (b"<html>", "TEN_SECONDLY_ROLLING"),
    ],
)
def test_a_limit_holds_everybody_back(body: Any, policy: str) -> None:
    assert answer(429, body) == Throttle(policy, None)
    assert answer(429, body, Retry_After="3") == Throttle(policy, 3)


@pytest.mark.parametrize(
    "body", [{"policyName": "DAILY"}, {"message": "You have reached your daily limit."}]
)
def test_a_day_that_is_used_up_is_over(body: Any) -> None:
    assert answer(429, body) == DailyLimitReached()


@given(st.integers(100, 999), st.binary(max_size=200), st.text(max_size=20))
def test_no_answer_at_all_is_a_surprise(status: int, body: bytes, wait: str) -> None:
    decide(status, CaseInsensitiveDict({"Retry-After": wait}), body, now=NOW)


def test_words_of_hubspots_are_quoted_without_addresses_and_tokens() -> None:
    said = (
        "no jane.doe@example.com, jane%40example.com, pat-na1-01234567-89ab-cdef-0123-456789abcdef"
    )
    sentence = answer(400, {"message": said, "category": "VALIDATION_ERROR"}).sentence
    assert "VALIDATION_ERROR" in sentence
    assert "jane" not in sentence
    assert "0123" not in sentence


def test_long_words_are_cut() -> None:
    assert len(scrub("word " * 1000)) < 250
