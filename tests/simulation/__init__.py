"""Weeks of hourly runs under faults, with promises checked after each."""
