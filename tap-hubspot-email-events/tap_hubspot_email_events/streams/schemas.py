"""JSON schemas of the streams: HubSpot's documented fields, and any it may add.

Only the keys are required: UNBOUNCE events have no type, recipient and campaign, STATUSCHANGE
events no application name, and any nested object may be null or empty.
Sources: HubSpot's Email Analytics API reference and payloads recorded by public connectors.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from tap_hubspot_email_events.common.event_types import STREAM_OF_TYPE
from tap_hubspot_email_events.hubspot.campaigns import CAMPAIGN_FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterable

Schema = dict[str, Any]


def _object(description: str, properties: dict[str, Schema]) -> Schema:
    return {
        "type": ["object", "null"],
        "description": description,
        "properties": properties,
        "additionalProperties": True,
    }


def _one(kind: str, description: str) -> Schema:
    return {"type": [kind, "null"], "description": description}


def _list(items: Schema, description: str) -> Schema:
    return {"type": ["array", "null"], "items": items, "description": description}


def _strings(description: str) -> Schema:
    return _list({"type": ["string", "null"]}, description)


_text = partial(_one, "string")
_count = partial(_one, "integer")
_flag = partial(_one, "boolean")


def _event_id(description: str) -> Schema:
    return _object(
        description,
        {"id": _text("The event's id."), "created": _count("Its creation, in ms since 1970.")},
    )


_KEYS: dict[str, Schema] = {
    "id": {"type": "string", "description": "The event's id, unique together with `created`."},
    "created": {
        "type": "string",
        "format": "date-time",
        "description": "When the event was created.",
    },
    "portalId": {"type": "integer", "description": "The HubSpot account."},
}

_COMMON: dict[str, Schema] = {
    **_KEYS,
    "type": _text("HubSpot's event type; new ones may appear."),
    "recipient": _text("The recipient's email address."),
    "appId": _count("The sending HubSpot application; 0 where there is none."),
    "appName": _text("Its name, which HubSpot may change at any time."),
    "emailCampaignId": _count("The email campaign; 0 where there is none."),
    "emailCampaignGroupId": _count("Campaigns sent by the recipients' time zones share it."),
    "sentBy": _event_id("The SENT event of the message."),
    "obsoletedBy": _event_id("The later event that makes this one obsolete."),
    "causedBy": _event_id("The event that directly caused this one."),
    "hmid": _text("The message's X-HubSpot-MID header; gone from newer payloads."),
    "smtpId": _text("The message's id at the mail server."),
    "sendId": _text("The id of the send."),
    "filteredEvent": _flag("Whether HubSpot's own filters call the event a bot's."),
}

_MESSAGE: dict[str, Schema] = {
    "subject": _text("The subject line."),
    "from": _text("The sender."),
    "replyTo": _strings("Reply-to addresses."),
    "cc": _strings("Copied addresses."),
    "bcc": _strings("Blind-copied addresses."),
}

_CLIENT: dict[str, Schema] = {
    "userAgent": _text("The mail program's or browser's own description."),
    "browser": _object(
        "What HubSpot makes of the user agent.",
        {
            "name": _text("Name."),
            "family": _text("Family."),
            "producer": _text("Producer."),
            "producerUrl": _text("The producer's page."),
            "type": _text("Kind of program."),
            "url": _text("The program's page."),
            "version": _strings("Version, as a list."),
        },
    ),
    "location": _object(
        "Where the IP address was.",
        {
            "country": _text("Country."),
            "state": _text("State or region."),
            "city": _text("City."),
            "zipcode": _text("Postal code."),
            "latitude": _one("number", "Degrees north."),
            "longitude": _one("number", "Degrees east."),
        },
    ),
    "ipAddress": _text("The IP address; HubSpot stopped sending it on 2019-05-29."),
}

_SUBSCRIPTION = _object(
    "One subscription.",
    {
        "id": _count("The subscription type."),
        "status": _text("SUBSCRIBED or UNSUBSCRIBED."),
        "legalBasisChange": _object(
            "The legal basis given.",
            {
                "legalBasisType": _text("Kind of legal basis."),
                "legalBasisExplanation": _text("Its explanation."),
                "optState": _text("OPT_IN, OPT_OUT or NOT_OPTED."),
            },
        ),
    },
)

_OF_TYPE: dict[str, dict[str, Schema]] = {
    "SENT": _MESSAGE,
    "DROPPED": {
        **_MESSAGE,
        "dropReason": _text("Why HubSpot did not send."),
        "dropMessage": _text("The same in words."),
    },
    "SUPPRESSED": {
        "suppressedReason": _text("Why HubSpot did not send."),
        "suppressedMessage": _text("The same in words."),
    },
    "DELIVERED": {"response": _text("The receiving server's reply.")},
    "DEFERRED": {
        "response": _text("The receiving server's reply."),
        "attempt": _count("The number of the attempt."),
    },
    "BOUNCE": {
        "category": _text("HubSpot's best guess of the cause."),
        "response": _text("The receiving server's reply."),
        "status": _text("The reply's status code."),
    },
    "OPEN": {
        **_CLIENT,
        "deviceType": _text("COMPUTER, MOBILE or another."),
        "duration": _count("About how long the email was open, in ms."),
    },
    "CLICK": {
        **_CLIENT,
        "deviceType": _text("COMPUTER, MOBILE or another."),
        "url": _text("The link."),
        "referer": _text("The page the click came from; may be empty."),
        "linkId": _count("The link's number in the email."),
    },
    "PRINT": _CLIENT,
    "FORWARD": _CLIENT,
    "SPAMREPORT": {key: _CLIENT[key] for key in ("userAgent", "ipAddress")},
    "STATUSCHANGE": {
        "source": _text("Where the change came from."),
        "sourceId": _text("The same more closely, as free text."),
        "subscriptions": _list(_SUBSCRIPTION, "The subscriptions changed."),
        "portalSubscriptionStatus": _text("The recipient's status for the whole account."),
        "requestedBy": _text("Who asked for the change."),
        "requestedByUserId": _count("The same as a HubSpot user."),
        "bounced": _flag("Whether a bounce was the cause."),
    },
}


def event_schema(event_type: str, contact_properties: Iterable[str] = ()) -> Schema:
    """The schema of a stream of one event type, with the properties read of its contacts."""
    # HubSpot gives every contact property as text, whatever its kind.
    contact = {name: _text("A property of the contact.") for name in contact_properties}
    return {
        "type": "object",
        "properties": {
            **_COMMON,
            **_OF_TYPE.get(event_type, {}),
            "emailCampaign": _object(
                "The email campaign, where `enrich_campaigns` is on.",
                {name: CAMPAIGN_SCHEMA["properties"][name] for name in CAMPAIGN_FIELDS},
            ),
            "contact": _object(
                "The recipient in HubSpot, where `contact_properties` names any.", contact
            ),
        },
        "required": list(_KEYS),
        "additionalProperties": True,
    }


CAMPAIGN_SCHEMA: Schema = {
    "type": "object",
    "properties": {
        "portalId": {"type": "integer", "description": "The HubSpot account."},
        "id": {
            "type": "integer",
            "description": "The email campaign, `emailCampaignId` in events.",
        },
        "appId": _count("The sending HubSpot application."),
        "appName": _text("Its name."),
        "contentId": _count("The marketing email."),
        "subject": _text("The subject line."),
        "name": _text("The name in HubSpot."),
        "type": _text("BATCH_EMAIL, AUTOMATED_EMAIL or another."),
        "subType": _text("A closer kind."),
        "numIncluded": _count("Recipients included."),
        "numQueued": _count("Messages queued."),
        "counters": _object(
            "Events so far by kind.",
            {kind.lower(): _count(f"Events of type {kind}.") for kind in STREAM_OF_TYPE},
        ),
        "lastUpdatedTime": _count("Last activity, in ms since 1970."),
        "lastProcessingStartedAt": _count("In ms since 1970."),
        "lastProcessingFinishedAt": _count("In ms since 1970."),
        "lastProcessingStateChangeAt": _count("In ms since 1970."),
        "processingState": _text("How far the sending has come."),
    },
    "required": ["portalId", "id"],
    "additionalProperties": True,
}


def with_own_fields(schema: Schema, own: Schema) -> Schema:
    """A schema, such as that of an older catalog, with the properties it lacks of our own."""
    properties = dict(schema.get("properties") or {})
    for name, each in own["properties"].items():
        given = properties.get(name)
        if given is None:
            properties[name] = each
        elif "properties" in each:
            properties[name] = with_own_fields(given, each)
    return {**schema, "properties": properties}
