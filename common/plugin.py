"""What the plugins add to the SDK's base classes, of whose private names these are all in use."""

from __future__ import annotations

import abc
import gc
import signal
import sys
import threading
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk.plugin_base import PluginBase, SingerCommand
from typing_extensions import override

from .channels import read_environment, read_files
from .command import Command
from .configuration import read_configuration
from .errors import UserError, sentence_of
from .stream_maps import CheckedMapper

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import FrameType

    import click
    import msgspec

_GC_THRESHOLDS = (100_000, 50, 100)
"""Events make no reference cycles, so frequent garbage collection only costs time."""


class PluginCommand(Command, SingerCommand):
    """The command of a plugin."""


class Plugin(PluginBase, abc.ABC):
    """A plugin whose failures end as sentences, and which decides itself how a signal ends it."""

    @cached_property
    def stream_maps(self) -> CheckedMapper:
        """The stream maps and the flattening of the settings."""
        return CheckedMapper(self.config, self.logger)

    @override
    def setup_mapper(self) -> None:
        self.mapper = self.stream_maps

    @abc.abstractmethod
    def terminate(self, signum: int) -> None:
        """End the run after SIGTERM, SIGINT or SIGHUP."""

    @classmethod
    def describe(cls, error: Exception) -> str | None:
        """Say what an error means for the user; None if it is a fault of ours."""
        return sentence_of(error)

    @classmethod
    @contextmanager
    def sentences(cls) -> Iterator[None]:
        """Log what a user can act on, and exit, instead of a traceback."""
        try:
            yield
        except Exception as error:
            sentence = cls.describe(error)
            if sentence is None:
                raise
            if sentence:
                cls.logger.error("%s", sentence)  # noqa: TRY400 - a user needs no traceback
            sys.exit(error.exit_code if isinstance(error, UserError) else 1)

    @override
    @classmethod
    def invoke(cls, **kwargs: Any) -> None:
        """Run the command in a process of its own."""
        gc.collect()
        gc.freeze()
        gc.set_threshold(*_GC_THRESHOLDS)
        with cls.sentences():
            super().invoke(**kwargs)

    @override
    @classmethod
    def get_singer_command(cls) -> click.Command:
        command = super().get_singer_command()
        command.__class__ = PluginCommand  # the SDK names its own
        return command

    @override
    @classmethod
    def cb_config(cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]) -> Any:
        """Read the files of `--config`.

        The SDK answers what is wrong with them by a traceback, and reads decimals as `Decimal`.
        """
        given = super().cb_config(ctx, param, tuple(each for each in value if each == "ENV"))
        given.config = read_files(*(each for each in value if each != "ENV"))
        return given

    @override
    def _setup_signal_handlers(self) -> None:
        super()._setup_signal_handlers()
        in_main_thread = threading.current_thread() is threading.main_thread()
        # What `nohup` started goes on when its terminal is closed.
        if in_main_thread and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            signal.signal(signal.SIGHUP, self._handle_termination)

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        self.terminate(signum)


class DeclaredPlugin(Plugin, abc.ABC):
    """A plugin whose settings are fields of a declaration.

    Attributes:
        declaration: The settings.
        read_settings: Checks given settings, and raises a `UserError`.
    """

    declaration: ClassVar[type[msgspec.Struct]]
    read_settings: ClassVar[staticmethod[[dict[str, Any]], Any]]

    def __init__(
        self,
        *,
        config: Mapping[str, Any] | None = None,
        parse_env_config: bool = False,
        validate_config: bool = True,
        **kwargs: Any,
    ) -> None:
        """Read the settings, and check them unless only the catalog is wanted.

        Raises:
            UserError: A setting is wrong; the sentences quote no secrets.
        """
        given = dict(config or {})
        if parse_env_config:
            prefix = self.name.upper().replace("-", "_")
            given |= read_environment(self.declaration, prefix)
        reading = read_configuration(self.declaration, given)
        for warning in reading.warnings:
            self.logger.warning(warning)
        if validate_config:
            self.read_settings(given)
        # The SDK reads text of the environment in ways of its own, so it gets what was read here.
        super().__init__(config=reading.values, validate_config=False, **kwargs)
