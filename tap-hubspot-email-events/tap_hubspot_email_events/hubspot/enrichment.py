"""What HubSpot's other endpoints know about an event: its campaign's names, its contact."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import msgspec

from tap_hubspot_email_events.errors import NotFoundError
from tap_hubspot_email_events.hubspot.lookup import Lookup
from tap_hubspot_email_events.streams.event_stream import CAMPAIGNS_PATH
from tap_hubspot_email_events.streams.schemas import CAMPAIGN_FIELDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_hubspot_email_events.hubspot.client import HubSpotClient, Tally
    from tap_hubspot_email_events.reading.records import Record

CONTACTS_PATH = "/crm/v3/objects/contacts/batch/read"
CONTACTS_SCOPE = "crm.objects.contacts.read"
CONTACTS_BATCH = 100
"""The most contacts HubSpot reads in one request."""

Values = tuple[Any, ...]

logger = logging.getLogger(__name__)


class Enrichment:
    """Adds `emailCampaign` and `contact` to events; shared by all threads of a run."""

    def __init__(
        self, client: HubSpotClient, *, campaigns: bool, contact_properties: Sequence[str]
    ) -> None:
        """Ask through `client`, for what is switched on and no more."""
        self._campaigns = CampaignNames(client) if campaigns else None
        self._contacts = Contacts(client, contact_properties) if contact_properties else None

    def enrich(self, events: list[Record], tally: Tally) -> None:
        """Enrich a page of events, in place.

        An event of no campaign gets no `emailCampaign`, one without a recipient no `contact`;
        what HubSpot does not know, or no longer, is null.

        Raises:
            TapError: HubSpot does not answer; the page is not to be used.
            StoppedError: The run ended first.
        """
        if self._campaigns is not None:
            self._campaigns.add(events, tally)
        if self._contacts is not None:
            self._contacts.add(events, tally)


class CampaignNames:
    """Names, subjects and kinds of email campaigns, one request each."""

    def __init__(self, client: HubSpotClient) -> None:
        """Know no campaign yet."""
        self._client = client
        self._lookup: Lookup[int, Record] = Lookup(self._ask, batch=1)
        self._apps: dict[int, int] = {}

    def add(self, events: list[Record], tally: Tally) -> None:
        """Add `emailCampaign` to the events of a campaign; 0 is none."""
        given = [event.get("emailCampaignId") for event in events]
        campaigns = [each if type(each) is int else 0 for each in given]
        ids = set(campaigns) - {0}
        if unseen := ids - self._apps.keys():
            self._apps.update(
                (campaign, event.get("appId") or 0)
                for campaign, event in zip(campaigns, events, strict=True)
                if campaign in unseen
            )
        names = self._lookup.find(ids, tally)
        for campaign, event in zip(campaigns, events, strict=True):
            if campaign in ids:
                # A copy, because the SDK takes deselected properties out of it.
                event["emailCampaign"] = names[campaign].copy()

    def _ask(self, campaigns: list[int], tally: Tally) -> dict[int, Record]:
        return {campaign: self._names(campaign, tally) for campaign in campaigns}

    def _names(self, campaign: int, tally: Tally) -> Record:
        params = {"appId": app} if (app := self._apps[campaign]) else {}
        path = f"{CAMPAIGNS_PATH}/{campaign}"
        try:
            details = self._client.get(path, params, _decode_campaign, tally)
        except NotFoundError:
            logger.info(
                "HubSpot no longer has the email campaign %d; its events carry no name", campaign
            )
            details = {}
        return {name: details.get(name) for name in CAMPAIGN_FIELDS}


class Contacts:
    """Properties of the recipients, a hundred by one request."""

    def __init__(self, client: HubSpotClient, properties: Sequence[str]) -> None:
        """Read `properties`, by HubSpot's internal names."""
        self._client = client
        self._properties = list(dict.fromkeys(properties))
        self._unknown: Values = (None,) * len(self._properties)
        # Addresses a contact had before still find it; the answer's `email` is today's.
        asked = dict.fromkeys([*self._properties, "email", "hs_additional_emails"])
        self._question = {"idProperty": "email", "properties": list(asked)}
        self._lookup: Lookup[str, Values] = Lookup(self._ask, batch=CONTACTS_BATCH)

    def add(self, events: list[Record], tally: Tally) -> None:
        """Add `contact` to the events that have a recipient."""
        addresses = [_address(event.get("recipient")) for event in events]
        contacts = self._lookup.find([each for each in addresses if each], tally)
        for event, address in zip(events, addresses, strict=True):
            if address:
                event["contact"] = dict(zip(self._properties, contacts[address], strict=True))

    def _ask(self, addresses: list[str], tally: Tally) -> dict[str, Values]:
        question = self._question | {"inputs": [{"id": address} for address in addresses]}
        answer = self._client.post(
            CONTACTS_PATH, question, _decode_contacts, tally, scope=CONTACTS_SCOPE
        )
        contacts = dict.fromkeys(addresses, self._unknown)
        for contact in answer.results:
            values = tuple(contact.properties.get(name) for name in self._properties)
            others = str(contact.properties.get("hs_additional_emails") or "")
            for each in (contact.properties.get("email"), *others.split(";")):
                if (address := _address(each)) in contacts:
                    contacts[address] = values
        return contacts


class _Contact(msgspec.Struct):
    properties: dict[str, Any]


class _Contacts(msgspec.Struct):
    results: list[_Contact]


_decode_campaign = msgspec.json.Decoder(dict[str, Any]).decode
_decode_contacts = msgspec.json.Decoder(_Contacts).decode


def _address(recipient: object) -> str:
    """An address as HubSpot compares it, which knows no upper case; empty where there is none."""
    return recipient.strip().lower() if isinstance(recipient, str) else ""
