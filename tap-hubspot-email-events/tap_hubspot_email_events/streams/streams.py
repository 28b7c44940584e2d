"""The tap's streams as the SDK has them read: events of each type, and campaigns."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.singerlib import Metadata, Schema
from typing_extensions import override

from tap_hubspot_email_events.common.event_types import SELECTED_BY_DEFAULT, STREAM_OF_TYPE
from tap_hubspot_email_events.errors import TapError
from tap_hubspot_email_events.reading.run import CAMPAIGNS
from tap_hubspot_email_events.singer.sdk import SelfReadingStream
from tap_hubspot_email_events.streams.schemas import CAMPAIGN_SCHEMA, event_schema, with_own_fields

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk import Tap
    from singer_sdk.helpers.types import Context
    from singer_sdk.singerlib import Catalog, MetadataMapping

    from tap_hubspot_email_events.reading.run import Run
    from tap_hubspot_email_events.singer.stream_writer import Record

logger = logging.getLogger(__name__)


class HubSpotStream(SelfReadingStream):
    """A stream of one HubSpot account."""

    # HubSpot's values are passed on as they are, so there is nothing to conform.
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE

    def __init__(self, tap: Tap, run: Run, name: str, schema: dict[str, Any]) -> None:
        super().__init__(tap, schema=schema, name=name)
        self.run = run

    @override
    def apply_catalog(self, catalog: Catalog) -> None:
        """Take over a catalog; fields that it does not know are in the records all the same."""
        if entry := catalog.get_stream(self.name):
            schema = with_own_fields(entry.schema.to_dict(), self.schema)
            entry.schema = Schema.from_dict(schema)
        super().apply_catalog(catalog)

    @override
    def read(self, one_by_one: Iterable[Record]) -> Iterable[Record]:
        """Read record by record; a failure is collected and leaves the other streams alone."""
        if not self.limited:
            with self.run.failures.collected(self.name):
                yield from one_by_one
            return
        try:
            self.run.begin()
            yield from one_by_one
        except TapError as error:
            # The SDK's test of the connection would log any other exception as unhandled.
            logger.error(error)  # noqa: TRY400 - a sentence, no traceback
            raise SystemExit(1) from None

    @override
    def log_sync_costs(self) -> None:
        """Conclude the run after the last stream; the SDK calls this once all have ended."""
        if self is list(self.run.tap.streams.values())[-1]:
            self.run.conclude()


class EventStream(HubSpotStream):
    """The events of one type."""

    primary_keys = ("portalId", "created", "id")
    replication_key = "created"

    def __init__(self, tap: Tap, run: Run, event_type: str) -> None:
        self.event_type = event_type
        self.selected_by_default = event_type in SELECTED_BY_DEFAULT
        schema = event_schema(event_type, tap.config.get("contact_properties", ()))
        super().__init__(tap, run, STREAM_OF_TYPE[event_type], schema)

    @property
    @override
    def metadata(self) -> MetadataMapping:
        """The SDK's metadata, with `type` always included, which makes a record an event."""
        metadata = super().metadata
        metadata["properties", "type"].inclusion = Metadata.InclusionType.AUTOMATIC
        return metadata

    @override
    def read(self, one_by_one: Iterable[Record]) -> Iterable[Record]:
        """Read all event streams side by side when the first of them is synced."""
        if self.limited:
            yield from super().read(one_by_one)
        else:
            self.run.read_events()

    @override
    def get_replication_key_signpost(self, context: Context | None = None) -> None:
        """No signpost: bookmarks are ends of finished parts and never pass the run's start."""

    @override
    def get_records(self, context: Context | None) -> Iterable[Record]:
        """Read the newest events page by page, to test the connection."""
        yield from self.run.reader.newest_records(self.event_type, self)


class CampaignStream(HubSpotStream):
    """The emails behind the events: name, subject, type, content and counters."""

    primary_keys = ("portalId", "id")
    selected_by_default = False

    def __init__(self, tap: Tap, run: Run) -> None:
        super().__init__(tap, run, CAMPAIGNS, CAMPAIGN_SCHEMA)

    @override
    def get_records(self, context: Context | None) -> Iterable[Record]:
        """Read the campaigns with recent activity, then all others, each once."""
        return self.run.campaigns(self)
