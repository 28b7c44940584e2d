"""The Hub's definition files and the built wheels are all that a Meltano project needs."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from packages.environment import MELTANO_BIN, ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.client import Sandbox

DEFINITIONS = ROOT / "hub/_data/meltano"
PROJECT = """\
requires_meltano: '>=4.0'
default_environment: dev
environments:
- name: dev
"""


def test_a_fresh_project_adds_both_plugins_from_their_definitions_and_runs(
    tmp_path: Path, dist: Path, sandbox: Sandbox
) -> None:
    (tmp_path / "meltano.yml").write_text(PROJECT, encoding="utf-8")
    environment = os.environ | {
        "UV_FIND_LINKS": str(dist),
        "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false",
        "MELTANO_CLI_DISABLE_VERSION_CHECK": "true",
        "TAP_HUBSPOT_EMAIL_EVENTS_API_URL": sandbox.hubspot_url,
        "TAP_HUBSPOT_EMAIL_EVENTS_ACCESS_TOKEN": "sandbox-access-token",
        "TARGET_AMPLITUDE_API_URL": sandbox.amplitude_url,
        "TARGET_AMPLITUDE_API_KEY": "sandbox-api-key",
    }

    def meltano(*arguments: str) -> None:
        done = subprocess.run(
            [str(MELTANO_BIN / "meltano"), *arguments],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=180,
            check=False,
        )
        assert done.returncode == 0, done.stdout

    (tap,) = DEFINITIONS.glob("extractors/tap-hubspot-email-events/*.yml")
    (target,) = DEFINITIONS.glob("loaders/target-amplitude/*.yml")
    meltano("add", "--from-ref", str(tap), "extractor", "tap-hubspot-email-events")
    meltano("add", "--plugin-type", "loader", "--from-ref", str(target), "target-amplitude")
    meltano("run", "tap-hubspot-email-events", "target-amplitude")

    # Meltano leaves the definition's selection out, so every stream is read.
    about_people = {**sandbox.hubspot_counts(), "UNBOUNCE": 0}
    assert sum(sandbox.amplitude_counts().values()) == sum(about_people.values())
