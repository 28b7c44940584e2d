"""The tap as Meltano and the command line see it."""

from __future__ import annotations

import logging
from functools import cached_property
from typing import TYPE_CHECKING, Any

from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities
from singer_sdk.singerlib import Catalog
from typing_extensions import override

from tap_hubspot_email_events.common.event_types import STREAM_OF_TYPE
from tap_hubspot_email_events.common.plugin import DeclaredPlugin
from tap_hubspot_email_events.common.tables import names
from tap_hubspot_email_events.errors import ConfigError
from tap_hubspot_email_events.reading.bookmarks import read_bookmark
from tap_hubspot_email_events.reading.run import Run
from tap_hubspot_email_events.settings import SETTINGS, Settings, read_settings
from tap_hubspot_email_events.singer.sdk import PreparedTap
from tap_hubspot_email_events.singer.writer import BytesWriter
from tap_hubspot_email_events.streams.streams import CampaignStream, EventStream

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import click

    from tap_hubspot_email_events.streams.streams import HubSpotStream


class TapHubSpotEmailEvents(DeclaredPlugin, PreparedTap):
    """Singer tap for HubSpot's email events: complete, resumable, within the account's limits."""

    name = "tap-hubspot-email-events"
    declaration = Settings
    read_settings = staticmethod(read_settings)
    config_jsonschema = SETTINGS
    capabilities = [  # noqa: RUF012 - the SDK's own declaration
        TapCapabilities.CATALOG,
        TapCapabilities.STATE,
        TapCapabilities.DISCOVER,
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    def __init__(self, *, state: Any = None, catalog: Any = None, **kwargs: Any) -> None:
        """Create the tap.

        Raises:
            ConfigError: A setting, the state or the catalog is wrong.
        """
        if not self.logger.isEnabledFor(logging.DEBUG):
            # The SDK's lines about each stream, and its metrics: the summary says the same.
            self.logger.setLevel(logging.WARNING)
        self._writer = BytesWriter()
        _check_files(state, catalog)
        super().__init__(state=state, catalog=catalog, message_writer=self._writer, **kwargs)
        self.metrics_logger.setLevel(self.logger.getEffectiveLevel())

    @cached_property
    def run(self) -> Run:
        """What all streams of this run share."""
        return Run(self, self._writer, self._selected_event_streams, self.stream_maps.warnings)

    def _selected_event_streams(self) -> Mapping[str, EventStream]:
        return {
            stream.event_type: stream
            for stream in self.streams.values()
            if isinstance(stream, EventStream) and stream.selected
        }

    @override
    def discover_streams(self) -> list[HubSpotStream]:
        """One stream per event type, and the campaigns."""
        events = [EventStream(self, self.run, event_type) for event_type in STREAM_OF_TYPE]
        return [*events, CampaignStream(self, self.run)]

    @override
    def setup_mapper(self) -> None:
        """Check the maps against all streams, and register these, deselected ones as a whole.

        The SDK's tap registers deselected streams without the fields that a map such as `email_*`
        and a test of the connection, which selects all streams, look for.
        """
        self.stream_maps.expect(
            {name: stream.schema["properties"] for name, stream in self.streams.items()}
        )
        DeclaredPlugin.setup_mapper(self)
        unknown = [name for name in self.catalog if name not in self.streams]
        if unknown:
            self.logger.warning(
                "The catalog selects or describes %s, which this tap does not have, so nothing is "
                "read of that; correct the names, or make a new catalog with `--discover`.",
                names(unknown),
            )
        selected = {name for name, stream in self.streams.items() if stream.selected}
        self.mapper.register_raw_streams_from_catalog(
            Catalog((name, entry) for name, entry in self.catalog.items() if name in selected)
        )
        for name, stream in self.streams.items():
            if name not in selected:
                self.mapper.register_raw_stream_schema(name, stream.schema, stream.primary_keys)

    @override
    def begin(self) -> None:
        """Ask HubSpot whose the streams are and what time it is."""
        self.run.begin()

    @override
    def load_state(self, state: dict[str, Any]) -> None:
        """Take over a state.

        Raises:
            ConfigError: The state has an unknown form.
        """
        bookmarks = state.get("bookmarks")
        if bookmarks is None:
            return
        if not isinstance(bookmarks, dict) or not all(
            isinstance(entry, dict) for entry in bookmarks.values()
        ):
            raise ConfigError(
                "The state is of no form this tap knows; it must be an object `bookmarks` with an "
                "object for each stream."
            )
        for name in STREAM_OF_TYPE.values():
            read_bookmark(name, bookmarks.get(name, {}))
        super().load_state(state)

    @override
    def terminate(self, signum: int) -> None:
        """End the run with the state that is true by then."""
        self.run.terminate(signum)

    @override
    @classmethod
    def describe(cls, error: Exception) -> Sequence[str] | None:
        """Say also what is wrong with files that the SDK reads."""
        match error:
            case FileNotFoundError():
                return [f"There is no file {error.filename}; correct the path."]
            # The SDK reads files with one of two JSON packages, each with its own error type.
            case ValueError() if type(error).__name__ == "JSONDecodeError":
                return ["The state or catalog file is no valid JSON; correct the file."]
        return super().describe(error)

    @override
    @classmethod
    def cb_discover(cls, ctx: click.Context, param: click.Option, value: bool) -> None:
        """Write the catalog, where `--discover` asks for it."""
        with cls.sentences():
            super().cb_discover(ctx, param, value)

    @override
    @classmethod
    def cb_test(cls, ctx: click.Context, param: click.Option, value: str) -> None:
        """Test the connection, where `--test` asks for it."""
        with cls.sentences():
            super().cb_test(ctx, param, value)


def _check_files(state: object, catalog: object) -> None:
    if isinstance(state, list | int | float):
        raise ConfigError("The state is of no form this tap knows; it must be an object.")
    streams = catalog.get("streams") if isinstance(catalog, dict) else catalog
    if isinstance(catalog, dict | list) and not (
        isinstance(streams, list) and all(isinstance(s, dict) and "schema" in s for s in streams)
    ):
        raise ConfigError("The catalog is of no known form; make one with `--discover`.")
