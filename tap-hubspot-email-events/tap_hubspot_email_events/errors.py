"""Errors whose message is one sentence for the user."""

from __future__ import annotations


class TapError(Exception):
    """An error a user can act on: what is wrong, where, and what to do, without secrets."""


class ConfigError(TapError):
    """A setting, a state or a catalog that cannot be used."""


class ConsentError(TapError):
    """An account that could not be connected by OAuth."""


class AccountError(TapError):
    """A failure that concerns all streams, such as a refused token or an unreachable host."""


class StreamError(TapError):
    """A failure that concerns one stream only."""


class RefusedError(StreamError):
    """HubSpot gives no usable answer to this request, `status` being its last; others may pass."""

    def __init__(self, sentence: str, status: int) -> None:
        """Say why, and with which HTTP status."""
        super().__init__(sentence)
        self.status = status


class NotFoundError(RefusedError):
    """HubSpot does not know what was asked for (404 or 410)."""


class DailyLimitError(TapError):
    """The account's requests for today are used up."""


class StoppedError(Exception):
    """The run is ending, so a thread gives up what it was doing."""
