"""The mapper as a program."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import singer_sdk.typing as th
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.helpers.capabilities import CapabilitiesEnum, PluginCapabilities
from singer_sdk.mapper import RemoveRecordTransform
from singer_sdk.mapper_base import InlineMapper
from typing_extensions import override

from mapper_email_events.common.errors import UserError
from mapper_email_events.common.event_types import in_order
from mapper_email_events.common.plugin import Plugin
from mapper_email_events.common.stream_map_settings import MapError
from mapper_email_events.common.tables import names
from mapper_email_events.email_events import (
    Record,
    UntreatableError,
    drop_bots,
    engagement_only,
    strip_urls,
)
from mapper_email_events.messages import BlockReader, BlockWriter, encode
from mapper_email_events.pseudonymise import Pseudonymise

if TYPE_CHECKING:
    from collections.abc import Iterator

    import click

    from mapper_email_events.messages import Message

Transform = Callable[[Record], Record | None]

TRANSFORMS: dict[str, Callable[[], Transform]] = {
    "drop-bots": lambda: drop_bots,
    "engagement-only": lambda: engagement_only,
    "pseudonymise": Pseudonymise.from_environment,
    "strip-urls": lambda: strip_urls,
}


class MapperEmailEvents(Plugin, InlineMapper):
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

    def __init__(self, **kwargs: Any) -> None:
        """Prepare what the settings ask for.

        Raises:
            UserError: They ask for nothing, or something they need is missing.
        """
        writer = BlockWriter()
        self._reader = BlockReader(writer)
        super().__init__(message_reader=self._reader, message_writer=writer, **kwargs)
        transforms = self.config.get("transforms") or []
        self._has_maps = bool(self.config.get("stream_maps"))
        if not transforms and not self._has_maps:
            raise UserError(
                "This mapping would do nothing: give it transforms "
                f"({', '.join(sorted(TRANSFORMS))}) or stream_maps."
            )
        self._transforms = [TRANSFORMS[name]() for name in transforms]
        # Made now, so that what is wrong with them is said before anything is read.
        self.setup_mapper()
        self._read: Counter[str] = Counter()
        self._passed: Counter[str] = Counter()
        self._held: Counter[tuple[str, str]] = Counter()

    @override
    def map_record_message(self, message_dict: Message) -> Iterator[Any]:
        """The lines of what the transforms, and then the stream maps, make of a record.

        Raises:
            UserError: A line cannot be treated at all.
        """
        stream, record = str(message_dict.get("stream")), message_dict.get("record")
        if not isinstance(record, dict):
            raise self._fault(" is a record of no known form; check the tap's output.")
        self._read[stream] += 1
        try:
            for transform in self._transforms:
                treated = transform(record)
                if treated is None:
                    return
                record = treated
        except UntreatableError as reason:
            self._held[stream, str(reason)] += 1
            return
        if not self._has_maps:
            self._passed[stream] += 1
            yield encode({**message_dict, "record": record})
            return
        for alias, mapped in self._apply_maps(stream, record):
            self._passed[stream] += 1
            try:
                yield encode({**message_dict, "stream": alias, "record": mapped})
            except (TypeError, OverflowError, RecursionError) as failure:
                raise self._fault(
                    " becomes by stream maps what cannot be written as JSON "
                    f"({type(failure).__name__}); correct their expressions."
                ) from None

    def _apply_maps(self, stream: str, record: Record) -> Iterator[tuple[str, Record]]:
        if stream not in self.stream_maps.stream_maps:
            raise self._fault(" is a record without a SCHEMA before it; check the tap's output.")
        for stream_map in self.stream_maps.stream_maps[stream]:
            try:
                mapped = stream_map.transform(dict(record))
            except MapError as failure:
                raise self._fault(f": {failure}") from None
            if mapped is not None:
                yield stream_map.stream_alias, mapped

    @override
    def map_schema_message(self, message_dict: Message) -> Iterator[Any]:
        """The line as it is, or those of what the stream maps make of it.

        Raises:
            UserError: The maps do not fit the stream.
        """
        if not self._has_maps or "record" in message_dict:
            yield from self._pass_on(message_dict)
            return
        stream, schema = message_dict.get("stream"), message_dict.get("schema")
        if not isinstance(stream, str) or not isinstance(schema, dict):
            raise self._fault(
                " is a SCHEMA message without stream or schema; check the tap's output."
            )
        keys = message_dict.get("key_properties")
        try:
            self.stream_maps.register_raw_stream_schema(stream, schema, keys)
        except MapError as failure:
            raise self._fault(f": {failure}") from None
        for stream_map in self.stream_maps.stream_maps[stream]:
            if not isinstance(stream_map, RemoveRecordTransform):
                yield encode(
                    {
                        **message_dict,
                        "stream": stream_map.stream_alias,
                        "schema": stream_map.transformed_schema,
                        "key_properties": list(stream_map.transformed_key_properties or ()),
                    }
                )

    def _fault(self, what: str) -> UserError:
        return UserError(f"Line {self._reader.number} of the input{what}")

    @override
    def map_state_message(self, message_dict: Message) -> Iterator[Any]:
        return self._pass_on(message_dict)

    @override
    def map_activate_version_message(self, message_dict: Message) -> Iterator[Any]:
        return self._pass_on(message_dict)

    @override
    def map_batch_message(self, message_dict: Message) -> Iterator[Any]:
        raise self._fault(
            " is a BATCH message, whose records are in files that this mapper does not read; "
            "switch batches off in the tap."
        )

    def _pass_on(self, message: Message) -> Iterator[bytes]:
        if "record" in message:
            yield from self.map_record_message(message)
        else:
            yield self._reader.line

    @override
    def process_endofpipe(self) -> None:
        for stream in in_order(self._read):
            self.logger.info(
                "%s: %d read, %d passed on", stream, self._read[stream], self._passed[stream]
            )
        for (stream, reason), count in self._held.items():
            self.logger.warning(
                "%s: %d held back, because this mapping cannot treat them (%s)",
                stream,
                count,
                reason,
            )
        read = self._read.total()
        if read and not self._passed.total():
            self.logger.warning(
                "This mapping passed on none of the %d records it read (%s); %s.",
                read,
                names(self._read),
                self._purpose(),
            )
        self.stream_maps.check_matched()

    def _purpose(self) -> str:
        """What the mapping is for, beside what it got."""
        if self._has_maps:
            return f"its stream_maps are for {names(self.stream_maps.stream_maps_dict)}"
        return "take it out of the command if that is not meant"

    @override
    def terminate(self, signum: int) -> None:
        """End at once: there is nothing to save, and states not passed on are safe in the tap."""
        signal.signal(signum, signal.SIG_DFL)
        os.kill(os.getpid(), signum)

    @override
    @classmethod
    def describe(cls, error: Exception) -> str | None:
        """Say what settings may be, where the SDK's own messages hold the values."""
        if not isinstance(error, ConfigValidationError):
            return super().describe(error)
        known = ", ".join(sorted(TRANSFORMS))
        sentence = f"The configuration is wrong: transforms is a list of {known}, and stream_maps "
        return f"{sentence}an object of stream maps."

    @override
    @classmethod
    def get_singer_command(cls) -> click.Command:
        """The SDK's command, named for what it does."""
        command = super().get_singer_command()
        command.help = cls.__doc__
        return command
