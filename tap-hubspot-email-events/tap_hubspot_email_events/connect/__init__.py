"""The `connect` command: a refresh token for a HubSpot account, by OAuth in the browser."""

from __future__ import annotations

from tap_hubspot_email_events.connect.command import main

__all__ = ["main"]
