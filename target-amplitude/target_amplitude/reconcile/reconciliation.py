"""One reconciliation: keep what is read, read Amplitude's export, and judge each event."""

from __future__ import annotations

import logging
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from target_amplitude.amplitude.export_api import ExportApi, RangeTooLargeError
from target_amplitude.common.event_types import STREAM_OF_TYPE
from target_amplitude.delivery.destination import Destination
from target_amplitude.errors import RunFailedError
from target_amplitude.history.counts import DAY_TEXT, HOUR_TEXT, as_text
from target_amplitude.history.job_log import read_job_log
from target_amplitude.history.runs import delivered_by_time
from target_amplitude.mapping.events import EventMapper
from target_amplitude.reconcile.archive import BrokenExportError
from target_amplitude.reconcile.comparison import Balance, Comparison, Verdict
from target_amplitude.reconcile.exported import read_export
from target_amplitude.reconcile.files import MissingFile, Spool
from target_amplitude.reconcile.report import remarks, says_nothing, table, warnings

if TYPE_CHECKING:
    from target_amplitude.amplitude.delays import Delays
    from target_amplitude.delivery.block import Block
    from target_amplitude.settings import Settings

MISSING_NAME = "missing.singer.jsonl"
"""The file beside `rejected_path` that a report writes the missing events to."""

HOUR = timedelta(hours=1)
EXPORT_DELAY = timedelta(hours=2)
"""How long after its end an hour may not be exported yet."""

_FIRST_HOURS = 24
_MOST_HOURS = 24 * 28
_SMALL_BYTES = 50_000_000
"""After a smaller export the next range is twice as long."""

_BROKEN_EXPORTS = 2
_REPORT_SECONDS = 10.0
_BATCH = 10_000

logger = logging.getLogger("target-amplitude")


