"""One run of the tap: what all its streams share."""

from __future__ import annotations

import logging
import signal
import time
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from tap_hubspot_email_events.common.tables import names
from tap_hubspot_email_events.errors import DailyLimitError, StreamError, TapError
from tap_hubspot_email_events.hubspot.api import HubSpotApi
from tap_hubspot_email_events.hubspot.client import RequestCount
from tap_hubspot_email_events.reading import summary
from tap_hubspot_email_events.reading.bookmarks import read_bookmark, write_digests
from tap_hubspot_email_events.reading.progress import ProgressLog
from tap_hubspot_email_events.reading.reader import EventReader
from tap_hubspot_email_events.reading.states import BOOKMARKS, LAST_RUN
from tap_hubspot_email_events.reading.stream_sync import StreamResult
from tap_hubspot_email_events.settings import read_settings
from tap_hubspot_email_events.timestamps import format_timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from singer_sdk import Tap

    from tap_hubspot_email_events.settings import Settings
    from tap_hubspot_email_events.singer.sdk import SelfReadingStream
    from tap_hubspot_email_events.singer.writer import BytesWriter, Record

NOTHING_SELECTED = "No stream is selected."
CAMPAIGNS = "email_campaigns"
DAILY_LIMIT = "HubSpot's daily request limit is used up."

logger = logging.getLogger(__name__)


class Failures:
    """Collects failures until all streams have had their turn."""

    def __init__(self) -> None:
        # Streams by what has failed, said as a sentence.
        self._streams: dict[str, list[str]] = {}
        # Whether a failure concerns all streams.
        self.fatal = False
        self._daily_limit = False

    def add(self, error: Exception, stream: str | None = None) -> None:
        """Add a failure, of one stream or of all."""
        if isinstance(error, DailyLimitError):
            self._daily_limit = True
            logger.warning(
                "HubSpot's daily request limit is used up; what was read is kept, and the next run "
                "goes on from there."
            )
        elif isinstance(error, TapError):
            streams = self._streams.setdefault(str(error).rstrip("."), [])
            if stream is not None:
                streams.append(stream)
        self.fatal = self.fatal or not isinstance(error, StreamError)

    @property
    def reason(self) -> str | None:
        """What has failed first, in one sentence; None if nothing has."""
        for sentence, streams in self._streams.items():
            return f"{names(streams)}: {sentence}." if streams else f"{sentence}."
        return DAILY_LIMIT if self._daily_limit else None

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


