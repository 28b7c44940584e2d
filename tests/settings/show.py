"""Print a plugin's settings: `python -m settings.show MODULE CLASS --config FILE`."""

from __future__ import annotations

import json
import sys
from importlib import import_module

if __name__ == "__main__":
    _, module, name, *options = sys.argv
    plugin_class = getattr(import_module(module), name)
    given = plugin_class.get_singer_command().make_context("x", options).params["config"]
    plugin = plugin_class(config=given.config, parse_env_config=given.parse_env)
    json.dump(dict(plugin.config), sys.stdout)
