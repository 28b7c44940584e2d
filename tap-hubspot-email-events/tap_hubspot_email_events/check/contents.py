"""Assumptions about what events, campaigns and contacts are like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_hubspot_email_events.check.account_checks import CONTENT_SCOPE
from tap_hubspot_email_events.check.evidence import DAY, SAMPLE_DAYS
from tap_hubspot_email_events.check.probe import key
from tap_hubspot_email_events.common.event_types import STREAM_OF_TYPE
from tap_hubspot_email_events.common.findings import ASSUMED, DIFFERS, UNKNOWN
from tap_hubspot_email_events.errors import NotFoundError
from tap_hubspot_email_events.hubspot.contacts import CONTACTS_PATH, CONTACTS_SCOPE, address_of
from tap_hubspot_email_events.streams.schemas import event_schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_hubspot_email_events.check.evidence import Evidence

FILTERED_TYPES = ("CLICK", "OPEN")
MISSING_ON_UNBOUNCE = ("type", "recipient", "portalId", "appId", "appName", "emailCampaignId")
MOST_NAMED = 8
FEW_ADDRESSES = 10
NOBODY = "nobody@hubspot-check.invalid"
"""An address of nobody's, since the top-level domain `invalid` never exists (RFC 2606)."""

_JSON_NAMES: Mapping[type, tuple[str, ...]] = {
    str: ("string",),
    int: ("integer", "number"),
    float: ("number",),
    bool: ("boolean",),
    dict: ("object",),
    list: ("array",),
    type(None): ("null",),
}


def event_type_filter(evidence: Evidence) -> tuple[str, str]:
    """EventType returns events of that type alone.

    Relied on by streams/streams.py, EventStream: a stream for each type.
    """
    types = [
        (str(event["type"])[:40], page.event_type)
        for page, event in evidence.probe.events
        if event.get("type") is not None
    ]
    if others := {f"{given} for {asked}" for given, asked in types if given != asked}:
        return DIFFERS, ", ".join(sorted(others)[:MOST_NAMED])
    return (
        (ASSUMED, f"all {len(types):,} events") if types else (UNKNOWN, "no event names its type")
    )


def event_types(evidence: Evidence) -> tuple[str, str]:
    """Each of the 21 event types can be asked for.

    Relied on by common/event_types.py, STREAM_OF_TYPE.
    """
    asked = {page.event_type for page in evidence.probe.pages}
    start = evidence.now - SAMPLE_DAYS * DAY
    answers = {
        kind: evidence.probe.refusal(kind, start, evidence.now, limit=10)
        for kind in sorted(STREAM_OF_TYPE.keys() - asked)
    }
    refused = [f"{kind} ({status})" for kind, status in answers.items() if status]
    if refused:
        return DIFFERS, f"refused: {', '.join(refused)}"
    return ASSUMED, f"{len(STREAM_OF_TYPE)} types"


def exclude_filtered_events(evidence: Evidence) -> tuple[str, str]:
    """ExcludeFilteredEvents leaves out the events with filteredEvent, and no other.

    Relied on by hubspot/api.py, HubSpotApi.page: the setting exclude_filtered_events.
    """
    count = 0
    for kind in FILTERED_TYPES:
        start = evidence.closed - SAMPLE_DAYS * DAY
        window = evidence.probe.page(kind, start, evidence.closed).complete()
        if not window.events:
            continue
        page = evidence.probe.page(kind, window.start, window.end, exclude_filtered=True)
        filtered = {key(event) for event in window.events if event.get("filteredEvent") is True}
        left, lost = len(filtered & page.keys), len(window.keys - filtered - page.keys)
        if left or lost:
            words = f"{left} of {len(filtered)} filtered {kind} events are returned"
            return DIFFERS, f"{words}, {lost} others are not"
        count += len(filtered)
    return (ASSUMED, f"{count:,} events left out") if count else (UNKNOWN, "no event is filtered")


