"""The mapper as a program."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, Any, ClassVar

import singer_sdk.typing as th
from singer_sdk.exceptions import ConfigValidationError, StreamMapConfigError
from singer_sdk.helpers.capabilities import CapabilitiesEnum, PluginCapabilities
from singer_sdk.plugin_base import PluginBase
from typing_extensions import override

from mapper_email_events.common.output import write_whole
from mapper_email_events.errors import MapperError
from mapper_email_events.messages import read_blocks
from mapper_email_events.stream_maps import StreamMaps
from mapper_email_events.treatment import TRANSFORMS, Treatment

if TYPE_CHECKING:
    import click


class MapperEmailEvents(PluginBase):
    """Singer mapper for HubSpot's email events; passes on nothing it could not treat."""

    name = "mapper-email-events"
    config_jsonschema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property(
            "transforms",
            th.ArrayType(th.StringType(allowed_values=sorted(TRANSFORMS))),
            description="What is done to every record, in this order.",
        ),
    ).to_dict()
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    def treatment(self) -> Treatment:
        """What the settings ask for.

        Raises:
            MapperError: They ask for nothing, or something they need is missing.
        """
        names = self.config.get("transforms") or []
        maps = self.config.get("stream_maps")
        if not names and not maps:
            raise MapperError(
                "This mapping would do nothing: give it transforms "
                f"({', '.join(sorted(TRANSFORMS))}) or stream_maps."
            )
        transforms = [TRANSFORMS[name]() for name in names]
        if not maps:
            return Treatment(transforms, None)
        try:
            self.setup_mapper()
        except StreamMapConfigError as wrong:
            raise MapperError(f"stream_maps is wrong ({wrong}); mend it.") from None
        return Treatment(transforms, StreamMaps(self.mapper))

    def run(self) -> None:
        """Treat standard input line by line, up to its end.

        Raises:
            MapperError: A line cannot be treated, or nobody reads what is written.
        """
        treatment = self.treatment()
        # A mapper has nothing to save: states that were not passed on yet are safe in the tap.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        try:
            for block in read_blocks(sys.stdin.fileno()):
                treated: list[bytes] = []
                try:
                    for line in treatment.lines(block):
                        treated += line, b"\n"
                finally:
                    write_whole(sys.stdout.buffer, b"".join(treated))
        except BrokenPipeError:
            # Python flushes stdout once more when it exits and would report the same failure.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise MapperError(
                "The program that reads this mapper's output has ended; see its own messages."
            ) from None
        self._conclude(treatment)

    def _conclude(self, treatment: Treatment) -> None:
        for stream, count in treatment.read.items():
            self.logger.info("%s: %d read, %d passed on", stream, count, treatment.passed[stream])
        for (stream, reason), count in treatment.held.items():
            self.logger.warning(
                "%s: %d held back, because this mapping cannot treat them (%s)",
                stream,
                count,
                reason,
            )

    @override
    @classmethod
    def invoke(
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: Any = None,
        **kwargs: Any,
    ) -> None:
        """Run the mapper; what a user can mend ends as one sentence and exit code 1."""
        super().invoke(about=about, about_format=about_format)
        try:
            cls(config=config.config, parse_env_config=config.parse_env).run()
        except ConfigValidationError:
            # The SDK's own messages hold the values.
            cls.logger.error(  # noqa: TRY400 - the sentence says it all
                "The configuration is wrong: transforms is a list of %s, and stream_maps an object "
                "of stream maps.",
                ", ".join(sorted(TRANSFORMS)),
            )
            sys.exit(1)
        except MapperError as error:
            cls.logger.error("%s", error)  # noqa: TRY400 - the sentence says it all
            sys.exit(1)

    @override
    @classmethod
    def get_singer_command(cls) -> click.Command:
        """The SDK's command, named for what it does."""
        command = super().get_singer_command()
        command.help = cls.__doc__
        return command
