"""Run the target as `python -m target_amplitude`."""

from __future__ import annotations

from target_amplitude.target import TargetAmplitude

TargetAmplitude.cli()