def id_and_created(evidence: Evidence) -> tuple[str, str]:
    """Each event has an id that is text and a created that is milliseconds.

    Relied on by reading/records.py, split_valid: key properties and bookmark.
    """
    count = 0
    wrong: set[str] = set()
    for page in evidence.probe.pages:
        for event in page.raw:
            count += 1
            if not isinstance(event, dict):
                wrong.add(f"an event that is {_name(event)}")
                continue
            for name, kind in (("id", str), ("created", int)):
                if type(event.get(name)) is not kind or event[name] in ("", 0):
                    wrong.add(f"{name} is {_name(event.get(name))} on {page.event_type}")
    if wrong:
        return DIFFERS, ", ".join(sorted(wrong)[:MOST_NAMED])
    return (ASSUMED, f"all {count:,} events") if count else (UNKNOWN, "no events")


def ids_unique(evidence: Evidence) -> tuple[str, str]:
    """No two events have the same id, not of different types either.

    Relied on by reading/digests.py, event_hash: and the target's insert_id.
    """
    repeated = sum(len(page.events) - len(page.keys) for page in evidence.probe.pages)
    places: dict[str, set[tuple[int, str]]] = {}
    for _, event in evidence.probe.events:
        # UNBOUNCE has none.
        kind = str(event.get("type") or "no type")
        places.setdefault(event["id"], set()).add((event["created"], kind))
    shared = [place for place in places.values() if len(place) > 1]
    if repeated or shared:
        kinds = sorted({kind for place in shared for _, kind in place})
        words = f"{repeated} repeated on a page, {len(shared)} ids of several events"
        return (DIFFERS, f"{words} ({', '.join(kinds)[:80]})" if kinds else words)
    return (ASSUMED, f"{len(places):,} ids") if places else (UNKNOWN, "no events")


def portal_of_token(evidence: Evidence) -> tuple[str, str]:
    """An event's portalId is the token's account.

    Relied on by reading/records.py: a missing portalId is filled in from the account.
    """
    given = [event.get("portalId") for _, event in evidence.probe.events]
    portals = [each for each in given if each is not None]
    if evidence.checks.portal_id is None or not portals:
        return UNKNOWN, "no event names its portal, or the token's is not known"
    others = sum(portal != evidence.checks.portal_id for portal in portals)
    if others:
        return DIFFERS, f"{others:,} of {len(portals):,} events name another portal"
    return ASSUMED, f"all {len(portals):,} events"


def field_types(evidence: Evidence) -> tuple[str, str]:
    """Fields have the JSON types that HubSpot documents.

    Relied on by streams/schemas.py, event_schema.
    """
    schemas = {kind: event_schema(kind) for kind in STREAM_OF_TYPE}
    wrong: set[str] = set()
    more: set[str] = set()
    kinds: set[str] = set()
    for page, event in evidence.probe.events:
        kinds.add(page.event_type)
        schema = schemas[page.event_type]
        more |= event.keys() - schema["properties"].keys()
        # A record's `created` is text; HubSpot's is looked at on its own.
        rest = {name: value for name, value in event.items() if name != "created"}
        wrong |= {f"{page.event_type}.{each}" for each in _mismatches(schema, rest, "")}
    if wrong:
        return DIFFERS, ", ".join(sorted(wrong)[:MOST_NAMED])
    if not kinds:
        return UNKNOWN, "no events"
    others = f"; not in the schemas: {', '.join(sorted(more)[:MOST_NAMED])}" if more else ""
    return ASSUMED, f"events of {len(kinds)} types{others}"


def _mismatches(schema: Mapping[str, Any], value: Any, path: str) -> Iterator[str]:
    """The fields below `path` whose value is of another type than declared."""
    declared = schema["type"]
    names = [declared] if isinstance(declared, str) else declared
    if not any(name in names for name in _JSON_NAMES[type(value)]):
        yield f"{path.lstrip('.')} is {_name(value)}"
    elif isinstance(value, dict):
        for name, inner in schema["properties"].items():
            if name in value:
                yield from _mismatches(inner, value[name], f"{path}.{name}")
    elif isinstance(value, list):
        for each in value:
            yield from _mismatches(schema["items"], each, f"{path}[]")


def _name(value: Any) -> str:
    return _JSON_NAMES[type(value)][0]


