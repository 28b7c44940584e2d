"""Runs the target in this process and keeps what it wrote."""

from __future__ import annotations

import io
import json
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from target_amplitude.amplitude.delays import Delays
from target_amplitude.target import TargetAmplitude

if TYPE_CHECKING:
    from collections.abc import Iterable

KEY = "sandbox-api-key"
COMMAND = str(Path(sys.executable).parent / "target-amplitude")
FAST = Delays(
    first_retry=0.001,
    longest_retry=0.01,
    throttle={"batch": 0.02, "httpapi": 0.02},
    partial_batch=0.05,
    termination=2.0,
)


class FastTarget(TargetAmplitude):
    """The target without its long delays."""

    delays = FAST


class Loader:
    """Runs the target in this process and keeps what it wrote."""

    def __init__(self, url: str, folder: Path) -> None:
        """Load into this Amplitude; files go into the folder."""
        self.rejected_path = folder / "rejected.jsonl"
        self.job_log_path = folder / "jobs.jsonl"
        self.config: dict[str, Any] = {
            "api_key": KEY,
            "api_url": url,
            "rejected_path": str(self.rejected_path),
            "job_log_path": str(self.job_log_path),
            "max_rejected_percent": 100,
        }
        self.stdout = ""

    @property
    def states(self) -> list[Any]:
        """The states written, in order."""
        return [json.loads(line) for line in self.stdout.splitlines()]

    def load(self, messages: Iterable[dict[str, Any] | str], **settings: Any) -> list[Any]:
        """Load messages; returns the states written."""
        lines = [m if isinstance(m, str) else json.dumps(m) for m in messages]
        return self.load_text("".join(f"{line}\n" for line in lines), **settings)

    def load_text(self, text: str | Path, **settings: Any) -> list[Any]:
        """Load text or a file; returns the states written."""
        if isinstance(text, str):
            return self.load_source(io.StringIO(text), **settings)
        with text.open() as file:
            return self.load_source(file, **settings)

    def load_source(self, source: IO[str], **settings: Any) -> list[Any]:
        """Load an open file; returns the states written."""
        target = FastTarget(config=self.config | settings)
        out = io.StringIO()
        try:
            with redirect_stdout(out):
                target.listen(source)
        finally:
            self.stdout = out.getvalue()
        return self.states

    @property
    def rejects(self) -> list[dict[str, Any]]:
        """The messages of the rejects file."""
        if not self.rejected_path.exists():
            return []
        return [json.loads(line) for line in self.rejected_path.read_text().splitlines()]

    @property
    def rejected_records(self) -> list[dict[str, Any]]:
        """The records of the rejects file."""
        return [message for message in self.rejects if message["type"] == "RECORD"]

    @property
    def runs(self) -> list[dict[str, Any]]:
        """The runs of the job log."""
        return [json.loads(line) for line in self.job_log_path.read_text().splitlines()]

    @property
    def streams(self) -> dict[str, dict[str, Any]]:
        """The last run's summary by stream."""
        return {stream["stream"]: stream for stream in self.runs[-1]["streams"]}
