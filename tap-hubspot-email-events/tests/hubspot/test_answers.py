"""Each answer of HubSpot's has one decision, with what the user reads and how long is waited."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from tap_hubspot_email_events.hubspot.answers import (
    LONGEST_WAIT,
    Accept,
    DailyLimitReached,
    Decision,
    Reauthorise,
    Refuse,
    Retry,
    Throttle,
    decide,
)

LACKS = "HubSpot refused the request (HTTP 403): the token lacks the scope "
ADD_IT = (
    "; add it to the service key or app in HubSpot, and after a change of an OAuth app connect the "
    "account again as a super admin"
)


def answer(status: int, body: Any = "", wait: str | None = None) -> Decision:
    content = body if isinstance(body, bytes) else (json.dumps(body) if body else "").encode()
    return decide(status, {} if wait is None else {"Retry-After": wait}, content)


@pytest.mark.parametrize("status", [200, 204, 299])
def test_what_is_used(status: int) -> None:
    assert answer(status, {"message": "ignored"}) == Accept()


@pytest.mark.parametrize(
    ("status", "reason", "least"),
    [
        (408, "HTTP 408", 0.0),
        (425, "HTTP 425", 0.0),
        (423, "HTTP 423, locked", 2.0),
        (477, "HTTP 477, the account is being moved", 10.0),
        (500, "HTTP 500", 0.0),
        (530, "HTTP 530", 0.0),
        (599, "HTTP 599", 0.0),
    ],
)
def test_what_is_tried_again(status: int, reason: str, least: float) -> None:
    assert answer(status) == Retry(reason, least, status)
    assert answer(status, wait="12") == Retry(reason, 12.0, status)
    shortest = 2.0 if status == 423 else 0.0
    assert answer(status, wait="0") == Retry(reason, shortest, status)


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (
            404,
            {},
            "HubSpot has no such address (HTTP 404); check `api_url`, and whether HubSpot still "
            "offers this API",
        ),
        (414, {}, "HubSpot found the request's address too long (HTTP 414)"),
        (300, {}, "the answer was a redirect (HTTP 300); check `api_url`"),
        (400, {}, "HubSpot refused the request (HTTP 400)"),
        (400, b'{"message": "\xff"}', "HubSpot refused the request (HTTP 400)"),
        (422, [{"message": "x"}], "HubSpot refused the request (HTTP 422)"),
        (499, {"message": "No."}, "HubSpot refused the request (HTTP 499): No."),
        (
            400,
            {"message": "No.", "category": "VALIDATION_ERROR"},
            "HubSpot refused the request (HTTP 400): VALIDATION_ERROR, No.",
        ),
        (
            403,
            b" Blocked by the firewall",
            "HubSpot refused the request (HTTP 403); check that the account has what is asked for, "
            "marketing email above all, and the token the scope `content`",
        ),
        (
            403,
            {"message": "Private.", "by": "a scope"},
            "HubSpot refused the request (HTTP 403): Private.; check that the account has what is "
            "asked for, marketing email above all, and the token the scope `content`",
        ),
        (
            488,
            b"\xff see NA2 \xff",
            "`api_url` leads to a data centre of HubSpot's that does not serve this account (HTTP "
            "488); set it to https://api.hubapi.com, which serves all, or to the account's own, "
            "https://api-na2.hubapi.com for example",
        ),
    ],
)
def test_what_is_given_up(status: int, body: Any, sentence: str) -> None:
    assert answer(status, body) == Refuse(sentence, status)


def test_the_scope_asked_for_is_the_one_that_is_missed() -> None:
    scope = "crm.objects.contacts.read"
    assert decide(403, {}, b"", scope=scope) == Refuse(f"{LACKS}`{scope}`{ADD_IT}", 403)


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
        ({"message": "This oauth-token (CJ) does not have proper permissions!"}, "`content`"),
        (b"This app hasn't been granted all required scopes to make this call.", "`content`"),
        (b"\xff scope \xff", "`content`"),
        ({"errors": "odd", "message": "scope"}, "`content`"),
        ({"errors": [{"context": {"requiredScopes": "odd"}}], "message": "scope"}, "`content`"),
        ({"errors": [None, {"context": None}, {"context": []}], "message": "scope"}, "`content`"),
        (
            {"errors": [{"context": {"requiredScopes": [5, "a b", "ab", "abc", "abd", "abc"]}}]},
            "`abc` or `abd`",
        ),
        (
            {
                "errors": [
                    {"context": {"requiredScopes": [f"scope-{n}" for n in range(4)]}},
                    {"context": {"requiredGranularScopes": [f"more-{n}" for n in range(4)]}},
                ],
                "message": "requires one of [other-read]",
            },
            "`scope-0` or `scope-1` or `scope-2` or `scope-3` or `more-0`",
        ),
        (
            {"message": "(requires one of [leads-read, leads-write])"},
            "`leads-read` or `leads-write`",
        ),
        ({"message": "missing required 'abc,def' scope"}, "`abc` or `def`"),
    ],
)
def test_scopes_are_named_once_each_and_five_at_most(body: Any, scopes: str) -> None:
    assert answer(403, body) == Refuse(f"{LACKS}{scopes}{ADD_IT}", 403)


def test_a_refused_token_is_renewed() -> None:
    assert answer(401, {"category": "EXPIRED_AUTHENTICATION"}) == Reauthorise()


@pytest.mark.parametrize(
    ("body", "decision"),
    [
        ({"policyName": "daily"}, DailyLimitReached()),
        ({"policyName": "DAILY"}, DailyLimitReached()),
        ({"message": "You have reached your DAILY limit."}, DailyLimitReached()),
        (
            {"policyName": "SECONDLY", "message": "daily and secondly"},
            Throttle("SECONDLY", None),
        ),
        ({"policyName": "search"}, Throttle("SEARCH", None)),
        ({"message": "Your SECONDLY limit"}, Throttle("SECONDLY", None)),
        (
            {"message": "You have reached your ten_secondly_rolling limit."},
            Throttle("TEN_SECONDLY_ROLLING", None),
        ),
        (b"<html>", Throttle("TEN_SECONDLY_ROLLING", None)),
        ({"policyName": None, "message": None}, Throttle("TEN_SECONDLY_ROLLING", None)),
    ],
)
def test_which_limit_is_used_up(body: Any, decision: Decision) -> None:
    assert answer(429, body) == decision


def test_a_limit_is_waited_for_as_long_as_hubspot_says() -> None:
    assert answer(429, wait="7") == Throttle("TEN_SECONDLY_ROLLING", 7.0)
    assert answer(429, {"policyName": "SECONDLY"}, wait="3") == Throttle("SECONDLY", 3.0)
    assert answer(429, wait="3600") == Throttle("TEN_SECONDLY_ROLLING", LONGEST_WAIT)
    date = (datetime.now(timezone.utc) + timedelta(hours=1)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    assert answer(500, wait=date) == Retry("HTTP 500", LONGEST_WAIT, 500)


def test_words_of_hubspots_are_quoted_without_addresses_and_tokens() -> None:
    said = (
        "no jane.doe@example.com, jane%40example.com, pat-na1-01234567-89ab-cdef-0123-456789abcdef"
    )
    decision = answer(400, {"message": said, "category": "VALIDATION_ERROR"})
    assert decision == Refuse(
        "HubSpot refused the request (HTTP 400): VALIDATION_ERROR, no …, …, …", 400
    )


@given(st.integers(100, 999), st.binary(max_size=200), st.text(max_size=20))
def test_no_answer_at_all_is_a_surprise(status: int, body: bytes, wait: str) -> None:
    decide(status, CaseInsensitiveDict({"Retry-After": wait}), body)