class Run:
    """The settings, HubSpot's API, the reader of events and the failures of one run.

    All but the failures are made when first used, because discovery needs no valid settings.
    """

    def __init__(
        self,
        tap: Tap,
        writer: BytesWriter,
        event_streams: Callable[[], Mapping[str, SelfReadingStream]],
        map_warnings: Callable[[], Iterable[str]],
    ) -> None:
        """Prepare a run; `event_streams` returns the selected event streams by event type.

        `map_warnings` returns what to say of stream maps at the end.
        """
        self.failures = Failures()
        self.tap = tap
        self._writer = writer
        self._event_streams = event_streams
        self._map_warnings = map_warnings
        self._started = time.monotonic()
        self._others: list[StreamResult] = []
        self._begun = False
        self._signal: int | None = None
        # The request of the start, which belongs to no stream.
        self._count = RequestCount()

    @cached_property
    def settings(self) -> Settings:
        """The settings, checked.

        Raises:
            ConfigError: A setting is wrong.
        """
        return read_settings(self.tap.config)

    @cached_property
    def api(self) -> HubSpotApi:
        """HubSpot's API as all streams use it."""
        return HubSpotApi(self.settings, f"{self.tap.name}/{self.tap.plugin_version}")

    @cached_property
    def reader(self) -> EventReader:
        """The reader of all event streams, which reads up to HubSpot's present time."""
        return EventReader(
            self.settings,
            self.api,
            self._writer,
            started_at=self.tap.initialized_at,
            write_state=self._write_state,
            progress=self.progress,
        )

    @cached_property
    def progress(self) -> ProgressLog:
        """The log of how far the run is."""
        return ProgressLog(logger, self.api.limiter)

    def begin(self) -> None:
        """Ask HubSpot who and when, before anything is planned or written; once in a run.

        Raises:
            AccountError: HubSpot cannot be reached, or the credentials are refused, or are those
                of another account than the state's.
        """
        if self._begun:
            return
        self._begun = True
        if not self._selected:
            self._note_last_run(complete=False, reason=NOTHING_SELECTED)
            return
        try:
            self.api.account.ask(self._count)
        except DailyLimitError as error:
            self.failures.add(error)
        # Looked up here, since the SDK makes entries for streams that have none.
        entries = self.tap.state.get("bookmarks") or {}
        for stream in self._event_streams().values():
            if bookmark := read_bookmark(stream.name, entries.get(stream.name, {})):
                self.api.account.check(bookmark.portal_id)
        self._note_last_run(complete=False)

    @property
    def _selected(self) -> list[str]:
        return [name for name, stream in self.tap.streams.items() if stream.selected]

    def _note_last_run(self, *, complete: bool, reason: str | None = None) -> None:
        """Put how far this run is into the state, for who reads the state to know.

        It is complete only once all that was to be read has been written.
        """
        last_run = {"started_at": format_timestamp(self.tap.initialized_at), "complete": complete}
        state = cast("dict[str, Any]", self.tap.state)
        state.setdefault(BOOKMARKS, {})
        state[LAST_RUN] = last_run if reason is None else last_run | {"reason": reason}

    def read_events(self) -> None:
        """Read all selected event streams, unless that is done or nothing can be read any more.

        Raises:
            SystemExit: A signal ended the run.
        """
        if self.reader.syncs:
            return
        streams = self._event_streams()
        self.reader.plan(streams)
        if self.failures.fatal:
            return
        selected = {stream.name for stream in streams.values()}
        for name, entry in self.tap.state.get("bookmarks", {}).items():
            if name not in selected:
                # The state has room for the digests of the streams that are read.
                write_digests(entry, ())
        try:
            self.reader.run()
        except SystemExit:
            if self._signal is not None:
                self._note_signal(self._signal)
                self._write_state()
            self._log_end()
            raise
        for sync in self.reader.syncs.values():
            if sync.failure is not None:
                self.failures.add(sync.failure, sync.name)
        if self.reader.failure is not None:
            self.failures.add(self.reader.failure)

    def campaigns(self, stream: SelfReadingStream) -> Iterable[Record]:
        """Yield every email campaign, as records of `stream`.

        Raises:
            TapError: HubSpot does not answer.
            StoppedError: The run ended first.
        """
        result = StreamResult(stream.name)
        self._others.append(result)
        if self.failures.fatal:
            return
        for read, campaign in enumerate(self.api.campaigns.all(result.count), 1):
            campaign.setdefault("portalId", self.api.account.required_id())
            yield campaign
            # By now the SDK has written it, unless stream maps drop it.
            result.dropped = stream.dropped
            result.written = read - stream.dropped
            self.progress.report_records(stream.name, read, result.count.requests)
        result.read_whole = True

    def conclude(self) -> None:
        """Log after all streams how the run has ended, and fail it if anything has failed.

        Raises:
            TapError: What has failed and why, in one sentence per cause.
        """
        self._log_end()
        read = {result.name for result in self._results if result.read_whole}
        selected = self._selected
        reason = self.failures.reason if selected else NOTHING_SELECTED
        complete = reason is None and read.issuperset(selected)
        self._note_last_run(complete=complete, reason=reason)
        self._write_state()
        self.failures.raise_any()

    @property
    def _results(self) -> list[StreamResult]:
        return [*self.reader.syncs.values(), *self._others]

    def _log_end(self) -> None:
        results = self._results
        for line in summary.table(results):
            logger.info(line)
        for warning in self._warnings():
            logger.warning(warning)
        logger.info(summary.totals(results, self._count, time.monotonic() - self._started))

    def _warnings(self) -> Iterator[str]:
        if not self._event_streams() and not self._others and not self.failures.fatal:
            yield (
                "No stream is selected, so nothing was read; select some in meltano.yml, or with "
                "`meltano select tap-hubspot-email-events email_open '*'`."
            )
        yield from self._map_warnings()
        yield from self.api.anomalies.warnings()
        yield from summary.clock_warnings(self.api.clock.ahead)
        yield from summary.future_warnings(self.reader.syncs.values())
        contacts = self.api.contacts
        if contacts.asked and not contacts.read:
            yield (
                f"No recipient is a contact in HubSpot (addresses looked up: {contacts.asked:,}), "
                "so contact_properties has no effect; check that the contacts are in this HubSpot "
                "account."
            )
        if contacts.read and (absent := contacts.without_value):
            yield (
                f"None of {contacts.read:,} contacts has a value for {', '.join(absent)}; check "
                "contact_properties against the internal names in HubSpot, Settings > Properties."
            )
        if self.settings.start is not None:
            syncs = self.reader.syncs.values()
            yield from summary.start_date_warnings(syncs, self.settings.start)

    def terminate(self, signum: int) -> None:
        """End the run with the state that is true by then.

        Raises:
            SystemExit: Nothing is being written that has to be finished first.
        """
        if "reader" in self.__dict__ and self.reader.running:
            # The state may be being written right now, so it is changed only afterwards.
            self._signal = signum
            self.reader.terminate(signum)
            return
        self._note_signal(signum)
        self._write_state()
        raise SystemExit(128 + signum)

    def _note_signal(self, signum: int) -> None:
        reason = f"The run was ended by {signal.Signals(signum).name}."
        self._note_last_run(complete=False, reason=reason)

    def _write_state(self) -> None:
        self.tap.state_writer.write_state(self.tap.state)
