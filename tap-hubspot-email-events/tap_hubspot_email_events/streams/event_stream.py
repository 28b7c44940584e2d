"""What the tap's streams are."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import msgspec
from singer_sdk.helpers.conform import TypeConformanceLevel

from tap_hubspot_email_events.errors import NotFoundError, TapError
from tap_hubspot_email_events.hubspot.client import Tally
from tap_hubspot_email_events.settings import contact_properties
from tap_hubspot_email_events.singer.sdk_private import SelfReadingStream
from tap_hubspot_email_events.streams.event_types import SELECTED_BY_DEFAULT, STREAM_OF_TYPE
from tap_hubspot_email_events.streams.schemas import CAMPAIGN_SCHEMA, event_schema

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk.helpers.types import Context

    from tap_hubspot_email_events.tap import TapHubSpotEmailEvents

Record = dict[str, Any]

CAMPAIGNS_PATH = "/email/public/v1/campaigns"
CAMPAIGNS_PAGE = 500


class HubSpotStream(SelfReadingStream):
    """A stream of one HubSpot account."""

    # HubSpot's values are passed on as they are, so there is nothing to conform.
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE

    def __init__(self, tap: TapHubSpotEmailEvents, name: str, schema: dict[str, Any]) -> None:
        """Be one of the streams of `tap`."""
        super().__init__(tap, schema=schema, name=name)
        self.hubspot = tap

    @override
    def read(self, one_by_one: Iterable[Record]) -> Iterable[Record]:
        """Read record by record; a failure is noted and leaves the other streams alone."""
        if not self.limited:
            with self.hubspot.failures_noted(self.name):
                yield from one_by_one
            return
        try:
            yield from one_by_one
        except TapError as error:
            self.hubspot.fail_now(error)

    @override
    def log_sync_costs(self) -> None:
        """Say what became of the stream; the SDK calls this once all streams have ended."""
        self.hubspot.conclude(self)


class EventStream(HubSpotStream):
    """The events of one type."""

    primary_keys = ("portalId", "created", "id")
    replication_key = "created"

    def __init__(self, tap: TapHubSpotEmailEvents, event_type: str) -> None:
        """Be the stream of `event_type`."""
        self.event_type = event_type
        self.selected_by_default = event_type in SELECTED_BY_DEFAULT
        schema = event_schema(event_type, contact_properties(tap.config))
        super().__init__(tap, STREAM_OF_TYPE[event_type], schema)

    @override
    def read(self, one_by_one: Iterable[Record]) -> Iterable[Record]:
        """Read all event streams side by side, when the first of them is asked to sync."""
        if self.limited:
            yield from super().read(one_by_one)
        else:
            self.hubspot.read_events()

    @override
    def get_replication_key_signpost(self, context: Context | None = None) -> None:
        """No signpost: bookmarks are ends of finished parts and never pass the run's start."""

    @override
    def get_records(self, context: Context | None) -> Iterable[Record]:
        """Read the newest events one page after another: for trying out the connection."""
        account, lane = self.hubspot.account, self.hubspot.reading.lane(self)
        offset: str | None = None
        while True:
            page = account.events(self.event_type, lane.start, lane.end, offset, lane.tally)
            account.make_records(page.events, self.event_type, lane.tally)
            yield from page.events
            if not page.has_more or page.offset in (None, "", offset):
                return
            offset = str(page.offset)


class _CampaignIds(msgspec.Struct, rename="camel"):
    campaigns: list[Record]
    has_more: bool = False
    offset: str | int | None = None


_decode_ids = msgspec.json.Decoder(_CampaignIds).decode
_decode_campaign = msgspec.json.Decoder(Record).decode


class CampaignStream(HubSpotStream):
    """The emails behind the events: name, subject, kind, content and counters."""

    primary_keys = ("portalId", "id")
    selected_by_default = False

    def __init__(self, tap: TapHubSpotEmailEvents) -> None:
        """Be the stream of campaigns."""
        super().__init__(tap, "email_campaigns", CAMPAIGN_SCHEMA)

    @override
    def get_records(self, context: Context | None) -> Iterable[Record]:
        """Read the campaigns with recent activity, then all others, each once."""
        account = self.hubspot.account
        tally = Tally()
        known: set[Any] = set()
        for path in (CAMPAIGNS_PATH, f"{CAMPAIGNS_PATH}/by-id"):
            for listed in self._listed(path, tally):
                if listed.get("id") is None or listed["id"] in known:
                    continue
                known.add(listed["id"])
                params = {"appId": listed["appId"]} if listed.get("appId") else {}
                try:
                    details = account.client.get(
                        f"{CAMPAIGNS_PATH}/{listed['id']}", params, _decode_campaign, tally
                    )
                except NotFoundError:
                    # Deleted since it was listed; what the list says is all there is.
                    details = {}
                campaign = {**listed, **details}
                campaign.setdefault("portalId", account.portal_id())
                yield campaign

    def _listed(self, path: str, tally: Tally) -> Iterable[Record]:
        offset: str | int | None = None
        followed: set[str | int | None] = set()
        while offset not in followed:
            followed.add(offset)
            params: dict[str, Any] = {"limit": CAMPAIGNS_PAGE}
            if offset is not None:
                params["offset"] = offset
            page = self.hubspot.account.client.get(path, params, _decode_ids, tally)
            yield from page.campaigns
            if not page.has_more or page.offset in (None, ""):
                return
            offset = page.offset
