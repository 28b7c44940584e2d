"""The command `target-amplitude-jobs`: the job log as a table, as JSON, as a page, as a check."""

from __future__ import annotations

import json
import os
import shutil
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import click

from target_amplitude.common.channels import config_option, read_command_settings
from target_amplitude.common.command import Command, duration
from target_amplitude.common.configuration import read_configuration
from target_amplitude.common.errors import UserError
from target_amplitude.common.output import explained, refuse_same, say, write_file
from target_amplitude.history.job_log import older_file, read_job_log
from target_amplitude.history.job_table import BOLD, job_table
from target_amplitude.history.page import make_page
from target_amplitude.history.verdict import monitor
from target_amplitude.settings import ENVIRONMENT_PREFIX, Settings

if TYPE_CHECKING:
    from target_amplitude.history.runs import LoggedRun

_PLAIN_WIDTH = 140
_LOG_NAME = "jobs.jsonl"
"""The name in this project's `meltano.yml`, by which job logs are found in a folder."""

_VARIABLE = f"{ENVIRONMENT_PREFIX}_JOB_LOG_PATH"


@click.command(
    cls=Command,
    help="Show the runs in the job log, or in several files or folders as one, the newest last.",
)
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@config_option
@click.option("--limit", default=24, show_default=True, help="Runs to show; 0 is all.")
@click.option("--json", "as_json", is_flag=True, help="Print the runs as JSON.")
@click.option(
    "--html",
    "page",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a page with plots of all runs to this file.",
)
@click.option(
    "--check", is_flag=True, help="Only say whether the last run was good, and is recent enough."
)
@click.option(
    "--max-age",
    type=duration,
    default="2h",
    show_default=True,
    help="With --check: how long ago the last good run may have ended.",
)
def main(  # noqa: PLR0913 - the command's options
    *,
    paths: tuple[Path, ...],
    configs: tuple[str, ...],
    limit: int,
    as_json: bool,
    page: Path | None,
    check: bool,
    max_age: float,
) -> None:
    """Print the runs of one or several job logs.

    Raises:
        UserError: If no job log is named or it cannot be read, or the page not be written.
        SystemExit: With 1, if the last run failed, or the last good one is too old.
    """
    named = [log for path in paths for log in _logs_at(path)] or [_configured_path(configs)]
    # A pattern or folder may have both files of a log, which are read together.
    older = {older_file(log) for log in named}
    found = [log for log in dict.fromkeys(named) if log not in older]
    logs = [_read(log) for log in found]
    unreadable = sum(count for _, count in logs)
    runs = [run for of_log, _ in logs for run in of_log]
    if len(logs) > 1:
        runs.sort(key=lambda run: run.ended)
    shown = runs[-limit:] if limit > 0 else runs
    if unreadable:
        lines = "line" if unreadable == 1 else "lines"
        say(f"{unreadable:,} {lines} of the job log could not be read.", err=True)
    if check:
        _check(runs, max_age)
    elif as_json:
        click.echo(json.dumps([run.line for run in shown]))
    elif page is not None:
        for log in found:
            refuse_same({"the job log": log, "its older part": older_file(log), "the page": page})
        _write_page(page, runs, unreadable)
    else:
        is_terminal = sys.stdout.isatty()
        width = shutil.get_terminal_size().columns if is_terminal else _PLAIN_WIDTH
        # A file or a pipe gets no colours in any case.
        colour = False if "NO_COLOR" in os.environ else None
        for line, outcome, style in job_table(shown, width=width):
            say(f"{line}  ", nl=False, color=colour, bold=style == BOLD)
            say(outcome, color=colour, **style)


def _logs_at(path: Path) -> list[Path]:
    """Return the file that a path names, or all job logs in a folder and those below it."""
    with explained(f"{path} cannot be read"):
        if not path.is_dir():
            return [path]
        names = (_LOG_NAME, older_file(Path(_LOG_NAME)).name)
        found = sorted(log for name in names for log in path.rglob(name))
    if not found:
        raise UserError(f"There is no job log ({_LOG_NAME}) in {path} or a folder below it.")
    return found


def _read(path: Path) -> tuple[list[LoggedRun], int]:
    with explained(f"{path} cannot be read"):
        try:
            return read_job_log(path)
        except FileNotFoundError:
            raise UserError(f"There is no job log at {path} yet, so no run has ended.") from None


def _configured_path(configs: tuple[str, ...]) -> Path:
    given = read_command_settings(Settings, ENVIRONMENT_PREFIX, configs)
    path = read_configuration(Settings, given).values.get("job_log_path")
    if not path:
        raise UserError(
            f"No job log is named: set job_log_path (or {_VARIABLE}) and run the target once."
        )
    return Path(path)


def _check(runs: list[LoggedRun], max_age: float) -> None:
    findings = monitor(runs, datetime.now(timezone.utc), timedelta(seconds=max_age))
    for found in findings:
        say(found.text)
    if any(found.level != "good" for found in findings):
        raise SystemExit(1)


def _write_page(page: Path, runs: list[LoggedRun], unreadable: int) -> None:
    drawn = make_page(runs, datetime.now(timezone.utc), unreadable)
    with explained(f"{page} cannot be written"):
        write_file(page, drawn.encode("utf-8", "backslashreplace"))
    say(f"{page} shows {len(runs):,} run{'s' if len(runs) != 1 else ''}.")
