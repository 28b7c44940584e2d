"""Errors whose message is one sentence for the user."""

from __future__ import annotations

from tap_hubspot_email_events.common.errors import UserError


class TapError(UserError):
    """A failure of the tap; the sentence holds no secrets."""


class ConfigError(TapError):
    """A setting, a state or a catalog that cannot be used."""


class AccountError(TapError):
    """A failure that concerns all streams, such as a refused token or an unreachable host."""


class UnreadableError(AccountError):
    """No request of this run has had a readable answer so far."""


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
    """The account's requests for today are used up, which the summary says."""

    exit_code = 0

    def __init__(self) -> None:
        super().__init__("")


class StoppedError(Exception):
    """The run is ending, so a thread gives up what it was doing."""
