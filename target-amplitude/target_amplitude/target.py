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

from target_amplitude.command import one_sentence_command
from target_amplitude.configuration import SETTINGS
from target_amplitude.errors import RunFailedError
from target_amplitude.input.sdk_reader import RunReader
from target_amplitude.run import INPUT_FAULTS, Run, mapper_needed
from target_amplitude.settings import find_problems, read_settings

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from pathlib import PurePath
    from types import FrameType

    import click

    from target_amplitude.delays import Timing

_GC_THRESHOLDS = (100_000, 50, 100)
"""Records make no reference cycles, so looking for them often only costs time."""

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
    timing: ClassVar[Timing | None] = None

    def __init__(
        self,
        *,
        config: dict[str, Any] | PurePath | str | list[PurePath | str] | None = None,
        parse_env_config: bool = False,
        validate_config: bool = True,
        setup_mapper: bool = True,
        message_reader: RunReader | None = None,
    ) -> None:
        """Check the settings and prepare a run.

        Raises:
            ConfigValidationError: If a setting is wrong; the sentences quote no values.
            RunFailedError: If a file the run writes to cannot be opened.
        """
        try:
            super().__init__(
                config=config,
                parse_env_config=parse_env_config,
                validate_config=False,
                setup_mapper=False,
                message_reader=message_reader or RunReader(self.read),
            )
        except (AttributeError, TypeError, ValueError):
            problem = (
                "A setting is not of its kind (number, true or false, text, object); see --about."
            )
            raise ConfigValidationError(problem, errors=[problem], schema={}) from None
        problems = find_problems(self.config)
        if problems and validate_config:
            raise ConfigValidationError(" ".join(problems), errors=problems, schema={})
        if setup_mapper:
            self.setup_mapper()
        self._run: Run | None = None
        self._install_signal_handlers()

    @override
    def process_endofpipe(self) -> None:
        """Account for the run; a run that was stopped by a signal exits with 128 and its number.

        Raises:
            RunFailedError: If more records were refused than `max_rejected_percent` allows.
        """
        code = self._ready_run().end()
        self._run = None
        if code:
            sys.exit(code)

    def read(self, source: IO[str] | IO[bytes]) -> dict[str, int]:
        """Read and deliver everything of a source; returns the number of messages by type."""
        return self._ready_run().read(source)

    @classmethod
    @override
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        """Add the SDK's settings that mean something here."""
        super().append_builtin_config(config_jsonschema)
        for name in _NOT_FOR_EVENTS:
            config_jsonschema["properties"].pop(name, None)

    @classmethod
    @override
    def invoke(cls, **kwargs: Any) -> None:
        """Run the command in a process of its own."""
        gc.collect()
        gc.freeze()
        gc.set_threshold(*_GC_THRESHOLDS)
        super().invoke(**kwargs)

    @classmethod
    @override
    def get_singer_command(cls) -> click.Command:
        """The command, which ends with one sentence where the user can mend something."""
        return one_sentence_command(super().get_singer_command(), (RunFailedError, *INPUT_FAULTS))

    def _ready_run(self) -> Run:
        if self._run is None:
            config = dict(self.config)
            mapper = self.mapper if mapper_needed(config) else None
            self._run = Run(read_settings(config), mapper, self.timing)
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
