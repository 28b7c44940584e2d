"""One stream for each email event type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from singer_sdk.singerlib import Metadata
from typing_extensions import override

from tap_hubspot_email_events.common.event_types import SELECTED_BY_DEFAULT, STREAM_OF_TYPE
from tap_hubspot_email_events.streams.schemas import event_schema
from tap_hubspot_email_events.streams.stream import HubSpotStream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk import Tap
    from singer_sdk.helpers.types import Context
    from singer_sdk.singerlib import MetadataMapping

    from tap_hubspot_email_events.reading.run import Run
    from tap_hubspot_email_events.singer.messages import Record


class EventStream(HubSpotStream):
    """The events of one type."""

    primary_keys = ("portalId", "created", "id")
    replication_key = "created"

    def __init__(self, tap: Tap, run: Run, event_type: str) -> None:
        """Create the stream of `event_type`."""
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
