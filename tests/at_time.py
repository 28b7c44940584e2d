"""Run a plugin with this machine's clock set ahead: `python -m at_time SECONDS tap|target ...`."""

from __future__ import annotations

import resource
import sys
import time
from importlib import import_module

PLUGINS = {
    "tap": ("tap_hubspot_email_events.tap", "TapHubSpotEmailEvents"),
    "target": ("target_amplitude.target", "TargetAmplitude"),
}
FULL_BYTES = 5_000_000
"""What a file may have at most, so that one of that size is on a full disk."""

if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_FSIZE, (FULL_BYTES, FULL_BYTES))
    AHEAD = float(sys.argv.pop(1))
    MODULE, NAME = PLUGINS[sys.argv.pop(1)]
    _time, _time_ns = time.time, time.time_ns
    time.time = lambda: _time() + AHEAD
    time.time_ns = lambda: _time_ns() + int(AHEAD * 1e9)
    getattr(import_module(MODULE), NAME).cli()
