"""Singer tap for HubSpot's email events."""

from __future__ import annotations

__all__ = ["__version__"]

__version__ = "0.1.0"
