"""The command `tap-hubspot-email-events-check`."""

from __future__ import annotations

import os
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec
from singer_sdk.singerlib import Catalog

from tap_hubspot_email_events import __version__
from tap_hubspot_email_events.check.account_checks import AccountChecks
from tap_hubspot_email_events.check.assumptions import examine
from tap_hubspot_email_events.check.evidence import Evidence
from tap_hubspot_email_events.check.probe import Probe
from tap_hubspot_email_events.common.channels import config_option, read_command_settings, read_json
from tap_hubspot_email_events.common.command import Command, duration
from tap_hubspot_email_events.common.event_types import SELECTED_BY_DEFAULT, STREAM_OF_TYPE
from tap_hubspot_email_events.common.findings import Report
from tap_hubspot_email_events.errors import ConfigError
from tap_hubspot_email_events.hubspot.api import HubSpotApi
from tap_hubspot_email_events.settings import (
    ENVIRONMENT_PREFIX,
    Settings,
    now_milliseconds,
    read_settings,
)
from tap_hubspot_email_events.timestamps import format_timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_hubspot_email_events.common.findings import Finding

PLUGIN = "tap-hubspot-email-events"
MOST_REQUESTS = 60
MOST_WITH_ASSUMPTIONS = 200
TOKEN_REQUESTS = 10
"""What tokens by OAuth, and a new one after a wait, take at most; they are not in the budget."""

MOST_RETRIES = 2
SELECT_VARIABLE = "MELTANO_EXTRACT__SELECT"
"""How Meltano tells a plugin's command what is selected."""


@click.command(cls=Command)
@config_option
@click.option(
    "--catalog",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Catalog whose selected streams to check; without one those that Meltano selects, or "
    "the default.",
)
@click.option(
    "--state",
    type=click.Path(dir_okay=False, path_type=Path),
    help="State of the last run, also as `meltano state get` prints it: where the next one starts.",
)
@click.option(
    "--assumptions", is_flag=True, help="Also try what the tap takes for granted about HubSpot."
)
@click.option(
    "--wait",
    type=duration,
    default="0s",
    help="Look at the same events again after so long, 5m or 1h for example; with --assumptions.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, as for an issue.")
def main(  # noqa: PLR0913 - the command's options
    *,
    configs: tuple[str, ...],
    catalog: Path | None,
    state: Path | None,
    assumptions: bool,
    wait: float,
    as_json: bool,
) -> None:
    """Say what is true of the HubSpot account, by at most 60 requests that change nothing.

    With --assumptions at most 200. Exits 1 where something fails or differs.
    """
    given = read_settings(read_command_settings(Settings, ENVIRONMENT_PREFIX, configs))
    event_types = _selected(catalog)
    state_given = None if state is None else _singer_state(read_json(state, "--state"))
    settings = msgspec.structs.replace(given, max_retries=min(MOST_RETRIES, given.max_retries))
    looks_closer = assumptions or bool(wait)
    most = MOST_WITH_ASSUMPTIONS if looks_closer else MOST_REQUESTS
    probe = Probe(HubSpotApi(settings, f"{PLUGIN}/{__version__}"), most - TOKEN_REQUESTS)
    checks = AccountChecks(probe, settings, event_types, state_given, now_milliseconds())
    findings = list(checks.run())
    assumed: list[Finding] = []
    if looks_closer and not probe.is_over:
        assumed = examine(Evidence(checks, wait=wait))
    report = Report(
        plugin=PLUGIN,
        version=__version__,
        checked_at=format_timestamp(checks.started_at),
        requests=probe.budget.requests,
        checks=findings,
        assumptions=assumed,
    )
    report.end(as_json=as_json)


def _selected(catalog: Path | None) -> list[str]:
    """The event types of the selected streams.

    Raises:
        ConfigError: The catalog cannot be read.
    """
    if catalog is not None:
        streams = _streams_of_catalog(read_json(catalog, "--catalog"))
    elif patterns := _patterns(os.environ.get(SELECT_VARIABLE, "")):
        streams = {
            stream
            for stream in STREAM_OF_TYPE.values()
            if any(fnmatchcase(stream, each.partition(".")[0]) for each in patterns)
            and f"!{stream}.*" not in patterns
        }
    else:
        streams = {STREAM_OF_TYPE[each] for each in SELECTED_BY_DEFAULT}
    return [kind for kind, stream in STREAM_OF_TYPE.items() if stream in streams]


def _streams_of_catalog(content: Mapping[str, Any]) -> set[str]:
    try:
        entries = Catalog.from_dict(dict(content)).items()
        return {name for name, entry in entries if entry.metadata.resolve_selection()[()]}
    except (KeyError, TypeError, AttributeError):
        raise ConfigError("The catalog is of no known form; make one with `--discover`.") from None


def _patterns(text: str) -> list[str]:
    try:
        return msgspec.json.decode(text, type=list[str])
    except msgspec.DecodeError:
        return []


def _singer_state(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """The state itself, also out of what `meltano state get` prints."""
    inner = content.get("singer_state")
    return inner if isinstance(inner, dict) else content
