"""What HubSpot's other endpoints know about an event: its campaign's names, its contact."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import msgspec

from tap_hubspot_email_events.errors import NotFoundError
from tap_hubspot_email_events.lookup import Lookup
from tap_hubspot_email_events.schemas import CAMPAIGN_FIELDS
from tap_hubspot_email_events.streams import CAMPAIGNS_PATH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_hubspot_email_events.client import HubSpotClient, Tally
    from tap_hubspot_email_events.records import Record

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
        self._lookup: Lookup[int, Values] = Lookup(self._ask, batch=1)
        self._apps: dict[int, int] = {}

    def add(self, events: list[Record], tally: Tally) -> None:
        """Add `emailCampaign` to the events of a campaign; 0 is none."""
        campaigns = [event.get("emailCampaignId") for event in events]
        ids = {campaign for campaign in campaigns if type(campaign) is int and campaign}
        if not ids:
            return
        for event, campaign in zip(events, campaigns, strict=True):
            if campaign in ids and event.get("appId"):
                self._apps.setdefault(campaign, event["appId"])
        names = self._lookup.find(sorted(ids), tally)
        for event, campaign in zip(events, campaigns, strict=True):
            if campaign in ids:
                event["emailCampaign"] = dict(zip(CAMPAIGN_FIELDS, names[campaign], strict=True))

    def _ask(self, campaigns: list[int], tally: Tally) -> dict[int, Values]:
        return {campaign: self._names(campaign, tally) for campaign in campaigns}

    def _names(self, campaign: int, tally: Tally) -> Values:
        params = {"appId": self._apps[campaign]} if campaign in self._apps else {}
        path = f"{CAMPAIGNS_PATH}/{campaign}"
        try:
            details = self._client.get(path, params, _decode_campaign, tally)
        except NotFoundError:
            logger.info(
                "HubSpot no longer has the email campaign %d; its events carry no name", campaign
            )
            details = {}
        return tuple(details.get(name) for name in CAMPAIGN_FIELDS)


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
