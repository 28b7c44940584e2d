"""One run, from the first line of the input to the last state and the summary."""

from __future__ import annotations

import logging
import os
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import IO, TYPE_CHECKING

import msgspec
from singer_sdk.exceptions import MissingKeyPropertiesError, RecordsWithoutSchemaException
from singer_sdk.singerlib.exceptions import InvalidInputLine

from target_amplitude.common.output import reason, refuse_same, write_output
from target_amplitude.common.stream_map_settings import MapError
from target_amplitude.common.text import LONGEST_LINE, fit
from target_amplitude.delivery.coordinator import Coordinator
from target_amplitude.delivery.delivery import Delivery
from target_amplitude.delivery.dry_run import DryRun
from target_amplitude.delivery.rejects import RejectsFile
from target_amplitude.errors import RunFailedError
from target_amplitude.history import summary as words
from target_amplitude.history.counts import CountsByStream, rejected_percent
from target_amplitude.history.job_log import JobLog, older_file, state_id
from target_amplitude.input.lines import Wakeup, descriptor_of, read_blocks
from target_amplitude.input.reader import InputReader
from target_amplitude.input.stream_maps import StreamMaps
from target_amplitude.lookup_table.upload import CampaignUpload
from target_amplitude.reconcile.reconciliation import MISSING_NAME, Reconciliation

if TYPE_CHECKING:
    from target_amplitude.amplitude.delays import Delays
    from target_amplitude.common.stream_maps import CheckedMapper
    from target_amplitude.delivery.destination import Destination
    from target_amplitude.delivery.dry_run import Preview
    from target_amplitude.settings import Settings

INPUT_ERRORS = (
    InvalidInputLine,
    MapError,
    MissingKeyPropertiesError,
    RecordsWithoutSchemaException,
)

logger = logging.getLogger("target-amplitude")


