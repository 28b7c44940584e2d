"""One run from the first line of input to the last state and the summary."""

from __future__ import annotations

import logging
import sys
import time
from datetime import datetime, timezone
from typing import IO, TYPE_CHECKING, Any

from singer_sdk.exceptions import (
    MappingError,
    MissingKeyPropertiesError,
    RecordsWithoutSchemaException,
)
from singer_sdk.singerlib.exceptions import InvalidInputLine

from target_amplitude.delays import Timing
from target_amplitude.delivery.delivery import Delivery
from target_amplitude.delivery.rejects import RejectsFile
from target_amplitude.errors import RunFailedError
from target_amplitude.history.counts import rejected_percent, sentence
from target_amplitude.history.job_log import JobLog
from target_amplitude.input.lines import Wakeup, descriptor_of, read_blocks
from target_amplitude.input.reader import Intake
from target_amplitude.lookup_table.upload import CampaignUpload
from target_amplitude.sinks.sink import DeliveringOutlet, DryOutlet

if TYPE_CHECKING:
    from singer_sdk.mapper import PluginMapper

    from target_amplitude.settings import Settings

_HOMECOMING = 20.0
"""Seconds that requests under way have to come home after a failure."""

INPUT_FAULTS = (
    InvalidInputLine,
    MappingError,
    MissingKeyPropertiesError,
    RecordsWithoutSchemaException,
)

logger = logging.getLogger("target-amplitude")


class Run:
    """Reads, delivers and accounts; `stop` may be called from a signal handler."""

    def __init__(
        self,
        settings: Settings,
        mapper: PluginMapper | None,
        timing: Timing | None = None,
    ) -> None:
        """Open what the run writes to.

        Raises:
            RunFailedError: If a file cannot be written to.
        """
        self._settings = settings
        self._timing = timing or Timing()
        self._started = time.monotonic()
        self._began = datetime.now(timezone.utc)
        self._signal: int | None = None
        self._wakeup = Wakeup()
        self._job_log = JobLog(settings.job_log_path) if settings.job_log_path else None
        self._rejects: RejectsFile | None = None
        self._delivery: Delivery | None = None
        self._dry: DryOutlet | None = None
        if settings.dry_run:
            self._dry = DryOutlet(has_secret_key=bool(settings.secret_key))
            self._intake = Intake(settings, self._dry, mapper)
            return
        self._rejects = RejectsFile(settings.rejected_path)
        self._delivery = Delivery(
            settings,
            self._rejects,
            write_state,
            self._timing,
            self._wakeup.wake,
        )
        self._campaigns = CampaignUpload(
            settings,
            self._delivery.books,
            self._rejects,
            self._timing,
            lambda: self._signal is not None,
        )
        outlet = DeliveringOutlet(self._delivery, self._rejects, self._campaigns)
        self._intake = Intake(settings, outlet, mapper)

    def stop(self, signum: int) -> None:
        """Read no further and deliver what was read."""
        self._signal = signum
        if self._delivery is not None:
            self._delivery.interrupt()
        self._wakeup.wake()

    def read(self, source: IO[str] | IO[bytes]) -> dict[str, int]:
        """Read everything and deliver it; returns at the end of input or when stopped.

        Returns the number of messages by type.

        Raises:
            InvalidInputLine: At a line that is no Singer message, once what came before it was
                delivered; likewise the exceptions of a record without its schema or keys.
            RunFailedError: If the run failed.
        """
        try:
            try:
                self._read_blocks(source)
            finally:
                if not isinstance(sys.exc_info()[1], RunFailedError):
                    self._deliver_rest()
        except RunFailedError as failure:
            self._end(str(failure))
            raise
        except INPUT_FAULTS as failure:
            self._end(str(failure))
            raise
        return self._intake.counts

    def end(self) -> int:
        """Account for the run; returns its exit code.

        Raises:
            RunFailedError: If more records were refused than `max_rejected_percent` allows.
        """
        if self._signal is not None:
            self._end(f"stopped by signal {self._signal}")
            return 128 + self._signal
        percent = rejected_percent(list(self._intake.tallies.values()))
        if percent > self._settings.max_rejected_percent:
            where = "a dry run keeps none of them"
            if self._dry is None:
                where = f"{self._settings.rejected_path} holds them with the reasons"
            refusal = RunFailedError(
                f"{percent:.1f} % of the records were refused, more than max_rejected_percent "
                f"({self._settings.max_rejected_percent:g}) allows; {where}.",
            )
            self._end(str(refusal))
            raise refusal
        if self._delivery is not None and self._delivery.books.exhausted_events:
            outcome = (
                f"{self._delivery.books.exhausted_events} event(s) are left for a later run, since "
                "Amplitude's daily quota of their users is used up"
            )
            logger.warning("%s; state was written up to the first of them.", outcome)
            self._end(outcome)
        else:
            self._end("dry run" if self._dry is not None else "delivered")
        return 0

    def _read_blocks(self, source: IO[str] | IO[bytes]) -> None:
        limit = None
        descriptor = descriptor_of(source)
        if descriptor is not None and self._rejects is not None:
            limit = self._rejects.size_if_same(descriptor)
        for block in read_blocks(source, self._wakeup, limit):
            self._intake.read(block)
            if self._signal is not None:
                break
        self._intake.hand_over()
        if self._signal is not None:
            return
        if self._delivery is not None and self._delivery.books.failure is not None:
            raise self._delivery.books.failure

    def _deliver_rest(self) -> None:
        if self._delivery is None:
            return
        if not self._delivery.finish():
            logger.warning("Not everything could be delivered in time; the next run goes on.")
            return
        self._campaigns.deliver()

    def _end(self, outcome: str) -> None:
        if self._delivery is not None:
            failed = self._delivery.books.failure is not None
            self._delivery.stop(_HOMECOMING if failed else 0.0)
        summary = self._summary(outcome)
        for stream in summary["streams"]:
            logger.info(sentence(stream, dry_run=self._dry is not None))
        for name, users in summary.get("distinct_users_by_event_type", {}).items():
            logger.info("%s: %d distinct users", name, users)
        if self._job_log is not None:
            try:
                self._job_log.append(summary)
            except OSError as failure:
                logger.warning("The run could not be added to job_log_path: %s", failure.strerror)
            self._job_log.close()
        if self._rejects is not None:
            self._rejects.close()
        self._wakeup.close()

    def _summary(self, outcome: str) -> dict[str, Any]:
        summary = {
            "started": self._began.isoformat(timespec="seconds").replace("+00:00", "Z"),
            "seconds": round(time.monotonic() - self._started, 3),
            "outcome": outcome,
            "dry_run": self._dry is not None,
            "requests": self._delivery.books.requests if self._delivery else 0,
            "bytes": self._delivery.books.sent_bytes if self._delivery else 0,
            "streams": [tally.summary() for tally in self._intake.tallies.values()],
        }
        if self._dry is not None:
            summary["distinct_users_by_event_type"] = {
                name: users.count() for name, users in self._dry.users.items()
            }
        return summary


def write_state(state: bytes) -> None:
    """Write a state where Meltano reads it.

    Raises:
        RunFailedError: If nobody reads any more.
    """
    try:
        sys.stdout.write(f"{state.decode()}\n")
        sys.stdout.flush()
    except (OSError, ValueError):
        raise RunFailedError(
            "State cannot be written, since standard output is closed; run it again.",
        ) from None


def mapper_needed(config: dict[str, Any]) -> bool:
    """Whether stream maps or flattening are set, so that records have to take the SDK's path."""
    return bool(config.get("stream_maps") or config.get("flattening_enabled"))
