"""Run the tap with this machine's clock set ahead: `python -m extracting.at_time SECONDS ...`."""

from __future__ import annotations

import sys
import time

AHEAD = float(sys.argv.pop(1))
_time, _time_ns = time.time, time.time_ns
time.time = lambda: _time() + AHEAD
time.time_ns = lambda: _time_ns() + int(AHEAD * 1e9)

if __name__ == "__main__":
    from tap_hubspot_email_events.tap import TapHubSpotEmailEvents

    TapHubSpotEmailEvents.cli()
