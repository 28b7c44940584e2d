"""The container image is built from locked packages and holds no secret."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path

import pytest

from packages.environment import PLUGINS, ROOT

DOCKERFILE = ROOT / "Dockerfile"
HADOLINT = Path(sys.executable).parent / "hadolint"


@pytest.mark.skipif(not HADOLINT.exists(), reason="hadolint has no build for this machine")
@pytest.mark.parametrize("path", ["Dockerfile", "orchestrate/dagster/examples/Dockerfile"])
def test_the_dockerfile_passes_its_linter(path: str) -> None:
    linted = subprocess.run(
        [HADOLINT, ROOT / path], capture_output=True, text=True, check=False, timeout=60
    )

    assert linted.returncode == 0, linted.stdout


def test_the_image_knows_no_secret_and_no_root_and_its_user_owns_no_code() -> None:
    text = DOCKERFILE.read_text(encoding="utf-8")
    # Nothing is let in but what is named.
    assert (ROOT / ".dockerignore").read_text("utf-8").splitlines()[1] == "*"
    assert not re.search(
        r"token|secret|api_key|password|^ARG", text.split("\n", 2)[2], re.IGNORECASE | re.MULTILINE
    )
    assert re.findall(r"^USER (\S+)", text, re.MULTILINE)[-1] == "10001"
    assert "--chown" not in text
    (base,) = set(re.findall(r"^FROM (\S+)", text, re.MULTILINE))
    assert re.fullmatch(r"python:3\.13-slim@sha256:[0-9a-f]{64}", base)


@pytest.mark.parametrize("lock", ["build", "container", "plugins"])
def test_every_package_in_the_image_has_a_hash(lock: str) -> None:
    text = (ROOT / f"requirements/{lock}.txt").read_text(encoding="utf-8")
    packages = re.split(r"\n(?=[a-z])", text.strip())

    assert all("==" in package and "--hash=sha256:" in package for package in packages)


@pytest.mark.parametrize("plugin", PLUGINS)
def test_the_lock_covers_what_a_plugin_requires(plugin: str) -> None:
    locked = (ROOT / "requirements/plugins.txt").read_text(encoding="utf-8")
    required = [each for each in requires(plugin) or [] if "extra ==" not in each]
    names = {re.split(r"[^\w.-]", requirement)[0] for requirement in required}

    for name in names:
        assert re.search(rf"^{name}(\[\w+\])?==", locked, re.MULTILINE), name
