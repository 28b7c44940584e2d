"""What has failed in a run, and for which streams."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from tap_hubspot_email_events.errors import (
    AccountError,
    DailyLimitError,
    StoppedError,
    StreamError,
    TapError,
)

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator


class Failures:
    """Collects failures until all streams have had their turn."""

    def __init__(self, logger: logging.Logger) -> None:
        """Start without any failure."""
        self._logger = logger
        # Streams by what has failed, said as a sentence.
        self._streams: dict[str, list[str]] = {}
        # Whether a failure concerns all streams.
        self.fatal = False

    @contextmanager
    def collected(self, stream: str) -> Iterator[None]:
        """Collect a failure of a stream instead of raising it."""
        try:
            yield
        except (StreamError, AccountError, DailyLimitError, StoppedError) as error:
            self.add(error, stream)

    def add(self, error: Exception, stream: str | None = None) -> None:
        """Add a failure, of one stream or of all."""
        if isinstance(error, DailyLimitError):
            self._logger.warning(
                "HubSpot's daily request limit is used up; what was read is kept, and the next run "
                "goes on from there."
            )
        elif isinstance(error, TapError):
            streams = self._streams.setdefault(str(error).rstrip("."), [])
            if stream is not None:
                streams.append(stream)
        self.fatal = self.fatal or not isinstance(error, StreamError)

    def raise_any(self) -> None:
        """Fail the run if anything has failed.

        Raises:
            TapError: What has failed and why, in one sentence per cause.
        """
        if self._streams:
            raise TapError(
                " ".join(
                    f"{', '.join(streams)}: {sentence}." if streams else f"{sentence}."
                    for sentence, streams in self._streams.items()
                )
            )
