"""The sinks of both passes over the input: to remember what was read, and to pass on what lacks."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from target_amplitude.common.output import open_private, write_all
from target_amplitude.errors import RunFailedError
from target_amplitude.reconcile.comparison import Verdict

if TYPE_CHECKING:
    from pathlib import Path

    from target_amplitude.delivery.queued_event import QueuedEvent
    from target_amplitude.delivery.rejects import Reject
    from target_amplitude.history.counts import StreamCounts
    from target_amplitude.mapping.outcome import Refusal
    from target_amplitude.reconcile.comparison import Comparison
    from target_amplitude.sinks.sink import Sink


class ReadSink:
    """Remembers the events that were read, and nothing else."""

    def __init__(self, comparison: Comparison) -> None:
        """Remember for this comparison."""
        self._comparison = comparison
        self.checkpoint = 0

    def add(
        self, events: list[QueuedEvent], rejects: list[Reject], settled: int, opened: int
    ) -> None:
        """Remember events."""
        del rejects, settled, opened
        for event in events:
            self._comparison.add(event.body)

    def add_campaign(
        self, record: dict[str, Any], line: bytes, counts: StreamCounts
    ) -> Refusal | None:
        """Do nothing: campaigns are no events."""

    def add_schema(self, stream: str, line: bytes) -> None:
        """Do nothing."""

    def close_checkpoint(self, state: bytes) -> None:
        """Do nothing: nothing is delivered yet."""

    def count_user(self, event_type: str, user: str) -> None:
        """Do nothing."""


class MissingSink:
    """Passes on the events that Amplitude lacks, and writes them to a file where one is given.

    What Amplitude has is counted as skipped. Events too recent to be exported are passed on, since
    Amplitude drops what it received within seven days.
    """

    def __init__(
        self,
        inner: Sink,
        comparison: Comparison,
        missing: MissingFile | None,
        exportable_until: int,
    ) -> None:
        """Pass on to `inner`; events from `exportable_until` on may not be exported yet."""
        self._inner = inner
        self._comparison = comparison
        self._missing = missing
        self._exportable_until = exportable_until

    @property
    def checkpoint(self) -> int:
        """Number of the checkpoint that covers records read now."""
        return self._inner.checkpoint

    def add(
        self, events: list[QueuedEvent], rejects: list[Reject], settled: int, opened: int
    ) -> None:
        """Take what records became."""
        kept = []
        for event in events:
            verdict = self._comparison.judge(event.body, self._exportable_until)
            is_wanted = verdict is Verdict.MISSING or (
                verdict is Verdict.TOO_EARLY and self._missing is None
            )
            if is_wanted:
                kept.append(event)
                if self._missing is not None:
                    self._missing.add(event)
            else:
                event.counts.skipped += 1
        self._inner.add(kept, rejects, settled + len(events) - len(kept), opened)

    def add_campaign(
        self, record: dict[str, Any], line: bytes, counts: StreamCounts
    ) -> Refusal | None:
        """Pass a campaign on."""
        return self._inner.add_campaign(record, line, counts)

    def add_schema(self, stream: str, line: bytes) -> None:
        """Pass a schema on."""
        if self._missing is not None:
            self._missing.add_schema(stream, line)
        self._inner.add_schema(stream, line)

    def close_checkpoint(self, state: bytes) -> None:
        """Pass a state on."""
        self._inner.close_checkpoint(state)

    def count_user(self, event_type: str, user: str) -> None:
        """Do nothing: distinct users are those of a dry run of everything."""


class MissingFile:
    """The missing events as Singer messages, readable by their owner only; each report anew."""

    def __init__(self, path: Path) -> None:
        """Take the file's path; it is written once there is something to write."""
        self.path = path
        self.events = 0
        self._descriptor: int | None = None
        self._schemas: dict[str, bytes] = {}
        self._written: set[str] = set()
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise self._unwritable(error) from None

    def add_schema(self, stream: str, line: bytes) -> None:
        """Remember the SCHEMA message of a stream."""
        self._schemas[stream] = line
        self._written.discard(stream)

    def add(self, event: QueuedEvent) -> None:
        """Write the record of an event.

        Raises:
            RunFailedError: If it cannot be written.
        """
        stream = event.counts.stream
        lines = [event.line]
        if stream not in self._written and stream in self._schemas:
            self._written.add(stream)
            lines.insert(0, self._schemas[stream])
        self.events += 1
        try:
            if self._descriptor is None:
                self._descriptor = open_private(self.path, os.O_TRUNC)
            write_all(self._descriptor, b"".join(line.rstrip(b"\n") + b"\n" for line in lines))
        except OSError as error:
            raise self._unwritable(error) from None

    def close(self) -> None:
        """Close the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)

    def _unwritable(self, error: OSError) -> RunFailedError:
        return RunFailedError(
            f"The missing events cannot be kept in {self.path} ({error.strerror}); make room "
            "there, or set rejected_path to another folder.",
        )
