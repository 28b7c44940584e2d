from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any

import pytest

from mapper_email_events.common.errors import UserError
from mapper_email_events.email_events import (
    UntreatableError,
    drop_bots,
    engagement_only,
    strip_urls,
)
from mapper_email_events.mapper import TRANSFORMS
from mapper_email_events.pseudonymise import Pseudonymise

if TYPE_CHECKING:
    from mapper_email_events.email_events import Record

KEY = "a key of some length"


def hashed(address: str) -> str:
    return hmac.new(KEY.encode(), address.encode(), "sha256").hexdigest()


def event(kind: str, **fields: Any) -> Record:
    return {
        "id": "1",
        "created": "2026-01-01T00:00:00.000Z",
        "type": kind,
        "recipient": "ada@example.com",
        **fields,
    }


def opened(user_agent: str, **fields: Any) -> Record:
    return event("OPEN", userAgent=user_agent, filteredEvent=False, **fields)


def test_addresses_of_a_contact_become_hashes_and_all_else_of_it_stays() -> None:
    contact = {"email": "Ada@Example.com", "plan": "team", "firstname": "Ada", "company": "7"}
    treated = Pseudonymise(KEY)(event("SENT", contact=contact))
    assert treated["contact"] == contact | {"email": hashed("ada@example.com")}


def test_every_address_of_a_record_becomes_the_keyed_hash_of_it_in_lower_case() -> None:
    treated = Pseudonymise(KEY)(
        event(
            "DROPPED",
            recipient="Ada@Example.com ",
            **{"from": '"Team" <team@example.com>'},
            replyTo=["team@example.com", None],
            cc=["Bob <bob@example.com>, carl@example.com"],
            bcc=[],
            requestedBy="agent@example.com",
            dropMessage="550 <ADA@example.com> is unknown",
            url="https://example.com/?e=ada%40example.com",
            tomorrow={"nested": [{"by": "ada@example.com", "ada@example.com": 1}]},
            emailCampaignId=40,
        )
    )

    ada, team = hashed("ada@example.com"), hashed("team@example.com")
    assert treated == event(
        "DROPPED",
        recipient=ada,
        **{"from": team},
        replyTo=[team, None],
        cc=[f"{hashed('bob@example.com')}, {hashed('carl@example.com')}"],
        bcc=[],
        requestedBy=hashed("agent@example.com"),
        dropMessage=f"550 <{ada}> is unknown",
        url=f"https://example.com/?e={ada}",
        tomorrow={"nested": [{"by": ada, ada: 1}]},
        emailCampaignId=40,
    )


@pytest.mark.parametrize("recipient", ["ada/b=c@example.com", "no address", '"a b"@example.com'])
def test_an_unusual_recipient_is_hashed_as_a_whole_wherever_it_stands(recipient: str) -> None:
    treated = Pseudonymise(KEY)(
        event("BOUNCE", recipient=recipient, response=f"<{recipient.upper()}> refused")
    )

    assert treated["recipient"] == hashed(recipient)
    assert treated["response"] == f"<{hashed(recipient)}> refused"


def test_another_key_gives_another_hash_and_without_one_there_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert Pseudonymise("other").pseudonym("ada@example.com") != hashed("ada@example.com")
    monkeypatch.setenv("PSEUDONYMISE_KEY", " ")
    with pytest.raises(UserError, match="set PSEUDONYMISE_KEY"):
        TRANSFORMS["pseudonymise"]()


@pytest.mark.parametrize(
    "agent",
    [
        "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
        "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
        "YahooCacheSystem; YahooWebServiceClient",
        "SeznamEmailProxy/2.0.174",
        "HEY.com/ImageProxy 1.0",
        "FastMailUA/1.0",
        "Mozilla/5.0 (compatible; MailRuImageProxy/1.0)",
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
            " Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0"
        ),
        "Microsoft Office Existence Discovery",
        "Mozilla/5.0",
    ],
)
def test_an_open_by_a_proxy_is_left_out(agent: str) -> None:
    assert drop_bots(opened(agent)) is None


@pytest.mark.parametrize(
    "record",
    [
        opened("Mozilla/5.0 (X11; Linux x86_64) Firefox/127.0"),
        event("CLICK", filteredEvent=False),
        event("DELIVERED"),
        event("STATUSCHANGE", userAgent="Mozilla/5.0"),
    ],
)
def test_what_a_person_may_have_done_stays(record: Record) -> None:
    assert drop_bots(dict(record)) == record


@pytest.mark.parametrize("kind", ["OPEN", "CLICK", "PRINT", "DELIVERED"])
def test_a_filtered_event_is_left_out(kind: str) -> None:
    assert drop_bots(event(kind, filteredEvent=True, userAgent="Firefox")) is None


@pytest.mark.parametrize(
    "record",
    [
        event("OPEN", filteredEvent=False),
        event("OPEN", filteredEvent=False, userAgent=" "),
        event("OPEN", filteredEvent=False, userAgent={"name": "Firefox"}),
        event("OPEN", userAgent="Firefox"),
        event("CLICK"),
        event("CLICK", filteredEvent="true"),
        event("PRINT", filteredEvent="true"),
    ],
)
def test_bots_that_cannot_be_told_from_people_are_held_back(record: Record) -> None:
    with pytest.raises(UntreatableError):
        drop_bots(record)


def test_query_strings_and_fragments_go_and_the_page_stays() -> None:
    treated = strip_urls(
        event(
            "CLICK", url="https://example.com/a/b?token=1&e=x#top", referer="https://m.example/#x?y"
        )
    )

    assert treated["url"] == "https://example.com/a/b"
    assert treated["referer"] == "https://m.example/"
    assert strip_urls(event("CLICK", url="https://example.com/", referer="")) == event(
        "CLICK", url="https://example.com/", referer=""
    )
    assert strip_urls(event("SENT")) == event("SENT")


@pytest.mark.parametrize("value", [["https://example.com/?a"], {"href": "/?a"}, 1])
def test_a_url_of_another_shape_is_held_back(value: Any) -> None:
    with pytest.raises(UntreatableError):
        strip_urls(event("CLICK", url=value))


@pytest.mark.parametrize("value", [{"address": "ada@example.com"}, 1, [["ada@example.com"]]])
def test_an_address_field_of_another_shape_is_held_back(value: Any) -> None:
    with pytest.raises(UntreatableError):
        Pseudonymise(KEY)(event("OPEN", recipient=value))


@pytest.mark.parametrize("kind", ["OPEN", "CLICK", "SENT", "open", "PRINT", "STATUSCHANGE"])
def test_opens_and_clicks_alone_are_engagement(kind: str) -> None:
    assert engagement_only(event(kind)) == (event(kind) if kind in {"OPEN", "CLICK"} else None)


@pytest.mark.parametrize("name", TRANSFORMS)
@pytest.mark.parametrize(
    "record",
    [
        {},
        {"id": 1, "email": "ada@example.com"},
        {"id": 1, "created": "2026-01-01T00:00:00Z", "recipient": "ada@example.com"},
        {"id": 1, "type": "OPEN", "recipient": "ada@example.com"},
        {"created": 1, "type": "OPEN", "recipient": "ada@example.com"},
        {"id": 1, "created": 1, "type": ["OPEN"], "recipient": "ada@example.com"},
    ],
)
def test_what_is_no_email_event_is_held_back(
    name: str, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PSEUDONYMISE_KEY", KEY)

    with pytest.raises(UntreatableError):
        TRANSFORMS[name]()(record)
