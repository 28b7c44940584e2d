"""The tap as Meltano and the command line see it."""

from __future__ import annotations

import io
import json
import logging
from functools import cached_property
from typing import TYPE_CHECKING, Any

import click
from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities
from singer_sdk.singerlib import Catalog
from typing_extensions import override

from tap_hubspot_email_events.common.channels import read_json
from tap_hubspot_email_events.common.event_types import STREAM_OF_TYPE
from tap_hubspot_email_events.common.plugin import DeclaredPlugin
from tap_hubspot_email_events.common.tables import names
from tap_hubspot_email_events.errors import ConfigError
from tap_hubspot_email_events.reading.run import Run
from tap_hubspot_email_events.reading.states import BOOKMARKS, read_state, unknown_warning
from tap_hubspot_email_events.settings import SETTINGS, Settings, read_settings
from tap_hubspot_email_events.singer.sdk import PreparedTap
from tap_hubspot_email_events.singer.writer import BytesWriter
from tap_hubspot_email_events.streams.streams import CampaignStream, EventStream

if TYPE_CHECKING:
    from collections.abc import Mapping

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
        bookmarks = read_state(state)
        super().__init__(
            state={BOOKMARKS: bookmarks},
            catalog=_read_catalog(catalog),
            message_writer=self._writer,
            **kwargs,
        )
        if warning := unknown_warning(bookmarks):
            self.logger.warning(warning)
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
        self.run.begin()

    @override
    def terminate(self, signum: int) -> None:
        self.run.terminate(signum)

    @override
    @classmethod
    def get_singer_command(cls) -> click.Command:
        """The SDK's command, which would wait for ever for a pipe that nobody writes to."""
        command = super().get_singer_command()
        for option in command.params:
            if option.name in ("state", "catalog"):
                option.type = _JsonFile()
        return command

    @override
    @classmethod
    def cb_discover(cls, ctx: click.Context, param: click.Option, value: bool) -> None:
        with cls.sentences():
            super().cb_discover(ctx, param, value)

    @override
    @classmethod
    def cb_test(cls, ctx: click.Context, param: click.Option, value: str) -> None:
        with cls.sentences():
            super().cb_test(ctx, param, value)


class _JsonFile(click.ParamType):  # type: ignore[type-arg]
    """A file of JSON; its base is generic in click's stubs, and at run time only from 8.2 on."""

    name = "file"

    @override
    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        # The SDK answers anything but an object with a traceback.
        content = read_json("/dev/stdin" if value == "-" else value, param.opts[0])
        return io.StringIO(json.dumps(content))


def _read_catalog(catalog: object) -> Catalog | None:
    if catalog is None or isinstance(catalog, Catalog):
        return catalog
    streams = catalog.get("streams") if isinstance(catalog, dict) else None
    try:
        if isinstance(streams, list) and all("schema" in stream for stream in streams):
            return Catalog.from_dict({"streams": streams})
    # The SDK takes the form for granted.
    except (AttributeError, KeyError, TypeError, ValueError):
        pass
    raise ConfigError("The catalog is of no known form; make one with `--discover`.")