class Reconciliation(Destination):
    """Keeps what is read until Amplitude's export is read too, and passes on what that lacks.

    Events that Amplitude has are counted as skipped. Those too recent to be exported are delivered,
    since Amplitude drops what it received within seven days.
    """

    def __init__(
        self, settings: Settings, delays: Delays, inner: Destination, *, sends: bool
    ) -> None:
        """Pass on to `inner`; unless it `sends`, write the missing events beside `rejected_path`.

        Raises:
            RunFailedError: If nothing can be written there.
        """
        folder = Path(settings.rejected_path).parent
        self._settings = settings
        self._event_types = [*map(EventMapper(settings).event_type, STREAM_OF_TYPE)]
        self._inner = inner
        self._sends = sends
        self.comparison = Comparison()
        self._missing = MissingFile(folder / MISSING_NAME)
        if not sends:
            self._missing.remove()
        self.now = datetime.now(timezone.utc)
        self._spool = Spool(folder)
        self._api = ExportApi(settings, delays, folder)
        self._recent: set[tuple[str, str]] = set()
        self._is_comparing = True
        self._is_interrupted = False
        self._bytes = 0
        self._events = 0
        self._unreadable: Counter[str] = Counter()
        self._start = self.now
        self._next_report = time.monotonic() + _REPORT_SECONDS

    @property
    @override
    def outcome(self) -> str:
        if self._sends:
            return self._inner.outcome
        if says_nothing(total := self.comparison.total):
            return (
                f"too early to say anything of {total.hubspot:,} events, which Amplitude may "
                "not export yet; compare again three hours after the last run"
            )
        return "reconciled"

    @override
    def add(self, block: Block) -> None:
        for event in block.events:
            self.comparison.add(event.body)
        self._spool.add(block)

    @override
    def finish(self) -> None:
        self._read_export()
        self._is_comparing = False
        self._recent = self._recent_deliveries()
        for block in self._spool.blocks():
            self._pass_on(block)
            if self._is_interrupted:
                break
        self._inner.finish()
        if self._missing.events and not self._is_interrupted:
            of = self.comparison.total.hubspot
            raise RunFailedError(
                f"Amplitude lacks {self._missing.events:,} of {of:,} events; "
                f"{self._missing.path} holds them. To send them, run it again with reconcile "
                "send_missing, or give the file to the target as its input."
            )

    @override
    def interrupt(self, signum: int) -> None:
        if self._is_comparing:  # nothing is delivered yet
            sys.exit(128 + signum)
        self._is_interrupted = True
        self._inner.interrupt(signum)

    @override
    def close(self) -> None:
        self._inner.close()
        self._spool.close()
        self._missing.close()

    @override
    def figures(self) -> dict[str, Any]:
        return self._inner.figures() | {"reconciliation": self._summary()}

    @override
    def lines(self, left_out: str) -> list[str]:
        total = self.comparison.total
        return [
            *self._inner.lines(left_out),
            *table(self._balances, total),
            *remarks(total, self.exportable_until, left_out),
        ]

    @override
    def warnings(self) -> list[str]:
        return [*self._inner.warnings(), *warnings(self.comparison.total, self._unreadable)]

    @property
    def exportable_until(self) -> datetime:
        """The end of the last hour that Amplitude is sure to export."""
        return _hour_of(self.now - EXPORT_DELAY)

    def _read_export(self) -> None:
        """Read what Amplitude received since the oldest event read."""
        self.comparison.freeze()
        if self.comparison.first is None:
            return
        oldest = datetime.fromtimestamp(self.comparison.first / 1000, timezone.utc)
        # An hour earlier, for a clock that was ahead when the event happened.
        begin = self._start = _hour_of(oldest) - HOUR
        # To this hour, though Amplitude may not have the last ones yet.
        last = _hour_of(self.now)
        hours = _FIRST_HOURS
        try:
            while begin <= last:
                end = min(last, begin + (hours - 1) * HOUR)
                try:
                    size = self._read_range(begin, end)
                except RangeTooLargeError:
                    if begin == end:
                        raise RunFailedError(
                            f"Amplitude cannot export the hour {begin:%Y-%m-%dT%H} (too large, or "
                            "too slow for its Export API); use its export to S3, or try again "
                            "later.",
                        ) from None
                    hours = max(1, hours // 2)
                    continue
                begin = end + HOUR
                if size < _SMALL_BYTES:
                    hours = min(_MOST_HOURS, 2 * hours)
                self._report(begin)
        finally:
            self._api.close()

    def _summary(self) -> dict[str, Any]:
        total = self.comparison.total
        return {
            **asdict(total),
            "unreadable": self._unreadable.total(),
            "from": as_text(self.comparison.first),
            "to": as_text(self.comparison.last),
            "exported_until": self.exportable_until.isoformat().replace("+00:00", "Z"),
            "by_event_type": {name: asdict(balance) for name, balance in self._balances.items()},
        }

    @property
    def _balances(self) -> dict[str, Balance]:
        """The figures by event type, in the order of HubSpot's."""
        found = self.comparison.balances
        return {name: found[name] for name in (*self._event_types, *found) if name in found}

    def _recent_deliveries(self) -> set[tuple[str, str]]:
        """Return stream and hour, or day, of the events whose delivery may not be exported yet."""
        path = self._settings.job_log_path
        try:
            runs = read_job_log(Path(path))[0] if path else []
        except OSError:  # this run has made it, so somebody takes it away
            runs = []
        recent = [run for run in runs if run.ended > self.exportable_until]
        return {(stream, text) for _, stream, text, _ in delivered_by_time(recent)}

    def _is_too_early(self, stream: str, time: int) -> bool:
        if time >= self.exportable_until.timestamp() * 1000:
            return True
        text = as_text(time) or ""
        return not self._recent.isdisjoint({(stream, text[:HOUR_TEXT]), (stream, text[:DAY_TEXT])})

    def _pass_on(self, block: Block) -> None:
        self._missing.add_schemas(block.schemas)
        lacking = []
        for event in block.events:
            verdict = self.comparison.judge(
                event.body, partial(self._is_too_early, event.counts.stream)
            )
            if verdict is Verdict.MISSING and not self._sends:
                self._missing.add(event)
            if verdict is Verdict.MISSING or (verdict is Verdict.TOO_EARLY and self._sends):
                lacking.append(event)
            else:
                event.counts.skipped += 1
        block.events = lacking
        self._inner.add(block)

    def _read_range(self, begin: datetime, end: datetime) -> int:
        """Read the hours from `begin` to `end`; returns the bytes of their export."""
        for _ in range(_BROKEN_EXPORTS):
            file = self._api.download(begin, end)
            if file is None:
                return 0
            unreadable: Counter[str] = Counter()
            with file, suppress(BrokenExportError):
                size = file.seek(0, 2)
                for event in read_export(file, unreadable):
                    self.comparison.note(event)
                    self._events += 1
                    if self._events % _BATCH == 0:
                        self._report(begin)
                self._bytes += size
                self._unreadable += unreadable
                return size
        raise RunFailedError(
            "Amplitude's Export API gave no zip of events twice; check api_url and whether a proxy "
            "stands between, or try again later.",
        )

    def _report(self, begin: datetime) -> None:
        now = time.monotonic()
        if now < self._next_report:
            return
        self._next_report = now + _REPORT_SECONDS
        last = _hour_of(self.now)
        share = 100 * (begin - self._start) / max(HOUR, last - self._start)
        logger.info(
            "Amplitude's export: %.0f %% of the hours to %s; %s events in %.0f MB, %s of them ours",
            min(100.0, share),
            f"{last:%Y-%m-%d %H:00}",
            f"{self._events:,}",
            self._bytes / 1e6,
            f"{self.comparison.found:,}",
        )


def _hour_of(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)
