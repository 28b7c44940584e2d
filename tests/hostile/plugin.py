"""`python -m hostile.plugin COMMAND ...`: a plugin's command with limits that a test has set."""

from __future__ import annotations

import importlib
import json
import os
import sys
from importlib.metadata import entry_points

VARIABLE = "HOSTILE_LIMITS"


def main() -> None:
    """Set the constants that the variable names by their dotted paths, and run the command."""
    for path, value in json.loads(os.environ.pop(VARIABLE, "{}")).items():
        module, _, name = path.rpartition(".")
        namespace = vars(importlib.import_module(module))
        assert name in namespace, path
        namespace[name] = value
    command = sys.argv[1]
    sys.argv = sys.argv[1:]
    [script] = entry_points(group="console_scripts", name=command)
    script.load()()


if __name__ == "__main__":
    main()
