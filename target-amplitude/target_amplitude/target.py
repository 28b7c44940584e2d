"""The target as Meltano and the command line see it."""

from __future__ import annotations

import sys
from collections import Counter
from typing import IO, TYPE_CHECKING, Any, ClassVar

import click
from singer_sdk import Target
from singer_sdk.helpers.capabilities import CapabilitiesEnum, PluginCapabilities
from singer_sdk.singerlib.encoding.base import GenericSingerReader
from typing_extensions import override

from target_amplitude.amplitude.delays import Delays
from target_amplitude.common.output import standard_input, write_output
from target_amplitude.common.plugin import DeclaredPlugin
from target_amplitude.delivery.dry_run import Preview
from target_amplitude.run import INPUT_ERRORS, Run
from target_amplitude.settings import SETTINGS, Settings, read_settings

if TYPE_CHECKING:
    from collections.abc import Callable

_NOT_FOR_EVENTS = ("add_record_metadata", "load_method")


class _WholeInputReader(GenericSingerReader[bytes]):
    """Hands the whole input over, where the SDK would call back for each line."""

    def __init__(self, read: Callable[[IO[bytes]], dict[str, int]]) -> None:
        """Take the function that reads a source; it returns the number of messages by type."""
        super().__init__()
        self._read = read

    @override
    def process_lines(
        self,
        file_input: IO[bytes] | None,
        callbacks: dict[str, Callable[[dict[str, Any]], None]],
    ) -> Counter[str]:
        return Counter(self._read(file_input or self.default_input))

    @property
    @override
    def default_input(self) -> IO[bytes]:
        return standard_input()

    @override
    def deserialize_json(self, line: bytes) -> dict[str, Any]:
        raise NotImplementedError


class TargetAmplitude(DeclaredPlugin, Target):
    """Singer target for Amplitude."""

    name = "target-amplitude"
    declaration = Settings
    read_settings = staticmethod(read_settings)
    config_jsonschema = SETTINGS
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]
    delays: ClassVar[Delays] = Delays()
    preview: ClassVar[Preview | None] = None
    _run: Run | None = None

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(message_reader=_WholeInputReader(self.read), **kwargs)

    @override
    def process_endofpipe(self) -> None:
        """Sum up the run; one that was stopped by a signal exits with 128 plus its number.

        Raises:
            RunFailedError: If more records were rejected than `max_rejected_percent` allows.
        """
        if self.preview is not None:
            write_output(self.preview.text().encode(), "The preview")
        code = self._ready_run().end()
        self._run = None
        if code:
            sys.exit(code)

    def read(self, source: IO[str] | IO[bytes]) -> dict[str, int]:
        """Read and deliver a source; returns the number of messages by type."""
        return self._ready_run().read(source)

    @classmethod
    @override
    def get_singer_command(cls) -> click.Command:
        command = super().get_singer_command()
        command.params.append(
            click.Option(
                ["--preview"],
                is_flag=True,
                help="Send nothing; show an example of each type of event, addresses masked.",
            )
        )
        return command

    @override
    @classmethod
    def invoke(cls, *, preview: bool = False, **kwargs: Any) -> None:
        cls.preview = Preview() if preview else None
        super().invoke(**kwargs)

    @classmethod
    @override
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        """Add the SDK's settings, except those that have no meaning for events."""
        super().append_builtin_config(config_jsonschema)
        for name in _NOT_FOR_EVENTS:
            config_jsonschema["properties"].pop(name, None)

    @override
    @classmethod
    def describe(cls, error: Exception) -> str | None:
        """Say also what is wrong with the input."""
        return str(error) if isinstance(error, INPUT_ERRORS) else super().describe(error)

    @override
    def terminate(self, signum: int) -> None:
        """Deliver what was read, if anything, and end."""
        if self._run is None:
            sys.exit(128 + signum)
        self._run.stop(signum)

    def _ready_run(self) -> Run:
        if self._run is None:
            config = dict(self.config)
            has_maps = config.get("stream_maps") or config.get("flattening_enabled")
            mapper = self.stream_maps if has_maps else None
            self._run = Run(read_settings(config), mapper, self.delays, self.preview)
        return self._run
