"""Singer target for Amplitude."""

from __future__ import annotations

__all__ = ["LIBRARY", "__version__"]

__version__ = "0.1.0"

LIBRARY = f"target-amplitude/{__version__}"
