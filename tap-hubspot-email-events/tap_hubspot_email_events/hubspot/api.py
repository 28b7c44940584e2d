"""HubSpot's API as one run uses it: one client within one limit, and its endpoints."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from tap_hubspot_email_events.hubspot.account import Account
from tap_hubspot_email_events.hubspot.anomalies import Anomalies
from tap_hubspot_email_events.hubspot.auth import AccessToken, OAuth
from tap_hubspot_email_events.hubspot.campaigns import Campaigns
from tap_hubspot_email_events.hubspot.client import HubSpotClient
from tap_hubspot_email_events.hubspot.clock import HubSpotClock
from tap_hubspot_email_events.hubspot.contacts import Contacts
from tap_hubspot_email_events.hubspot.events import fetch_page
from tap_hubspot_email_events.hubspot.limiter import Limiter
from tap_hubspot_email_events.hubspot.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_hubspot_email_events.hubspot.campaigns import Campaign
    from tap_hubspot_email_events.hubspot.client import RequestCount
    from tap_hubspot_email_events.hubspot.events import Event, Page
    from tap_hubspot_email_events.settings import Settings


class HubSpotApi:
    """The client and its endpoints; safe to share by threads."""

    def __init__(
        self, settings: Settings, user_agent: str, *, lists_campaigns: bool = False
    ) -> None:
        """Prepare it; `lists_campaigns` says that all campaigns will be asked for, too."""
        self.stop = threading.Event()
        self.clock = HubSpotClock()
        self.anomalies = Anomalies()
        self.limiter = Limiter(settings.requests_per_10_seconds, time.monotonic)
        transport = Transport(settings.max_concurrent_requests, user_agent)
        self.authenticator = _authenticator(settings, transport, self.stop)
        self.client = HubSpotClient(
            transport,
            self.authenticator,
            self.limiter,
            self.stop,
            clock=self.clock,
            anomalies=self.anomalies,
            api_url=settings.api_url.rstrip("/"),
            max_retries=settings.max_retries,
        )
        self.account = Account(self.anomalies)
        self._settings = settings
        does_both = lists_campaigns and settings.enrich_campaigns
        self._campaigns = Campaigns(self.client, self.anomalies, does_both=does_both)
        self.contacts = Contacts(self.client, settings.contact_properties, self.anomalies)

    def page(
        self, event_type: str, start: int, end: int, offset: str | None, count: RequestCount
    ) -> Page:
        """Fetch a page of events as the settings ask for it; raises what `fetch_page` does."""
        return fetch_page(
            self.client,
            event_type,
            start,
            end,
            count,
            limit=self._settings.page_size,
            offset=offset,
            exclude_filtered=self._settings.exclude_filtered_events,
        )

    def enrich(self, events: list[Event], count: RequestCount) -> None:
        """Add what the settings ask for to a page of events, in place.

        An event of no campaign gets no `emailCampaign`, one without a recipient no `contact`;
        what HubSpot does not know, or no longer, is null.

        Raises:
            TapError: HubSpot does not answer; the events are not to be used.
            StoppedError: The run ended first.
        """
        if self._settings.enrich_campaigns:
            self._campaigns.add(events, count)
        if self._settings.contact_properties:
            self.contacts.add(events, count)

    def campaigns(self, count: RequestCount) -> Iterable[Campaign]:
        """Yield every email campaign of the account, once each."""
        return self._campaigns.all(count)


def _authenticator(
    settings: Settings, transport: Transport, stop: threading.Event
) -> AccessToken | OAuth:
    if settings.access_token is not None:
        return AccessToken(settings.access_token)
    return OAuth(
        transport,
        settings.api_url.rstrip("/"),
        client_id=settings.client_id or "",
        client_secret=settings.client_secret or "",
        refresh_token=settings.refresh_token or "",
        stop=stop,
    )
