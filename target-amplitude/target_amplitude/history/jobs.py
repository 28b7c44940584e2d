"""The command `target-amplitude-jobs`: the job log as a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from target_amplitude.configuration.channels import read_command_settings
from target_amplitude.configuration.reading import read_configuration
from target_amplitude.history.job_log import read_runs
from target_amplitude.settings import ENVIRONMENT_PREFIX, Settings

if TYPE_CHECKING:
    from collections.abc import Iterable

_VARIABLE = f"{ENVIRONMENT_PREFIX}_JOB_LOG_PATH"
_TITLES = (
    "Started",
    "Streams",
    "First event",
    "Last event",
    "Read",
    "Delivered",
    "Skipped",
    "Rejected",
    "Seconds",
    "Outcome",
)
_NUMBERS = frozenset(("Read", "Delivered", "Skipped", "Seconds"))
_SUMMED = ("read", "delivered", "skipped")
_MAX_CELL_WIDTH = 60


@click.command(help="Show the runs in the job log, the newest last.")
@click.argument("path", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--config", "configs", multiple=True, help="Settings of the target, as it gets them.")
@click.option("--limit", default=24, show_default=True, help="Runs to show.")
def main(path: Path | None, configs: tuple[str, ...], limit: int) -> None:
    """Print the runs of a job log as a table.

    Raises:
        ClickException: If no job log is named or it cannot be read.
    """
    path = path or _configured_path(configs)
    if path is None:
        raise click.ClickException(
            f"No job log is named: set job_log_path (or {_VARIABLE}) and run the target once.",
        )
    try:
        runs = read_runs(path)
    except FileNotFoundError:
        raise click.ClickException(f"There is no job log at {path} yet.") from None
    except OSError as failure:
        raise click.ClickException(f"{path} cannot be read: {failure.strerror}.") from None
    click.echo("\n".join(format_table(runs[-limit:] if limit > 0 else runs)))


def format_table(runs: Iterable[dict[str, Any]]) -> list[str]:
    """Format runs as the lines of a table."""
    rows = [_row(run) for run in runs]
    widths = [max(map(len, column)) for column in zip(_TITLES, *rows, strict=True)]
    lines = []
    for row in (_TITLES, tuple("-" * width for width in widths), *rows):
        cells = [
            cell.rjust(width) if title in _NUMBERS else cell.ljust(width)
            for title, cell, width in zip(_TITLES, row, widths, strict=True)
        ]
        lines.append("  ".join(cells).rstrip())
    return lines


def _configured_path(configs: tuple[str, ...]) -> Path | None:
    given = read_command_settings(Settings, ENVIRONMENT_PREFIX, configs)
    path = read_configuration(Settings, given).values.get("job_log_path")
    return Path(path) if path else None


def _row(run: dict[str, Any]) -> tuple[str, ...]:
    streams = run.get("streams") or []
    rejected: dict[str, int] = {}
    for stream in streams:
        for reason, count in (stream.get("rejected") or {}).items():
            rejected[reason] = rejected.get(reason, 0) + count
    firsts = [stream["first_event"] for stream in streams if stream.get("first_event")]
    lasts = [stream["last_event"] for stream in streams if stream.get("last_event")]
    names = [str(stream.get("stream")) for stream in streams if stream.get("read")]
    return (
        str(run.get("started", "")),
        _shorten(f"{len(names)}: {', '.join(names)}" if names else "none"),
        min(firsts, default="-"),
        max(lasts, default="-"),
        *(str(sum(stream.get(key, 0) for stream in streams)) for key in _SUMMED),
        ", ".join(f"{count} {reason}" for reason, count in rejected.items()) or "0",
        f"{run.get('seconds', 0):.1f}",
        _shorten(str(run.get("outcome", ""))),
    )


def _shorten(text: str) -> str:
    return text if len(text) <= _MAX_CELL_WIDTH else f"{text[: _MAX_CELL_WIDTH - 3]}..."
