"""Run the tap as `python -m tap_hubspot_email_events`."""

from __future__ import annotations

from tap_hubspot_email_events.tap import TapHubSpotEmailEvents

TapHubSpotEmailEvents.cli()
