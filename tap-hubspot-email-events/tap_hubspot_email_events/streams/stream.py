"""What all of the tap's streams have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.singerlib import Schema
from typing_extensions import override

from tap_hubspot_email_events.errors import TapError
from tap_hubspot_email_events.singer.sdk import SelfReadingStream
from tap_hubspot_email_events.streams.schemas import completed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk import Tap
    from singer_sdk.singerlib import Catalog

    from tap_hubspot_email_events.reading.run import Run
    from tap_hubspot_email_events.singer.messages import Record


class HubSpotStream(SelfReadingStream):
    """A stream of one HubSpot account."""

    # HubSpot's values are passed on as they are, so there is nothing to conform.
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE

    def __init__(self, tap: Tap, run: Run, name: str, schema: dict[str, Any]) -> None:
        """Create the stream `name` of `tap`, read as a part of `run`."""
        super().__init__(tap, schema=schema, name=name)
        self.run = run

    @override
    def apply_catalog(self, catalog: Catalog) -> None:
        """Take over a catalog; fields that it does not know are in the records all the same."""
        if entry := catalog.get_stream(self.name):
            schema = completed(entry.schema.to_dict(), self.schema)
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
            self.run.logger.error(error)  # noqa: TRY400 - a sentence, no traceback
            raise SystemExit(1) from None

    @override
    def log_sync_costs(self) -> None:
        """Conclude the run after the last stream; the SDK calls this once all have ended."""
        if self is list(self.run.tap.streams.values())[-1]:
            self.run.conclude()
