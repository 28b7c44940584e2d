"""The ways a run fails."""

from __future__ import annotations

from target_amplitude.common.errors import UserError


class RunFailedError(UserError):
    """The run cannot go on; the message is one sentence: what is wrong, where, what to do."""


class RefusedKeyError(RunFailedError):
    """Amplitude does not know the API key, so no state of this run may be written."""
