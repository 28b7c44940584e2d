"""One run, from the first line of the input to the last state and the summary."""

from __future__ import annotations

import logging
import sys
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from singer_sdk.exceptions import (
    MappingError,
    MissingKeyPropertiesError,
    RecordsWithoutSchemaException,
)
from singer_sdk.singerlib.exceptions import InvalidInputLine

from target_amplitude.common.output import write_whole
from target_amplitude.delays import Delays
from target_amplitude.delivery.delivery import Delivery
from target_amplitude.delivery.rejects import RejectsFile
from target_amplitude.errors import RunFailedError
from target_amplitude.history import summary as words
from target_amplitude.history.counts import CountsByStream, rejected_percent
from target_amplitude.history.job_log import JobLog
from target_amplitude.input.lines import Wakeup, descriptor_of, read_blocks
from target_amplitude.input.reader import InputReader
from target_amplitude.input.stream_maps import StreamMaps
from target_amplitude.lookup_table.upload import CampaignUpload
from target_amplitude.reconcile.reconciliation import Reconciliation
from target_amplitude.reconcile.sinks import ReadSink
from target_amplitude.sinks.amplitude_sink import AmplitudeSink
from target_amplitude.sinks.converter import RecordConverter
from target_amplitude.sinks.dry_run import DryRunSink

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk.mapper import PluginMapper

    from target_amplitude.settings import Settings
    from target_amplitude.sinks.sink import Sink

_IN_FLIGHT_SECONDS = 20.0
"""How long requests in flight are waited for after a failure."""

INPUT_ERRORS = (
    InvalidInputLine,
    MappingError,
    MissingKeyPropertiesError,
    RecordsWithoutSchemaException,
)

logger = logging.getLogger("target-amplitude")


