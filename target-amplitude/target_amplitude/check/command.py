"""The command `target-amplitude-check`."""

from __future__ import annotations

import time
from datetime import datetime, timezone

import click
import msgspec

from target_amplitude import __version__
from target_amplitude.amplitude.delays import Delays
from target_amplitude.check.ingestion import check_ingestion
from target_amplitude.check.management import check_management
from target_amplitude.common.channels import config_option, read_command_settings
from target_amplitude.common.command import Command
from target_amplitude.common.findings import UNKNOWN, Finding, Report
from target_amplitude.settings import (
    ENVIRONMENT_PREFIX,
    MAX_EVENTS,
    REQUEST_BYTES,
    Settings,
    read_settings,
)

DELAYS = Delays(longest_retry=2.0)
MAX_RETRIES = 2


@click.command(cls=Command)
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON, as for an issue.")
def main(*, configs: tuple[str, ...], as_json: bool) -> None:
    """Say what is true of the Amplitude project, by a few requests that bring no event.

    Exits 1 where something fails.
    """
    given = read_settings(read_command_settings(Settings, ENVIRONMENT_PREFIX, configs))
    settings = msgspec.structs.replace(given, max_retries=min(MAX_RETRIES, given.max_retries))
    findings = [
        *check_ingestion(settings, DELAYS),
        *check_management(settings, DELAYS),
        _sizes(settings),
    ]
    now = datetime.fromtimestamp(time.time(), timezone.utc)
    report = Report(
        plugin="target-amplitude",
        version=__version__,
        checked_at=f"{now:%Y-%m-%dT%H:%M:%SZ}",
        checks=findings,
    )
    report.end(as_json=as_json)


def _sizes(settings: Settings) -> Finding:
    most = f"{MAX_EVENTS:,} events and {REQUEST_BYTES[settings.endpoint]:,} bytes a request"
    return Finding("sizes", UNKNOWN, f"not tried, since that would bring events; {most}")
