"""The command `target-amplitude-taxonomy`: register the tracking plan, or write it as CSV."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from target_amplitude.amplitude.delays import Delays
from target_amplitude.amplitude.management_api import ManagementApi, host_of_region
from target_amplitude.common.channels import config_option, read_command_settings
from target_amplitude.common.command import Command
from target_amplitude.common.errors import UserError
from target_amplitude.common.output import explained, say, write_file
from target_amplitude.settings import (
    ENVIRONMENT_PREFIX,
    Settings,
    read_settings,
)
from target_amplitude.taxonomy.plan import make_plan
from target_amplitude.taxonomy.registration import HOSTS, SKIPPED, Registration
from target_amplitude.taxonomy.tracking_plan_csv import to_csv

if TYPE_CHECKING:
    from target_amplitude.taxonomy.plan import Plan
    from target_amplitude.taxonomy.registration import Outcome

DELAYS = Delays(longest_retry=10.0)

_CANNOT_REGISTER = (
    "Setting secret_key is missing, without which nothing can be registered through the Taxonomy "
    "API: set it to the secret key of the project"
)


@click.command(cls=Command, help="Register names and meanings of the email events in Amplitude.")
@config_option
@click.option(
    "--csv",
    "csv_path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write the plan to this file, for the import in Amplitude Data.",
)
@click.option("--all", "every_type", is_flag=True, help="Also the types not read by default.")
@click.option("--overwrite", is_flag=True, help="Change entries that exist already.")
@click.option("--api-url", help="Another Amplitude: https, or http on this machine.")
def main(
    configs: tuple[str, ...],
    csv_path: Path | None,
    every_type: bool,  # noqa: FBT001 - click passes options by name
    overwrite: bool,  # noqa: FBT001 - click passes options by name
    api_url: str | None,
) -> None:
    """Register or write the plan, and print what was done.

    Raises:
        UserError: If a setting is wrong, Amplitude cannot be reached, or the file cannot be
            written. What is skipped for a reason is no failure.
    """
    config = read_command_settings(Settings, ENVIRONMENT_PREFIX, configs)
    if api_url:
        config["api_url"] = api_url
    if not config.get("secret_key"):
        config["api_key"] = config.get("api_key") or "not needed for a file"
        if csv_path is None:
            raise UserError(f"{_CANNOT_REGISTER}, or write the plan with --csv FILE.")
    settings = read_settings(config)
    plan = make_plan(settings, every_type=every_type)
    if csv_path is not None:
        _write_csv(csv_path, plan)
    if settings.secret_key:
        _register(settings, plan, api_url, overwrite=overwrite)
    else:
        say(f"{_CANNOT_REGISTER}.")


def _write_csv(path: Path, plan: Plan) -> None:
    with explained(f"{path} cannot be written"):
        write_file(path, to_csv(plan).encode("utf-8", "backslashreplace"))
    say(
        f"{path} has {len(plan.events)} events and {len(plan.properties)} properties; import it "
        "in Amplitude under Data > Events.",
    )


def _register(settings: Settings, plan: Plan, api_url: str | None, *, overwrite: bool) -> None:
    base = api_url.rstrip("/") if api_url else host_of_region(settings, HOSTS)
    api = ManagementApi(settings, base, DELAYS)
    totals: dict[str, int] = {}
    try:
        for outcome in Registration(api, overwrite=overwrite).register(plan):
            totals[outcome.result] = totals.get(outcome.result, 0) + 1
            say(_line(outcome))
    finally:
        api.close()
    say(", ".join(f"{count} {result}" for result, count in totals.items()))


def _line(outcome: Outcome) -> str:
    because = f", because {outcome.reason}" if outcome.result == SKIPPED else ""
    return f"{outcome.kind:<15} {outcome.name:<34} {outcome.result}{because}"
