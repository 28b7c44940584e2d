"""The tap."""

from __future__ import annotations

import gc
import sys
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn

from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities
from singer_sdk.plugin_base import PluginBase
from singer_sdk.singerlib import Catalog

from tap_hubspot_email_events.errors import (
    AccountError,
    ConfigError,
    DailyLimitError,
    StoppedError,
    StreamError,
    TapError,
)
from tap_hubspot_email_events.hubspot.account import Account
from tap_hubspot_email_events.reading.bookmarks import read_bookmark
from tap_hubspot_email_events.reading.progress import summary
from tap_hubspot_email_events.reading.reader import Reading
from tap_hubspot_email_events.settings import SETTINGS, Settings, type_problems
from tap_hubspot_email_events.singer.command import SentenceCommand
from tap_hubspot_email_events.singer.sdk_private import SignalledTap
from tap_hubspot_email_events.singer.writer import BytesWriter
from tap_hubspot_email_events.streams.event_stream import CampaignStream, EventStream
from tap_hubspot_email_events.streams.event_types import STREAM_OF_TYPE

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterator

    import click

    from tap_hubspot_email_events.streams.event_stream import HubSpotStream

# Events make no reference cycles, so looking for them often only costs time.
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

    def __init__(self, *args: Any, validate_config: bool = True, **kwargs: Any) -> None:
        """Check the settings and the state as well, unless only the catalog is wanted.

        Raises:
            ConfigError: A setting or the state is wrong.
        """
        self._failures: dict[str, list[str]] = {}
        self._over = False
        self._writer = BytesWriter()
        _check_files(kwargs.get("state"), kwargs.get("catalog"))
        try:
            super().__init__(
                *args, validate_config=validate_config, message_writer=self._writer, **kwargs
            )
        except ConfigValidationError:
            # The SDK's own messages hold the values.
            problems = type_problems(self.config) or ["The configuration is wrong."]
            raise ConfigError(" ".join(problems)) from None
        if validate_config:
            _ = self.settings

    @cached_property
    def settings(self) -> Settings:
        """The settings, checked."""
        return Settings.of(self.config)

    @cached_property
    def account(self) -> Account:
        """The HubSpot account all streams are read from."""
        return Account(self.settings, f"{self.name}/{self.plugin_version}")

    @cached_property
    def reading(self) -> Reading:
        """This run over the event streams."""
        return Reading(self)

    @property
    def writer(self) -> BytesWriter:
        """The writer of all messages."""
        return self._writer

    @override
    def discover_streams(self) -> list[HubSpotStream]:
        """One stream for each event type, and the campaigns."""
        return [*(EventStream(self, kind) for kind in STREAM_OF_TYPE), CampaignStream(self)]

    @override
    def setup_mapper(self) -> None:
        """Register all streams with the mapper, those not selected by their whole schema.

        The SDK's tap would register these with an empty one: a map such as `email_*` then fails for
        want of the keys, and a test of the connection, which selects everything, knows no fields.
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
        """Take over a state, refusing one that cannot be understood.

        Raises:
            ConfigError: The state is of no known form.
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
        if "reading" in self.__dict__ and self.reading.running:
            self.reading.terminate(signal)
            return
        self.state_writer.write_state(self.state)
        raise SystemExit(128 + signal)

    def read_events(self) -> None:
        """Read all selected event streams, if that is not done yet."""
        if not self.reading.ended and not self._over:
            selected = [
                stream
                for stream in self.streams.values()
                if isinstance(stream, EventStream) and stream.selected
            ]
            self.reading.run(selected)
            for lane in self.reading.lanes.values():
                if lane.failure is not None:
                    self._note(lane.name, lane.failure)
            if self.reading.failure is not None:
                self._note("", self.reading.failure)

    def fail_now(self, error: TapError) -> NoReturn:
        """End a test of the connection.

        Raises:
            SystemExit: Always.
        """
        # The SDK would announce any exception as unhandled.
        self.logger.error(error)
        raise SystemExit(1)

    @contextmanager
    def failures_noted(self, stream: str) -> Iterator[None]:
        """Keep a failure of a stream until all streams have had their turn."""
        try:
            yield
        except (StreamError, AccountError, DailyLimitError, StoppedError) as error:
            self._note(stream, error)

    def _note(self, stream: str, error: Exception) -> None:
        if isinstance(error, DailyLimitError):
            self.logger.warning(
                "HubSpot's daily request limit is used up; what was read is kept, and the next run "
                "goes on from there."
            )
        elif isinstance(error, TapError):
            streams = self._failures.setdefault(str(error).rstrip("."), [])
            if stream:
                streams.append(stream)
        self._over = self._over or not isinstance(error, StreamError)

    def conclude(self, stream: HubSpotStream) -> None:
        """Sum up a stream, and fail the run after the last one where any has failed.

        Raises:
            TapError: What has failed and why, a sentence each.
        """
        if (lane := self.reading.lanes.get(stream.name)) is not None:
            self.logger.info(summary(lane))
        if self._failures and stream is list(self.streams.values())[-1]:
            raise TapError(
                " ".join(
                    f"{', '.join(streams)}: {sentence}." if streams else f"{sentence}."
                    for sentence, streams in self._failures.items()
                )
            )

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
        """The SDK's command, answering mistakes with sentences."""
        command = super().get_singer_command()
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
