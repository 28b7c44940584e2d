"""The target as Meltano and the command line see it."""

from __future__ import annotations

import gc
import signal
import sys
import threading
from typing import IO, TYPE_CHECKING, Any, ClassVar

from singer_sdk import Target
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.helpers.capabilities import CapabilitiesEnum, PluginCapabilities
from typing_extensions import override

from target_amplitude.command import with_plain_errors
from target_amplitude.configuration.channels import given_settings, read_environment
from target_amplitude.configuration.reading import read_configuration
from target_amplitude.errors import RunFailedError
from target_amplitude.input.sdk_reader import SdkReader
from target_amplitude.input.stream_maps import needs_stream_maps
from target_amplitude.run import INPUT_ERRORS, Run
from target_amplitude.settings import (
    ENVIRONMENT_PREFIX,
    SETTINGS,
    Settings,
    SettingsError,
    read_settings,
)

if TYPE_CHECKING:
    from types import FrameType

    import click

    from target_amplitude.amplitude.delays import Delays
    from target_amplitude.configuration.channels import Config

_GC_THRESHOLDS = (100_000, 50, 100)
"""Records make no reference cycles, so searching for some often is a waste of time."""

_NOT_FOR_EVENTS = ("add_record_metadata", "load_method")


class TargetAmplitude(Target):
    """Singer target for Amplitude."""

    name = "target-amplitude"
    config_jsonschema = SETTINGS
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]
    delays: ClassVar[Delays | None] = None

    def __init__(
        self,
        *,
        config: Config = None,
        parse_env_config: bool = False,
        validate_config: bool = True,
        setup_mapper: bool = True,
        message_reader: SdkReader | None = None,
    ) -> None:
        """Check the settings.

        Raises:
            ConfigValidationError: If a setting is wrong; the sentences quote no secrets.
        """
        given = given_settings(config)
        if parse_env_config:
            given |= read_environment(Settings, ENVIRONMENT_PREFIX)
        reading = read_configuration(Settings, given)
        for warning in reading.warnings:
            self.logger.warning(warning)
        # The SDK reads text of the environment in ways of its own, so it gets what was read here.
        super().__init__(
            config=reading.values,
            validate_config=False,
            setup_mapper=False,
            message_reader=message_reader or SdkReader(self.read),
        )
        if validate_config:
            try:
                read_settings(given)
            except SettingsError as error:
                raise ConfigValidationError(str(error), errors=error.problems, schema={}) from None
        if setup_mapper:
            self.setup_mapper()
        self._run: Run | None = None
        self._install_signal_handlers()

    @override
    def process_endofpipe(self) -> None:
        """Sum up the run; one that was stopped by a signal exits with 128 plus its number.

        Raises:
            RunFailedError: If more records were rejected than `max_rejected_percent` allows.
        """
        code = self._ready_run().end()
        self._run = None
        if code:
            sys.exit(code)

    def read(self, source: IO[str] | IO[bytes]) -> dict[str, int]:
        """Read and deliver a source; returns the number of messages by type."""
        return self._ready_run().read(source)

    @classmethod
    @override
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        """Add the SDK's settings, except those that have no meaning for events."""
        super().append_builtin_config(config_jsonschema)
        for name in _NOT_FOR_EVENTS:
            config_jsonschema["properties"].pop(name, None)

    @classmethod
    @override
    def invoke(cls, **kwargs: Any) -> None:
        """Run the command, with the garbage collector set up for a process of its own."""
        gc.collect()
        gc.freeze()
        gc.set_threshold(*_GC_THRESHOLDS)
        super().invoke(**kwargs)

    @classmethod
    @override
    def get_singer_command(cls) -> click.Command:
        """Return the command, which reports in one sentence what the user can correct."""
        return with_plain_errors(super().get_singer_command(), (RunFailedError, *INPUT_ERRORS))

    def _ready_run(self) -> Run:
        if self._run is None:
            config = dict(self.config)
            mapper = self.mapper if needs_stream_maps(config) else None
            self._run = Run(read_settings(config), mapper, self.delays)
        return self._run

    def _install_signal_handlers(self) -> None:
        if threading.current_thread() is threading.main_thread():
            for signum in (signal.SIGINT, signal.SIGTERM):
                signal.signal(signum, self._stop)

    def _stop(self, signum: int, frame: FrameType | None) -> None:
        del frame
        if self._run is None:
            sys.exit(128 + signum)
        self._run.stop(signum)
