"""What can go wrong, each as one sentence."""

from __future__ import annotations


class ConfigurationError(Exception):
    """The configuration file, or an option of a command, cannot be used."""


class PartError(Exception):
    """A part did not get to its end."""
