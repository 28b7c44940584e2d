"""The `check` command: what is true of this account, by questions that change nothing in it."""

from __future__ import annotations

from tap_hubspot_email_events.check.command import main

__all__ = ["main"]
