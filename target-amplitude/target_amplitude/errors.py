"""The ways a run ends early."""

from __future__ import annotations


class RunFailedError(Exception):
    """The run cannot go on; the message is one sentence for the user: what, where, what to do."""


class RefusedKeyError(RunFailedError):
    """Amplitude does not know the API key, so nothing of this run may be called delivered."""
