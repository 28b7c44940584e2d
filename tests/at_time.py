"""Run a plugin with this machine's clock set ahead: `python -m at_time SECONDS tap|target ...`."""

from __future__ import annotations

import sys
import time
from importlib import import_module

PLUGINS = {
    "tap": ("tap_hubspot_email_events.tap", "TapHubSpotEmailEvents"),
    "target": ("target_amplitude.target", "TargetAmplitude"),
}
AHEAD = float(sys.argv.pop(1))
MODULE, NAME = PLUGINS[sys.argv.pop(1)]
_time, _time_ns = time.time, time.time_ns
time.time = lambda: _time() + AHEAD
time.time_ns = lambda: _time_ns() + int(AHEAD * 1e9)

if __name__ == "__main__":
    getattr(import_module(MODULE), NAME).cli()
