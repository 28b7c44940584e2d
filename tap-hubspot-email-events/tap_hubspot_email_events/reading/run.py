"""One run of the tap: what all its streams share."""

from __future__ import annotations

import time
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tap_hubspot_email_events.hubspot.account import Account
from tap_hubspot_email_events.hubspot.request_count import RequestCount
from tap_hubspot_email_events.reading import summary
from tap_hubspot_email_events.reading.bookmarks import write_stretches
from tap_hubspot_email_events.reading.failures import Failures
from tap_hubspot_email_events.reading.progress import ProgressLog
from tap_hubspot_email_events.reading.reader import EventReader
from tap_hubspot_email_events.settings import read_settings

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from tap_hubspot_email_events.settings import Settings
    from tap_hubspot_email_events.singer.messages import Record
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
        bookmarks: Callable[[], Mapping[str, dict[str, Any]]],
        write_state: Callable[[], None],
        logger: logging.Logger,
    ) -> None:
        """Prepare a run that started at `started_at`, in milliseconds.

        `event_streams` returns the selected event streams by event type, `last_stream` the name of
        the stream that ends last, `bookmarks` the entries of all streams in the state, and
        `write_state` writes a STATE message.
        """
        self.failures = Failures(logger)
        self.logger = logger
        self._config = config
        self._writer = writer
        self._user_agent = user_agent
        self._started_at = started_at
        self._event_streams = event_streams
        self._last_stream = last_stream
        self._bookmarks = bookmarks
        self._write_state = write_state
        self._started = time.monotonic()
        self._others: list[summary.StreamResult] = []

    @cached_property
    def settings(self) -> Settings:
        """The settings, checked.

        Raises:
            ConfigError: A setting is wrong.
        """
        return read_settings(self._config)

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
            progress=self.progress,
        )

    @cached_property
    def progress(self) -> ProgressLog:
        """The log of how far the run is."""
        return ProgressLog(self.logger, self.account.limiter)

    def read_events(self) -> None:
        """Read all selected event streams, unless that is done or nothing can be read any more.

        Raises:
            SystemExit: A signal ended the run.
        """
        if self.reader.ended or self.failures.fatal:
            return
        streams = self._event_streams()
        selected = {stream.name for stream in streams.values()}
        for name, entry in self._bookmarks().items():
            if name not in selected:
                # The state has room for the stretches of the streams that are read.
                write_stretches(entry, ())
        try:
            self.reader.run(streams)
        except SystemExit:
            self._log_end()
            raise
        for sync in self.reader.syncs.values():
            if sync.failure is not None:
                self.failures.add(sync.failure, sync.name)
        if self.reader.failure is not None:
            self.failures.add(self.reader.failure)

    def campaigns(self, stream: str) -> Iterable[Record]:
        """Yield every email campaign, as records of `stream`.

        Raises:
            TapError: HubSpot does not answer.
            StoppedError: The run ended first.
        """
        result = summary.StreamResult(stream, RequestCount())
        self._others.append(result)
        for campaign in self.account.campaigns(result.count):
            campaign.setdefault("portalId", self.account.portal_id())
            yield campaign
            result.records += 1
            self.progress.report_records(stream, result.records, result.count.requests)
        result.complete = True

    def conclude(self, stream: str) -> None:
        """Log after the last stream how the run has ended, and fail it if anything has failed.

        Raises:
            TapError: What has failed and why, in one sentence per cause.
        """
        if stream == self._last_stream():
            self._log_end()
            self.failures.raise_any()

    def _log_end(self) -> None:
        results = [*map(summary.result_of, self.reader.syncs.values()), *self._others]
        for line in summary.table(results):
            self.logger.info(line)
        for warning in self._warnings():
            self.logger.warning(warning)
        self.logger.info(summary.totals(results, time.monotonic() - self._started))

    def _warnings(self) -> Iterator[str]:
        if not self._event_streams() and not self._others and not self.failures.fatal:
            yield (
                "No stream is selected, so nothing was read; select some in meltano.yml, or with "
                "`meltano select tap-hubspot-email-events email_open '*'`."
            )
        yield from self.account.anomalies.warnings()
        yield from summary.clock_warnings(self.account.clock.ahead)
        yield from summary.future_warnings(self.reader.syncs.values())
        contacts = self.account.contacts
        if contacts is not None and contacts.read and (absent := contacts.without_value):
            yield (
                f"None of {contacts.read:,} contacts has a value for {', '.join(absent)}; check "
                "contact_properties against the internal names in HubSpot, Settings > Properties."
            )
        if self.settings.start is not None:
            syncs = self.reader.syncs.values()
            yield from summary.start_date_warnings(syncs, max(1, self.settings.start))

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
