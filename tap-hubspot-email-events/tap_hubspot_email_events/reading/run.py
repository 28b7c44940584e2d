"""One run of the tap: what all its streams share."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from tap_hubspot_email_events.hubspot.account import Account
from tap_hubspot_email_events.reading.failures import Failures
from tap_hubspot_email_events.reading.progress import summary
from tap_hubspot_email_events.reading.reader import EventReader
from tap_hubspot_email_events.settings import Settings

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Mapping

    from tap_hubspot_email_events.singer.sdk import SelfReadingStream
    from tap_hubspot_email_events.singer.writer import BytesWriter


class Run:
    """The settings, the account, the reader of events and the failures of one run.

    All but the failures are made when first used, because discovery needs no valid settings.
    """

    def __init__(  # noqa: PLR0913 - what only the tap knows
        self,
        config: Mapping[str, Any],
        writer: BytesWriter,
        *,
        user_agent: str,
        started_at: int,
        event_streams: Callable[[], Mapping[str, SelfReadingStream]],
        last_stream: Callable[[], str],
        write_state: Callable[[], None],
        logger: logging.Logger,
    ) -> None:
        """Prepare a run that started at `started_at`, in milliseconds.

        `event_streams` returns the selected event streams by event type, `last_stream` the name of
        the stream that ends last, and `write_state` writes a STATE message.
        """
        self.failures = Failures(logger)
        self.logger = logger
        self._config = config
        self._writer = writer
        self._user_agent = user_agent
        self._started_at = started_at
        self._event_streams = event_streams
        self._last_stream = last_stream
        self._write_state = write_state

    @cached_property
    def settings(self) -> Settings:
        """The settings, checked.

        Raises:
            ConfigError: A setting is wrong.
        """
        return Settings.of(self._config)

    @cached_property
    def account(self) -> Account:
        """The HubSpot account that all streams are read from."""
        return Account(self.settings, self._user_agent)

    @cached_property
    def reader(self) -> EventReader:
        """The reader of all event streams."""
        return EventReader(
            self.settings,
            self.account,
            self._writer,
            started_at=self._started_at,
            write_state=self._write_state,
            logger=self.logger,
        )

    def read_events(self) -> None:
        """Read all selected event streams, unless that is done or nothing can be read any more.

        Raises:
            SystemExit: A signal ended the run.
        """
        if self.reader.ended or self.failures.fatal:
            return
        self.reader.run(self._event_streams())
        for sync in self.reader.syncs.values():
            if sync.failure is not None:
                self.failures.add(sync.failure, sync.name)
        if self.reader.failure is not None:
            self.failures.add(self.reader.failure)

    def conclude(self, stream: str) -> None:
        """Log how a stream has ended, and fail the run after the last one if anything has failed.

        Raises:
            TapError: What has failed and why, in one sentence per cause.
        """
        if (sync := self.reader.syncs.get(stream)) is not None:
            self.logger.info(summary(sync))
        if stream == self._last_stream():
            self.failures.raise_any()

    def terminate(self, signal: int) -> None:
        """End the run with the state that is true by then.

        Raises:
            SystemExit: Nothing is being written that has to be finished first.
        """
        if "reader" in self.__dict__ and self.reader.running:
            self.reader.terminate(signal)
            return
        self._write_state()
        raise SystemExit(128 + signal)