class Run:
    """Reads, delivers and sums up; `stop` may be called from a signal handler."""

    def __init__(
        self,
        settings: Settings,
        mapper: CheckedMapper | None,
        delays: Delays,
        preview: Preview | None,
    ) -> None:
        """Open what the run writes to; `mapper` is given where records need it.

        A `preview` gets the events instead of Amplitude.

        Raises:
            RunFailedError: If a file cannot be written to.
        """
        if preview is not None:
            settings = msgspec.structs.replace(settings, dry_run=True)
        self._settings = settings
        self._started = time.monotonic()
        self._started_at = datetime.now(timezone.utc)
        self._signal: int | None = None
        self._wakeup = Wakeup()
        rejected, log = Path(settings.rejected_path), Path(settings.job_log_path or os.devnull)
        refuse_same(
            {
                "rejected_path": rejected,
                "what a reconciliation reports": rejected.parent / MISSING_NAME,
                "job_log_path": log,
                "the older part of the job log": older_file(log),
            }
        )
        self._job_log = JobLog(log)
        self._counts = CountsByStream()
        self._is_dry = settings.dry_run or settings.reconcile == "report"
        self._rejects = RejectsFile(Path(os.devnull) if self._is_dry else rejected)
        self._destination = preview or self._choose_destination(delays)
        self._reader = InputReader(
            settings,
            self._destination,
            self._counts,
            StreamMaps(mapper) if mapper is not None else None,
            self._rejects.has_written,
        )

    def stop(self, signum: int) -> None:
        """Read no further and deliver what was read.

        Raises:
            SystemExit: If nothing is delivered yet, since what was read is still being compared.
        """
        self._destination.interrupt(signum)
        self._signal = signum
        self._wakeup.wake()

    def read(self, source: IO[str] | IO[bytes]) -> dict[str, int]:
        """Read and deliver everything; returns at the end of the input or when stopped.

        Returns the number of messages by type.

        Raises:
            InvalidInputLine: At a line that is no Singer message, once what came before it was
                delivered; likewise the other `INPUT_ERRORS`.
            RunFailedError: If the run failed.
        """
        descriptor = descriptor_of(source)
        limit = None if descriptor is None else self._rejects.detect_input(descriptor)
        try:
            try:
                for block in read_blocks(source, self._wakeup, limit):
                    self._reader.read(block)
                    if self._signal is not None:
                        break
                if self._signal is None:
                    self._reader.finish()
                else:
                    self._reader.flush()
            except INPUT_ERRORS:
                # A report on a part of the input would look like one on all of it.
                if self._settings.reconcile != "report":
                    self._destination.finish()
                raise
            self._destination.finish()
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
        left = sum(counts.pending for counts in self._counts.values())
        failure = self._find_failure(left)
        if failure is not None:
            self._end(str(failure))
            raise failure
        outcomes = []
        if self._reader.early_end is not None:
            outcomes.append(f"the input ended early: {self._reader.early_end}")
            logger.warning(
                "The run does not count as a good one, since %s; the next one goes on from the "
                "last state.",
                outcomes[0],
            )
        if left:
            outcomes.append(
                f"{left} event(s) are left for a later run, since Amplitude's daily quota of "
                "their users is used up"
            )
            logger.warning("%s; state was written up to the first of them.", outcomes[-1])
        self._end("; ".join(outcomes) or self._destination.outcome, code=0)
        return 0

    def _choose_destination(self, delays: Delays) -> Destination:
        settings = self._settings
        destination: Destination
        if self._is_dry:
            destination = DryRun(counts_users=settings.reconcile == "off")
        else:
            coordinator = Coordinator(settings, self._rejects, write_state, delays)
            campaigns = CampaignUpload(
                settings, coordinator, self._rejects, delays, lambda: self._signal is not None
            )
            destination = Delivery(settings, coordinator, campaigns, delays, self._wakeup.wake)
        if settings.reconcile == "off":
            return destination
        return Reconciliation(settings, delays, destination, sends=not self._is_dry)

    def _find_failure(self, left: int) -> RunFailedError | None:
        percent = rejected_percent(self._counts.values())
        reasons = words.rejected_reasons(self._counts.values())
        kept_where = (
            "a dry run keeps none of them"
            if self._is_dry
            else f"{self._settings.rejected_path} holds them with the reasons"
        )
        if percent > self._settings.max_rejected_percent:
            return RunFailedError(
                f"{percent:.1f} % of the records were refused, more than max_rejected_percent "
                f"({self._settings.max_rejected_percent:g}) allows ({reasons}); {kept_where}."
            )
        undelivered = words.undelivered_emails(self._counts.values())
        if undelivered and not self._is_dry and not left:
            return RunFailedError(
                f"None of {undelivered:,} email events was delivered ({reasons}); {kept_where}."
            )
        return None

    def _end(self, outcome: str, *, code: int = 1) -> None:
        self._destination.close()
        seconds = round(time.monotonic() - self._started, 3)
        summary = {
            "started": self._started_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
            "seconds": seconds,
            "outcome": fit(outcome, LONGEST_LINE),
            "dry_run": self._is_dry,
            "streams": [counts.summary() for counts in self._counts.in_order()],
            "exit_code": code,
            "complete": self._reader.early_end is None,
        } | self._destination.figures()
        if (state := state_id(os.environ)) is not None:
            summary["state_id"] = state
        self._log_end(seconds)
        try:
            self._job_log.append(summary)
        except OSError as failure:
            logger.warning("The run could not be added to job_log_path: %s", reason(failure))
        self._rejects.close()
        self._wakeup.close()

    def _log_end(self, seconds: float) -> None:
        streams = self._counts.in_order()
        for line in words.table(streams, dry_run=self._is_dry):
            logger.info(line)
        reasons = words.rejected_reasons(streams)
        if reasons:
            logger.info("Rejected: %s", reasons)
        for line in self._destination.lines(reasons):
            logger.info(line)
        for warning in self._reader.warnings():
            logger.warning(warning)
        path = None if self._is_dry else str(self._settings.rejected_path)
        warnings = words.warnings(streams, self._settings, rejected_path=path)
        for warning in (*self._destination.warnings(), *warnings):
            logger.warning(warning)
        logger.info(words.totals(streams, seconds, dry_run=self._is_dry))


def write_state(state: bytes) -> None:
    """Write a state to standard output, where Meltano reads it.

    Raises:
        RunFailedError: If that is closed, or the disk is full.
    """
    write_output(state + b"\n", "State", RunFailedError)
