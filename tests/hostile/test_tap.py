"""What a HubSpot that means harm can do to the tap, its check and its way into the browser."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from hostile.runner import TAP, run_against
from hostile.server import END, HEAD, HUBSPOT, Repeat, Routes, Script, Server, Wait, answer, bomb

if TYPE_CHECKING:
    from pathlib import Path

    from hostile.runner import Outcome

ACCOUNT = "/account-info"
EVENTS = "/email/public/v1/events"
CAMPAIGNS = "/email/public/v1/campaigns"
TOKEN = "/oauth"
PACKAGE = "tap_hubspot_email_events"
LIMITS = {
    f"{PACKAGE}.hubspot.transport.REQUEST_SECONDS": 0.5,
    f"{PACKAGE}.reading.plan.EMPTY_PAGES": 3,
}
DIGITS = "9" * 5000
OF_OTHER_KINDS: tuple[Any, ...] = (-1, 2**63, 1.5, True, None, "x", [], {}, [[1]], {"a": [1]})
DEEP = b"[" * 100_000
OAUTH: dict[str, Any] = {
    "access_token": None,
    "client_id": "sandbox-client",
    "client_secret": "sandbox-client-secret",
    "refresh_token": "sandbox-refresh-token",
}
LIMIT: dict[str, Any] = {
    "X_HubSpot_RateLimit_Max": 100,
    "X_HubSpot_RateLimit_Remaining": 0,
    "X_HubSpot_RateLimit_Interval_Milliseconds": 10_000,
    "X_HubSpot_RateLimit_Daily": 100,
    "X_HubSpot_RateLimit_Daily_Remaining": 100,
}
SLOWLY = Repeat(b"1", every=0.05)


def run_tap(
    server: Server, folder: Path, *arguments: str, command: str = TAP, **settings: Any
) -> Outcome:
    given = {"limits": LIMITS} | settings
    outcome = run_against(server.url, command, *arguments, folder=folder, **given)
    outcome.assert_bounded()
    return outcome


def event(**fields: Any) -> dict[str, Any]:
    created = int((time.time() - 86_400) * 1000)
    return {"id": "e", "created": created, "type": "OPEN", "portalId": 4711} | fields


def page(*events: Any, **more: Any) -> Script:
    return answer({"events": events, "hasMore": False, **more})


def tokens(**fields: Any) -> Script:
    return answer({"access_token": "sandbox-access-token", "expires_in": 1800} | fields)


# What the peer does, beside what `test_session.py` tries, and what the one sentence with which the
# run ends has in it.
REFUSED: dict[str, tuple[Routes, str]] = {
    "silence": ({EVENTS: (Wait(60),)}, "no complete answer came within 0.5 s"),
    "the account's answer a byte now and then": (
        {ACCOUNT: (HEAD + END, SLOWLY)},
        "no complete answer came",
    ),
    "a gzip that becomes 1.5 GB": ({EVENTS: bomb(1_500_000_000)}, "has more than 4 MB"),
    "an error nested too deeply": ({EVENTS: answer(DEEP, 400)}, "HTTP 400"),
    "a refusal nested too deeply": ({EVENTS: answer(DEEP, 403)}, "HTTP 403"),
    "a page nested too deeply": ({EVENTS: answer(DEEP)}, "other than HubSpot's JSON"),
    "a page that is a list": ({EVENTS: answer([])}, "other than HubSpot's JSON"),
    "a page that is a number": ({EVENTS: answer(1)}, "other than HubSpot's JSON"),
    "events that are an object": ({EVENTS: answer({"events": {}})}, "other than HubSpot's JSON"),
    "hasMore that is a list": ({EVENTS: page(hasMore=[])}, "other than HubSpot's JSON"),
    "offset that is an object": ({EVENTS: page(offset={})}, "other than HubSpot's JSON"),
    "pages without an end": (
        {
            EVENTS: [
                page(event(created=1_795_000_000_000), hasMore=True, offset=str(each))
                for each in range(1000)
            ]
        },
        "paging stands still",
    ),
}

OF_TOKENS: dict[str, Script] = {
    "a line break": tokens(access_token="sandbox-access-token\nX: y"),
    "a letter outside Latin-1": tokens(access_token="sandbox-access-token-ж"),
    "a letter of Latin-1": tokens(access_token="sandbox-access-token-é"),
    "an empty token": tokens(access_token=""),
    "a token of a megabyte": tokens(access_token="x" * 1_000_000),
    "a token that is a list": tokens(access_token=["sandbox-access-token"]),
    "a token that expired": tokens(expires_in=-1),
    "NaN": answer(b'{"access_token": "sandbox-access-token", "expires_in": NaN}'),
    "a number of thousands of digits": answer(
        b'{"access_token": "sandbox-access-token", "expires_in": %s}' % DIGITS.encode()
    ),
    "a list": answer(["sandbox-access-token"]),
    "a number": answer(1),
    "nothing": answer(b""),
    "nested too deeply": answer(DEEP),
    "scopes nested too deeply": answer(
        b'{"access_token": "sandbox-access-token", "scopes": %s}' % DEEP
    ),
    "a refresh token with a line break": tokens(refresh_token="sandbox-refresh-token\n"),
    "a gzip that becomes 1.5 GB": bomb(1_500_000_000),
    "a byte now and then": (HEAD + END, SLOWLY),
}

# What does not keep the run from ending well, and in time.
READ: dict[str, Routes] = {
    "an interval of a day": {
        ACCOUNT: answer(
            {"portalId": 4711}, **LIMIT | {"X_HubSpot_RateLimit_Interval_Milliseconds": 86_400_000}
        )
    },
    **{
        f"limits of {name}": {
            path: answer(content, 200, **dict.fromkeys(LIMIT, value))
            for path, content in ((ACCOUNT, {"portalId": 4711}), (EVENTS, {"events": []}))
        }
        for name, value in {
            "thousands of digits": DIGITS,
            "minus five": -5,
            "no number": "x",
        }.items()
    },
    "a portalId that is a list": {ACCOUNT: answer({"portalId": [1]})},
    "a portalId that is an object": {ACCOUNT: answer({"portalId": {"a": 1}})},
    "a portalId of thousands of digits": {ACCOUNT: answer(b'{"portalId": %s}' % DIGITS.encode())},
    "a portalId that is NaN": {ACCOUNT: answer(b'{"portalId": NaN}')},
    "two portalIds": {ACCOUNT: answer(b'{"portalId": 4711, "portalId": "x"}')},
    "an account nested too deeply": {ACCOUNT: answer(DEEP)},
    "events whose fields are of other kinds": {
        EVENTS: page(
            *(
                event() | {name: value}
                for name in ("id", "created", "type", "portalId", "recipient", "emailCampaignId")
                for value in ([], {}, [[1]], {"a": [1]}, None, True, 1.5, -1, "")
            ),
            [],
            None,
            1,
            "x",
        )
    },
    "campaigns of other kinds": {
        EVENTS: page(*(event(emailCampaignId=each) for each in OF_OTHER_KINDS)),
        CAMPAIGNS: answer({"name": {"a": []}, "id": [], "subject": 1, "type": None}),
    },
    "a campaign nested too deeply": {
        EVENTS: page(event(emailCampaignId=1)),
        CAMPAIGNS: answer(DEEP),
    },
    "contacts of other kinds": {
        EVENTS: page(event(recipient="jane@example.com"), event(recipient=["x"])),
        "/crm/v3/objects/contacts": answer(
            {
                "results": [
                    {"properties": {"email": [], "hs_additional_emails": {}, "firstname": {}}}
                ]
            }
        ),
    },
    "words without an end": {ACCOUNT: answer({"message": "a" * 16_000}, 400)},
    "scopes of other kinds": {
        ACCOUNT: answer(
            {
                "category": "MISSING_SCOPES",
                "errors": [{"context": {"requiredScopes": [[], {}, "x" * 5000]}}, 5, None],
            },
            403,
        )
    },
    "a Date of the year 1": {
        EVENTS: answer({"events": [], "hasMore": False}, Date="Mon, 01 Jan 0001 00:00:00 GMT")
    },
    "a Date of an impossible zone": {
        EVENTS: answer({"events": [], "hasMore": False}, Date="Mon, 01 Jan 2029 00:00:00 +9999")
    },
}


@pytest.mark.parametrize(("routes", "words"), REFUSED.values(), ids=REFUSED)
def test_an_answer_that_does_not_count_is_one_sentence(
    tmp_path: Path, routes: Routes, words: str
) -> None:
    with Server(HUBSPOT | routes) as server:
        outcome = run_tap(server, tmp_path)
    assert words in outcome.sentence()


@pytest.mark.parametrize("script", OF_TOKENS.values(), ids=OF_TOKENS)
def test_tokens_that_cannot_be_used_are_one_sentence(tmp_path: Path, script: Script) -> None:
    with Server(HUBSPOT | {TOKEN: script}) as server:
        limits = LIMITS | {f"{PACKAGE}.hubspot.token_endpoint.ATTEMPTS": 1}
        outcome = run_tap(server, tmp_path, limits=limits, **OAUTH)
    assert "token endpoint" in outcome.sentence()


@pytest.mark.parametrize("routes", READ.values(), ids=READ)
def test_what_is_odd_costs_only_itself(tmp_path: Path, routes: Routes) -> None:
    with Server(HUBSPOT | routes) as server:
        limits = LIMITS | {f"{PACKAGE}.hubspot.limiter.TEN_SECONDS": 0.1}
        outcome = run_tap(
            server,
            tmp_path,
            limits=limits,
            enrich_campaigns=True,
            contact_properties=["firstname"],
        )
    assert outcome.code == 0, outcome.err


LISTED: dict[str, tuple[Script, int, str]] = {
    "ids of other kinds": (
        answer({"campaigns": [{"id": each} for each in (*OF_OTHER_KINDS, "../../oauth", 5)]}),
        3,
        "whose id is no whole number: 18;",
    ),
    "pages without an end": (
        answer({"campaigns": [{"id": 5}], "hasMore": True, "offset": "always"}),
        1,
        "says there is more, and sends nothing new: 2;",
    ),
    "empty pages without an end": (
        answer({"campaigns": [], "hasMore": True, "offset": "always"}),
        0,
        "says there is more, and sends nothing new: 2;",
    ),
    "a page before nowhere": (
        answer({"campaigns": [{"id": 5}], "hasMore": True}),
        1,
        "says there is more, and sends nothing new: 2;",
    ),
}


@pytest.mark.parametrize(("script", "campaigns", "warning"), LISTED.values(), ids=LISTED)
def test_the_list_of_campaigns_ends_and_says_what_is_odd(
    tmp_path: Path, script: Script, campaigns: int, warning: str
) -> None:
    metadata = [{"breadcrumb": [], "metadata": {"selected": True}}]
    entry = {"tap_stream_id": "email_campaigns", "schema": {}, "metadata": metadata}
    (tmp_path / "catalog.json").write_text(json.dumps({"streams": [entry]}))
    routes: Routes = {CAMPAIGNS: script, f"{CAMPAIGNS}/5": answer({"id": [], "name": "Newsletter"})}
    with Server(HUBSPOT | routes) as server:
        outcome = run_tap(server, tmp_path, "--catalog=catalog.json")
    assert outcome.code == 0, outcome.err
    assert outcome.out.count('"RECORD"') == campaigns
    assert warning in outcome.err
    assert not [each for each in server.requests if "oauth" in each]


def test_eight_of_the_largest_pages_at_once_fit_into_memory(tmp_path: Path) -> None:
    large = page(*(event(id=f"e{each}", userAgent="x" * 3800) for each in range(1000)))
    with Server(HUBSPOT | {EVENTS: large}) as server:
        outcome = run_tap(server, tmp_path, limits=None, max_concurrent_requests=8)
    assert outcome.code == 0, outcome.err
    assert outcome.out.count('"RECORD"') == 10_000


@pytest.mark.parametrize("name", ["silence", "a page nested too deeply"])
def test_the_check_ends_too(tmp_path: Path, name: str) -> None:
    routes, _ = REFUSED[name]
    with Server(HUBSPOT | routes) as server:
        assert run_tap(server, tmp_path, command=f"{TAP}-check").code == 1
