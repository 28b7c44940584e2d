"""Contacts: properties of the recipients, read by email address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tap_hubspot_email_events.errors import RefusedError
from tap_hubspot_email_events.hubspot.lookup import Lookup

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_hubspot_email_events.hubspot.client import HubSpotClient, RequestCount
    from tap_hubspot_email_events.hubspot.events import Event

CONTACTS_PATH = "/crm/v3/objects/contacts/batch/read"
CONTACTS_SCOPE = "crm.objects.contacts.read"
CONTACTS_BATCH = 100
"""The most contacts HubSpot reads in one request."""

OF_THE_ADDRESS = frozenset({400, 413, 414, 422})
"""What HubSpot says of a request with an address that it cannot take."""

ALIKE = 8
"""So many addresses refused one by one, and none taken, are taken for a refusal of all."""

REFUSED = "Recipients' addresses that HubSpot refuses: {count}; their events carry no contact"

Values = tuple[Any, ...]


class Contacts:
    """Adds contacts' properties to events; 100 contacts per request, shared by all threads."""

    def __init__(self, client: HubSpotClient, properties: Sequence[str]) -> None:
        """Read `properties`, given by HubSpot's internal names."""
        self._client = client
        self._properties = list(dict.fromkeys(properties))
        self._unknown: Values = (None,) * len(self._properties)
        # HubSpot also finds a contact by its former addresses, and answers with today's `email`.
        read = dict.fromkeys([*self._properties, "email", "hs_additional_emails"])
        self._body = {"idProperty": "email", "properties": list(read)}
        self._lookup: Lookup[str, Values] = Lookup(self._fetch, batch=CONTACTS_BATCH)
        self._seen: set[str] = set()
        # How many addresses HubSpot has looked up, and how many contacts it has returned.
        self.asked = 0
        self.read = 0
        self._accepted = False
        self._refused = 0

    def add(self, events: list[Event], count: RequestCount) -> None:
        """Add `contact` to the events with a recipient; raises what `HubSpotApi.enrich` does."""
        addresses = [address_of(event) for event in events]
        contacts = self._lookup.find([each for each in addresses if each], count)
        for event, address in zip(events, addresses, strict=True):
            if address:
                event["contact"] = dict(zip(self._properties, contacts[address], strict=True))

    @property
    def without_value(self) -> list[str]:
        """The properties that no contact read so far has a value for."""
        return [name for name in self._properties if name not in self._seen]

    def _fetch(self, addresses: list[str], count: RequestCount) -> dict[str, Values]:
        """Read contacts; an address that HubSpot refuses, found by halving, has no contact."""
        try:
            contacts = self._read(addresses, count)
        except RefusedError as error:
            if error.status not in OF_THE_ADDRESS:
                raise
            if len(addresses) > 1:
                half = len(addresses) // 2
                parts = (addresses[:half], addresses[half:])
                return {k: v for part in parts for k, v in self._fetch(part, count).items()}
            self._refused += 1
            if not self._accepted and self._refused >= ALIKE:
                raise
            # Addresses are personal, so only their number is said.
            reason = f"HTTP {error.status}"
            self._client.anomalies.note(f"{REFUSED} ({reason}).", (), count=1)
            return {addresses[0]: self._unknown}
        self._accepted = True
        return contacts

    def _read(self, addresses: list[str], count: RequestCount) -> dict[str, Values]:
        body = self._body | {"inputs": [{"id": address} for address in addresses]}
        answer = self._client.post(
            CONTACTS_PATH, body, _decode_contacts, count, scope=CONTACTS_SCOPE
        )
        contacts = dict.fromkeys(addresses, self._unknown)
        self.asked += len(addresses)
        self.read += len(answer.results)
        for contact in answer.results:
            values = tuple(contact.properties.get(name) for name in self._properties)
            self._seen.update(
                name
                for name, value in zip(self._properties, values, strict=True)
                if value not in (None, "")
            )
            others = str(contact.properties.get("hs_additional_emails") or "")
            for each in (contact.properties.get("email"), *others.split(";")):
                if (address := _address(each)) in contacts:
                    contacts[address] = values
        return contacts


class _Contact(msgspec.Struct):
    properties: dict[str, Any]


class _Contacts(msgspec.Struct):
    results: list[_Contact]


_decode_contacts = msgspec.json.Decoder(_Contacts).decode


def address_of(event: Event) -> str:
    """The recipient's address in lower case, since HubSpot ignores case; empty without one."""
    return _address(event.get("recipient"))


def _address(given: object) -> str:
    return given.strip().lower() if isinstance(given, str) else ""
