"""How a Singer record becomes an Amplitude event: pure functions, no I/O."""

from __future__ import annotations

from target_amplitude.mapping.events import EventMapper
from target_amplitude.mapping.outcome import Refusal, Skip

__all__ = ["EventMapper", "Refusal", "Skip"]
