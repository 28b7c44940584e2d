"""HubSpot's API as one run uses it: one client within one limit, and its endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_hubspot_email_events.hubspot.account import Account
from tap_hubspot_email_events.hubspot.campaigns import Campaigns
from tap_hubspot_email_events.hubspot.client import HubSpotClient
from tap_hubspot_email_events.hubspot.contacts import Contacts
from tap_hubspot_email_events.hubspot.events import EVENTS_PATH, decode_page

if TYPE_CHECKING:
    from tap_hubspot_email_events.hubspot.client import RequestCount
    from tap_hubspot_email_events.hubspot.events import Event, Page
    from tap_hubspot_email_events.settings import Settings


class HubSpotApi:
    """The client and its endpoints; safe to share by threads."""

    def __init__(self, settings: Settings, user_agent: str) -> None:
        self.client = HubSpotClient(settings, user_agent)
        self.authenticator = self.client.authenticator
        self.stop = self.client.stop
        self.clock = self.client.clock
        self.anomalies = self.client.anomalies
        self.limiter = self.client.limiter
        self.account = Account(self.client)
        self.contacts = Contacts(self.client, settings.contact_properties)
        self.campaigns = Campaigns(self.client)
        self._settings = settings

    def page(  # noqa: PLR0913 - HubSpot's parameters
        self,
        event_type: str,
        start: int | None,
        end: int,
        offset: str | None,
        count: RequestCount,
        *,
        limit: int | None = None,
        exclude_filtered: bool | None = None,
    ) -> Page:
        """Fetch one page of the events between two instants, both inclusive, in milliseconds.

        HubSpot fails with status 500 where `start` is the epoch itself. `limit` and
        `exclude_filtered`, which leaves out what HubSpot calls bots, are those of the settings
        unless given. Raises what `HubSpotClient.get` does.
        """
        settings = self._settings
        if exclude_filtered is None:
            exclude_filtered = settings.exclude_filtered_events
        params: dict[str, Any] = {
            "eventType": event_type,
            "endTimestamp": end,
            "limit": limit or settings.page_size,
        }
        if start is not None:
            params["startTimestamp"] = start
        if offset is not None:
            params["offset"] = offset
        if exclude_filtered:
            params["excludeFilteredEvents"] = "true"
        return self.client.get(EVENTS_PATH, params, decode_page, count)

    def enrich(self, events: list[Event], count: RequestCount) -> None:
        """Add what the settings ask for to a page of events, in place.

        An event of no campaign gets no `emailCampaign`, one without a recipient no `contact`;
        what HubSpot does not know, or no longer, is null.

        Raises:
            TapError: HubSpot does not answer; the events are not to be used.
            StoppedError: The run ended first.
        """
        if self._settings.enrich_campaigns:
            self.campaigns.add(events, count)
        if self._settings.contact_properties:
            self.contacts.add(events, count)