def unbounce(evidence: Evidence) -> tuple[str, str]:
    """UNBOUNCE can be asked for, and has no type, recipient, portal, application or campaign.

    Relied on by reading/records.py: type and portalId are filled in; the target has no user for it.
    """
    page = evidence.probe.page("UNBOUNCE", 1, evidence.now, limit=100)
    events = [event for event in page.raw if isinstance(event, dict)]
    if not events:
        return UNKNOWN, "no UNBOUNCE event in the account"
    names = sorted({name for event in events for name in event})
    present = [name for name in MISSING_ON_UNBOUNCE if name in names]
    if present:
        return DIFFERS, f"has {', '.join(present)}"
    return ASSUMED, f"{len(events)} events with {', '.join(names)}"


def content_scope(evidence: Evidence) -> tuple[str, str]:
    """The scope `content` is enough to read events, with this kind of token too.

    Relied on by hubspot/client.py, HubSpotClient.get: what the README tells to create.
    """
    checks = evidence.checks
    kind = f"kind of token: {checks.kind_of_credentials or 'unknown'}"
    if checks.scopes is None:
        return UNKNOWN, f"the scopes are not told; {kind}"
    if CONTENT_SCOPE in checks.scopes:
        return (ASSUMED, kind) if checks.readable else (DIFFERS, f"events cannot be read; {kind}")
    if checks.readable:
        return DIFFERS, f"events can be read without it; {kind}"
    return UNKNOWN, f"the token does not have it; {kind}"


def campaign_by_id(evidence: Evidence) -> tuple[str, str]:
    """A campaign is described by its id, with name, subject and type as text.

    Relied on by hubspot/campaigns.py, campaign_details: the object emailCampaign.
    """
    if evidence.checks.campaign is None:
        return UNKNOWN, "no campaign of the newest events was read"
    asked, details = evidence.checks.campaign
    if details.get("id") != asked:
        return DIFFERS, "the description has another id than the one asked for"
    odd = [
        f"{name} is {_name(details.get(name))}"
        for name in ("name", "subject", "type")
        if not isinstance(details.get(name), str | None)
    ]
    return (DIFFERS, ", ".join(odd)) if odd else (ASSUMED, "one campaign")


def contacts_by_email(evidence: Evidence) -> tuple[str, str]:
    """Contacts are found by address, and an unknown address costs no other.

    Relied on by hubspot/contacts.py, Contacts._read: the object contact.
    """
    if not evidence.settings.contact_properties:
        return UNKNOWN, "contact_properties is not set"
    addresses = {address_of(event) for _, event in evidence.probe.events} - {""}
    asked = [*sorted(addresses)[:FEW_ADDRESSES], NOBODY]
    body = {
        "idProperty": "email",
        "properties": ["email", "hs_additional_emails"],
        "inputs": [{"id": address} for address in asked],
    }
    try:
        answer = evidence.probe.post(CONTACTS_PATH, body, scope=CONTACTS_SCOPE)
    except NotFoundError:
        return DIFFERS, "an unknown address is answered with HTTP 404"
    found = 0
    for contact in answer.get("results") or []:
        properties = contact.get("properties") or {}
        others = str(properties.get("hs_additional_emails") or "").split(";")
        known = {str(each or "").strip().lower() for each in (properties.get("email"), *others)}
        if not known & set(asked):
            return DIFFERS, "a contact comes without the address it was asked for by"
        found += 1
    return (
        (ASSUMED, f"{found} of {len(asked) - 1} addresses") if found else (UNKNOWN, "none is known")
    )


def date_header(evidence: Evidence) -> tuple[str, str]:
    """Answers have a Date.

    Relied on by hubspot/clock.py, HubSpotClock: a wrong clock of this machine costs no event.
    """
    if evidence.probe.api.clock.earliest is None:
        return DIFFERS, "no answer has one"
    return ASSUMED, "yes"


def limit_headers(evidence: Evidence) -> tuple[str, str]:
    """Answers have X-HubSpot-RateLimit-Max and -Remaining.

    Relied on by hubspot/limiter.py, Limiter.learn: room for other apps.
    """
    limit = evidence.probe.api.limiter.requests_per_10_seconds
    return (DIFFERS, "no answer has them") if limit is None else (ASSUMED, f"{limit:,} in 10 s")
