"""The tap as Meltano and the command line see it."""

from __future__ import annotations

import gc
import logging
from functools import cached_property
from typing import TYPE_CHECKING, Any

from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities
from singer_sdk.plugin_base import PluginBase
from singer_sdk.singerlib import Catalog
from typing_extensions import override

from tap_hubspot_email_events.configuration.channels import (
    given_settings,
    read_config_option,
    read_environment,
)
from tap_hubspot_email_events.configuration.reading import read_configuration
from tap_hubspot_email_events.errors import ConfigError
from tap_hubspot_email_events.reading.bookmarks import read_bookmark
from tap_hubspot_email_events.reading.run import Run
from tap_hubspot_email_events.settings import (
    ENVIRONMENT_PREFIX,
    SETTINGS,
    Settings,
    read_settings,
)
from tap_hubspot_email_events.singer.command import SentenceCommand
from tap_hubspot_email_events.singer.sdk import SignalledTap
from tap_hubspot_email_events.singer.writer import BytesWriter
from tap_hubspot_email_events.streams.campaigns import CampaignStream
from tap_hubspot_email_events.streams.event_types import STREAM_OF_TYPE
from tap_hubspot_email_events.streams.events import EventStream

if TYPE_CHECKING:
    from collections.abc import Mapping

    import click

    from tap_hubspot_email_events.configuration.channels import Config
    from tap_hubspot_email_events.streams.stream import HubSpotStream

# Events make no reference cycles, so frequent garbage collection only costs time.
GC_THRESHOLDS = (100_000, 50, 100)


class TapHubSpotEmailEvents(SignalledTap):
    """Singer tap for HubSpot's email events: complete, resumable, within the account's limits."""

    name = "tap-hubspot-email-events"
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

    def __init__(
        self,
        *,
        config: Config = None,
        state: Any = None,
        catalog: Any = None,
        parse_env_config: bool = False,
        validate_config: bool = True,
        **kwargs: Any,
    ) -> None:
        """Create the tap; settings are checked unless only the catalog is wanted.

        Raises:
            ConfigError: A setting, the state or the catalog is wrong.
        """
        if not self.logger.isEnabledFor(logging.DEBUG):
            # The SDK's lines about each stream, and its metrics: the summary says the same.
            self.logger.setLevel(logging.WARNING)
        self._writer = BytesWriter()
        _check_files(state, catalog)
        given = given_settings(config)
        if parse_env_config:
            given |= read_environment(Settings, ENVIRONMENT_PREFIX)
        reading = read_configuration(Settings, given)
        for warning in reading.warnings:
            self.logger.warning(warning)
        if validate_config:
            read_settings(given)
        # The SDK reads text of the environment in ways of its own, so it gets what was read here.
        super().__init__(
            config=reading.values,
            state=state,
            catalog=catalog,
            validate_config=False,
            message_writer=self._writer,
            **kwargs,
        )
        self.metrics_logger.setLevel(self.logger.getEffectiveLevel())

    @cached_property
    def run(self) -> Run:
        """What all streams of this run share."""
        return Run(
            self.config,
            self._writer,
            user_agent=f"{self.name}/{self.plugin_version}",
            started_at=self.initialized_at,
            event_streams=self._selected_event_streams,
            last_stream=lambda: list(self.streams)[-1],
            bookmarks=lambda: self.state.get("bookmarks", {}),
            write_state=lambda: self.state_writer.write_state(self.state),
            logger=logging.getLogger(__name__),
        )

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
        """Register all streams with the mapper, deselected ones with their full schema.

        The SDK's tap registers deselected streams with an empty schema. A map such as `email_*`
        then fails because their keys are missing, and a test of the connection, which selects all
        streams, finds no fields.
        """
        PluginBase.setup_mapper(self)
        selected = {name for name, stream in self.streams.items() if stream.selected}
        self.mapper.register_raw_streams_from_catalog(
            Catalog((name, entry) for name, entry in self.catalog.items() if name in selected)
        )
        for name, stream in self.streams.items():
            if name not in selected:
                self.mapper.register_raw_stream_schema(name, stream.schema, stream.primary_keys)

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
    def terminate(self, signal: int) -> None:
        """End the run with the state that is true by then."""
        self.run.terminate(signal)

    @override
    @classmethod
    def invoke(cls, **kwargs: Any) -> None:
        """Run the command in a process of its own."""
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLDS)
        super().invoke(**kwargs)

    @override
    @classmethod
    def get_singer_command(cls) -> click.Command:
        """The SDK's command, with sentences instead of tracebacks."""
        command = super().get_singer_command()
        read_config_option(command)
        return SentenceCommand(
            name=command.name,
            callback=command.callback,
            context_settings=command.context_settings,
            params=command.params,
            help=command.help,
            logger=cls.logger,
        )


def _check_files(state: object, catalog: object) -> None:
    if isinstance(state, list | int | float):
        raise ConfigError("The state is of no form this tap knows; it must be an object.")
    streams = catalog.get("streams") if isinstance(catalog, dict) else catalog
    if isinstance(catalog, dict | list) and not (
        isinstance(streams, list) and all(isinstance(s, dict) and "schema" in s for s in streams)
    ):
        raise ConfigError("The catalog is of no known form; make one with `--discover`.")
