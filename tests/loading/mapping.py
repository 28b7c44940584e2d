"""Maps records as the target would."""

from __future__ import annotations

from typing import Any

from target_amplitude.mapping.events import EventMapper
from target_amplitude.settings import read_settings

NOW = 1_796_000_000_000  # 2026-11-29


def mapped(record: dict[str, Any], now: int = NOW, **settings: Any) -> Any:
    """What a record becomes with these settings."""
    return EventMapper(read_settings({"api_key": "k"} | settings)).map(record, now)


def event_of(record: dict[str, Any], now: int = NOW, **settings: Any) -> dict[str, Any]:
    """The event that a record becomes with these settings."""
    event = mapped(record, now, **settings)
    assert isinstance(event, dict)
    return event
