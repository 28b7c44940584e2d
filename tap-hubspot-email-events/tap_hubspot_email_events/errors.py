"""What can go wrong, each as one sentence for the person who runs the tap."""

from __future__ import annotations


class TapError(Exception):
    """What is wrong, where, and what to do, in one sentence without secrets or personal data."""


class ConfigError(TapError):
    """A setting, a state or a catalog that cannot be used."""


class ConsentError(TapError):
    """An account that could not be connected by OAuth."""


class AccountError(TapError):
    """A failure no stream can get around: a refused token, an unreachable host."""


class StreamError(TapError):
    """A failure that concerns one stream and leaves the others alone."""


class NotFoundError(StreamError):
    """HubSpot does not know what was asked for (404 or 410)."""


class DailyLimitError(TapError):
    """The account's requests for today are used up."""


class StoppedError(Exception):
    """The run is ending; whatever a thread was doing has no reader any more."""