class Run:
    """Reads, delivers and sums up; `stop` may be called from a signal handler."""

    def __init__(
        self,
        settings: Settings,
        mapper: PluginMapper | None,
        delays: Delays | None = None,
    ) -> None:
        """Open what the run writes to; `mapper` is the SDK's, given where records need it.

        Raises:
            RunFailedError: If a file cannot be written to.
        """
        self._settings = settings
        self._started = time.monotonic()
        self._started_at = datetime.now(timezone.utc)
        self._signal: int | None = None
        self._wakeup = Wakeup()
        self._job_log = JobLog(Path(settings.job_log_path)) if settings.job_log_path else None
        self._counts = CountsByStream()
        self._rejects: RejectsFile | None = None
        self._delivery: Delivery | None = None
        self._campaigns: CampaignUpload | None = None
        self._dry_run: DryRunSink | None = None
        self._reconciliation: Reconciliation | None = None
        self._is_comparing = False
        self._mapper = mapper
        is_own_reject = None
        is_dry = settings.dry_run or settings.reconcile == "report"
        delays = delays or Delays()
        sink: Sink
        if is_dry:
            sink = self._dry_run = DryRunSink(has_secret_key=bool(settings.secret_key))
        else:
            self._rejects = RejectsFile(Path(settings.rejected_path))
            self._delivery = Delivery(
                settings,
                self._rejects,
                write_state,
                delays,
                self._wakeup.wake,
            )
            self._campaigns = CampaignUpload(
                settings,
                self._delivery.coordinator,
                self._rejects,
                delays,
                lambda: self._signal is not None,
            )
            sink = AmplitudeSink(self._delivery, self._rejects, self._campaigns)
            is_own_reject = self._rejects.has_written
        if settings.reconcile != "off":
            self._reconciliation = Reconciliation(settings, delays, writes_missing=is_dry)
            sink = self._reconciliation.sink(sink)
        self._reader = InputReader(
            RecordConverter(settings, sink),
            self._counts,
            StreamMaps(mapper) if mapper is not None else None,
            is_own_reject,
        )

    def stop(self, signum: int) -> None:
        """Read no further and deliver what was read.

        Raises:
            SystemExit: If nothing is delivered yet, since what was read is still being compared.
        """
        if self._is_comparing:
            sys.exit(128 + signum)
        self._signal = signum
        if self._delivery is not None:
            self._delivery.interrupt()
        self._wakeup.wake()

    def read(self, source: IO[str] | IO[bytes]) -> dict[str, int]:
        """Read and deliver everything; returns at the end of the input or when stopped.

        Returns the number of messages by type.

        Raises:
            InvalidInputLine: At a line that is no Singer message, once what came before it was
                delivered; likewise the other `INPUT_ERRORS`.
            RunFailedError: If the run failed.
        """
        try:
            blocks = self._blocks_of(source)
            if self._reconciliation is not None:
                blocks = self._reconcile(blocks, self._reconciliation)
            try:
                self._read_blocks(blocks)
            finally:
                if not isinstance(sys.exc_info()[1], RunFailedError):
                    self._deliver_rest()
        except (RunFailedError, *INPUT_ERRORS) as failure:
            self._end(str(failure))
            raise
        return self._reader.message_counts

    def end(self) -> int:
        """Sum up the run; returns its exit code.

        Raises:
            RunFailedError: If more records were rejected than `max_rejected_percent` allows.
        """
        if self._signal is not None:
            self._end(f"stopped by signal {self._signal}", code=128 + self._signal)
            return 128 + self._signal
        failure = self._find_failure()
        if failure is not None:
            self._end(str(failure))
            raise failure
        if self._delivery is not None and self._delivery.coordinator.exhausted_events:
            outcome = (
                f"{self._delivery.coordinator.exhausted_events} event(s) are left for a later run, "
                "since Amplitude's daily quota of their users is used up"
            )
            logger.warning("%s; state was written up to the first of them.", outcome)
            self._end(outcome, code=0)
        else:
            self._end(self._good_outcome, code=0)
        return 0

    def _find_failure(self) -> RunFailedError | None:
        if self._reconciliation is not None and (lacks := self._reconciliation.failure):
            return lacks
        percent = rejected_percent(self._counts.values())
        reasons = words.rejected_reasons(self._counts.values())
        if percent > self._settings.max_rejected_percent:
            return RunFailedError(
                f"{percent:.1f} % of the records were refused, more than max_rejected_percent "
                f"({self._settings.max_rejected_percent:g}) allows ({reasons}); {self._kept_where}."
            )
        undelivered = words.undelivered_emails(self._counts.values())
        has_left = self._delivery is not None and self._delivery.coordinator.exhausted_events
        if undelivered and self._dry_run is None and not has_left:
            return RunFailedError(
                f"None of {undelivered:,} email events was delivered ({reasons}); "
                f"{self._kept_where}."
            )
        return None

    @property
    def _good_outcome(self) -> str:
        if self._dry_run is None:
            return "delivered"
        return "dry run" if self._reconciliation is None else "reconciled"

    @property
    def _kept_where(self) -> str:
        if self._dry_run is not None:
            return "a dry run keeps none of them"
        return f"{self._settings.rejected_path} holds them with the reasons"

    def _blocks_of(self, source: IO[str] | IO[bytes]) -> Iterator[bytes]:
        limit = None
        descriptor = descriptor_of(source)
        if descriptor is not None and self._rejects is not None:
            limit = self._rejects.detect_input(descriptor)
        return read_blocks(source, self._wakeup, limit)

    def _reconcile(
        self, blocks: Iterator[bytes], reconciliation: Reconciliation
    ) -> Iterator[bytes]:
        """Read the input and Amplitude's export; returns the input, to be read once more.

        Raises:
            RunFailedError: If the export cannot be read.
        """
        reader = InputReader(
            RecordConverter(self._settings, ReadSink(reconciliation.comparison), warns=False),
            CountsByStream(),
            StreamMaps(self._mapper) if self._mapper is not None else None,
            None,
        )
        self._is_comparing = True
        for block in reconciliation.remember(blocks):
            reader.read(block)
        reader.finish()
        reconciliation.read_export()
        self._is_comparing = False
        return reconciliation.blocks()

    def _read_blocks(self, blocks: Iterator[bytes]) -> None:
        for block in blocks:
            self._reader.read(block)
            if self._signal is not None:
                break
        self._reader.finish()
        if self._signal is None and self._delivery is not None:
            # The reader's wait may have ended because the run has failed.
            with self._delivery.coordinator.changed:
                self._delivery.coordinator.raise_failure()

    def _deliver_rest(self) -> None:
        if self._delivery is None or self._campaigns is None:
            return
        if not self._delivery.finish():
            logger.warning("Not everything could be delivered in time; the next run goes on.")
            return
        self._campaigns.upload()

    def _end(self, outcome: str, *, code: int = 1) -> None:
        if self._delivery is not None:
            has_failed = self._delivery.coordinator.failure is not None
            self._delivery.stop(_IN_FLIGHT_SECONDS if has_failed else 0.0)
        summary = self._summarize(outcome) | {"exit_code": code}
        self._log_end(summary)
        if self._job_log is not None:
            try:
                self._job_log.append(summary)
            except OSError as failure:
                logger.warning("The run could not be added to job_log_path: %s", failure.strerror)
            self._job_log.close()
        if self._rejects is not None:
            self._rejects.close()
        if self._reconciliation is not None:
            self._reconciliation.close()
        self._wakeup.close()

    def _log_end(self, summary: dict[str, Any]) -> None:
        streams, is_dry = list(self._counts.values()), self._dry_run is not None
        for stream in summary["streams"]:
            logger.debug(words.stream_details(stream))
        for line in words.table(streams, dry_run=is_dry):
            logger.info(line)
        if reasons := words.rejected_reasons(streams):
            logger.info("Rejected: %s", reasons)
        for name, users in summary.get("distinct_users_by_event_type", {}).items():
            logger.info("%s: %s distinct users", name, f"{users:,}")
        if self._reconciliation is not None:
            left_out = words.rejected_reasons(streams)
            for line in self._reconciliation.lines(left_out):
                logger.info(line)
        path = None if is_dry else str(self._settings.rejected_path)
        for warning in words.warnings(
            streams, user_field=self._settings.user_field, rejected_path=path
        ):
            logger.warning(warning)
        logger.info(words.totals(streams, summary["seconds"], dry_run=is_dry))

    def _summarize(self, outcome: str) -> dict[str, Any]:
        coordinator = self._delivery.coordinator if self._delivery is not None else None
        summary = {
            "started": self._started_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
            "seconds": round(time.monotonic() - self._started, 3),
            "outcome": outcome,
            "dry_run": self._dry_run is not None,
            "requests": coordinator.requests if coordinator is not None else 0,
            "bytes": coordinator.sent_bytes if coordinator is not None else 0,
            "streams": [counts.summary() for counts in self._counts.values()],
        }
        if self._reconciliation is not None:
            summary["reconciliation"] = self._reconciliation.summary()
        if self._dry_run is not None:
            summary["distinct_users_by_event_type"] = {
                name: users.count() for name, users in self._dry_run.users.items()
            }
        return summary


def write_state(state: bytes) -> None:
    """Write a state to standard output, where Meltano reads it.

    Raises:
        RunFailedError: If it is closed.
    """
    # A caller within the same process may have put something in its place that takes text only.
    binary = getattr(sys.stdout, "buffer", None)
    try:
        if binary is None:
            sys.stdout.write(f"{state.decode()}\n")
        else:
            write_whole(binary, state + b"\n")
    except (OSError, ValueError):
        raise RunFailedError(
            "State cannot be written, since standard output is closed; run it again.",
        ) from None
