"""Where the packages are, and what installs them."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
MELTANO_BIN = ROOT / ".venv-meltano/bin"
UV = str(MELTANO_BIN / "uv")
PLUGINS = ("tap-hubspot-email-events", "target-amplitude")
