"""The HubSpot account a tap reads: one client within one limit, and the questions put to it."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import msgspec

from tap_hubspot_email_events.hubspot.auth import AccessToken, OAuth
from tap_hubspot_email_events.hubspot.client import HubSpotClient, Tally
from tap_hubspot_email_events.hubspot.enrichment import Enrichment
from tap_hubspot_email_events.hubspot.limiter import Limiter
from tap_hubspot_email_events.hubspot.transport import Transport
from tap_hubspot_email_events.reading.records import complete, decode_page

if TYPE_CHECKING:
    from tap_hubspot_email_events.reading.records import Page, Record
    from tap_hubspot_email_events.settings import Settings

EVENTS_PATH = "/email/public/v1/events"
ACCOUNT_PATH = "/account-info/v3/details"


class Account:
    """One HubSpot account, asked through one client within one limit."""

    def __init__(self, settings: Settings, user_agent: str) -> None:
        """Prepare to ask; nothing is sent yet."""
        self.stop = threading.Event()
        self.limiter = Limiter(settings.requests_per_10_seconds, time.monotonic)
        transport = Transport(settings.max_concurrent_requests, user_agent)
        self.client = HubSpotClient(
            transport,
            _authenticator(settings, transport, self.stop),
            self.limiter,
            self.stop,
            api_url=settings.api_url,
            max_retries=settings.max_retries,
        )
        self._enrichment = Enrichment(
            self.client,
            campaigns=settings.enrich_campaigns,
            contact_properties=settings.contact_properties,
        )
        self._settings = settings
        self._portal_id: int | None = None
        self._lock = threading.Lock()

    def events(  # noqa: PLR0913 - the endpoint's own parameters
        self,
        event_type: str,
        start: int,
        end: int,
        offset: str | None,
        tally: Tally,
        *,
        limit: int | None = None,
    ) -> Page:
        """One page of events between two instants, both inclusive, in milliseconds."""
        params = {
            "eventType": event_type,
            # HubSpot fails with status 500 when asked for the epoch itself.
            "startTimestamp": max(1, start),
            "endTimestamp": end,
            "limit": limit or self._settings.page_size,
        }
        if self._settings.exclude_filtered_events:
            params["excludeFilteredEvents"] = "true"
        if offset is not None:
            params["offset"] = offset
        return self.client.get(EVENTS_PATH, params, decode_page, tally)

    def make_records(self, events: list[Record], event_type: str, tally: Tally) -> None:
        """Make records of events, in place: enriched and complete.

        Raises:
            TapError: HubSpot does not answer; the events are not to be used.
            StoppedError: The run ended first.
        """
        self._enrichment.enrich(events, tally)
        complete(events, event_type, self.portal_id)

    def portal_id(self) -> int:
        """The account's id, asked for when it is first needed."""
        with self._lock:
            if self._portal_id is None:
                details = self.client.get(ACCOUNT_PATH, {}, _decode_details, Tally())
                self._portal_id = details.portalId
            return self._portal_id


class _Details(msgspec.Struct):
    portalId: int  # noqa: N815 - HubSpot's name


_decode_details = msgspec.json.Decoder(_Details).decode


def _authenticator(
    settings: Settings, transport: Transport, stop: threading.Event
) -> AccessToken | OAuth:
    if settings.access_token is not None:
        return AccessToken(settings.access_token)
    return OAuth(
        transport,
        settings.api_url,
        client_id=settings.client_id or "",
        client_secret=settings.client_secret or "",
        refresh_token=settings.refresh_token or "",
        stop=stop,
    )
