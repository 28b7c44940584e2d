"""The command `target-amplitude-check`."""

from __future__ import annotations

import sys
import time
from datetime import datetime, timezone

import click
import msgspec

from target_amplitude import __version__
from target_amplitude.amplitude.delays import Delays
from target_amplitude.check.finding import FAILED, UNKNOWN, Finding
from target_amplitude.check.ingestion import check_ingestion
from target_amplitude.check.management import check_management
from target_amplitude.configuration.channels import read_command_settings
from target_amplitude.settings import (
    ENVIRONMENT_PREFIX,
    MAX_EVENTS,
    REQUEST_BYTES,
    Settings,
    SettingsError,
    read_settings,
)

PLUGIN = "target-amplitude"
DELAYS = Delays(longest_retry=2.0)
MAX_RETRIES = 2


class Report(msgspec.Struct, frozen=True):
    """What `--json` prints."""

    plugin: str
    version: str
    checked_at: str
    checks: list[Finding]


@click.command()
@click.option(
    "--config",
    "configs",
    multiple=True,
    help="Settings of the target as it gets them: a JSON file, or ENV.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, as for an issue.")
def main(*, configs: tuple[str, ...], as_json: bool) -> None:
    """Say what is true of the Amplitude project, by a few requests that bring no event.

    Exits 1 where something fails.
    """
    try:
        given = read_settings(read_command_settings(Settings, ENVIRONMENT_PREFIX, configs))
    except SettingsError as error:
        raise click.ClickException(str(error)) from None
    settings = msgspec.structs.replace(given, max_retries=min(MAX_RETRIES, given.max_retries))
    findings = [
        *check_ingestion(settings, DELAYS),
        *check_management(settings, DELAYS),
        _sizes(settings),
    ]
    now = datetime.fromtimestamp(time.time(), timezone.utc)
    report = Report(PLUGIN, __version__, f"{now:%Y-%m-%dT%H:%M:%SZ}", findings)
    click.echo(_json(report) if as_json else _table(findings))
    sys.exit(1 if any(each.result == FAILED for each in findings) else 0)


def _sizes(settings: Settings) -> Finding:
    most = f"{MAX_EVENTS:,} events and {REQUEST_BYTES[settings.endpoint]:,} bytes a request"
    return Finding("sizes", UNKNOWN, f"not tried, since that would bring events; {most}")


def _json(report: Report) -> str:
    return msgspec.json.format(msgspec.json.encode(report)).decode()


def _table(findings: list[Finding]) -> str:
    rows = [
        ("check", "result", "seen"),
        *((each.name, each.result, each.seen) for each in findings),
    ]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    return "\n".join(
        f"{name:<{widths[0]}}  {result:<{widths[1]}}  {seen}" for name, result, seen in rows
    )
