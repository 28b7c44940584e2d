"""Where other people's plugins are installed: environments of their own, beside the Makefile."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ROOT = Path(__file__).parents[2]
OTHERS = ROOT / ".venv-interoperability/bin"
BENCH = ROOT / ".venv-bench/bin"
OURS = Path(sys.executable).parent
PATIENCE = 180


def run(
    command: Path | str,
    config: Mapping[str, Any],
    folder: Path,
    *options: str,
    given: Iterable[str] = (),
) -> list[str]:
    """Run a plugin with a configuration, and return the lines it wrote."""
    path = folder / f"{Path(command).name}.json"
    path.write_text(json.dumps(config), encoding="utf-8")
    done = subprocess.run(
        [str(command), "--config", str(path), *options],
        input="".join(f"{line}\n" for line in given),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.splitlines()
