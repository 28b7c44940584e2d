"""Which HubSpot account a run reads, asked once at its start."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import msgspec

from tap_hubspot_email_events.errors import AccountError, StreamError, UnreadableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_hubspot_email_events.hubspot.client import HubSpotClient, RequestCount
    from tap_hubspot_email_events.hubspot.events import Event

ACCOUNT_PATH = "/account-info/v3/details"
UNSURE = (
    "Pages of events of another HubSpot account than the state's: {count} ({names}), and HubSpot "
    "does not say whose the credentials are; if they are another account's, give it a state of its "
    "own (meltano run --state-id-suffix ...)."
)

logger = logging.getLogger(__name__)


class Account:
    """The account of the credentials or, where HubSpot does not say, the one that events name."""

    def __init__(self, client: HubSpotClient) -> None:
        self._client = client
        # As HubSpot says, as an event names it, and why HubSpot did not say.
        self._said: int | None = None
        self._named: int | None = None
        self._refusal: StreamError | None = None

    @property
    def id(self) -> int | None:
        """The account's id, as far as it is known."""
        return self._named if self._said is None else self._said

    def ask(self, count: RequestCount) -> None:
        """Ask HubSpot whose the credentials are; not being told is no reason to end a run.

        Raises:
            AccountError: HubSpot cannot be reached, or refuses the credentials.
            DailyLimitError: No requests are left for today.
            StoppedError: The run ended first.
        """
        try:
            said = self._client.get(ACCOUNT_PATH, {}, _decode_details, count).portalId
        except (StreamError, UnreadableError) as error:
            # Whether HubSpot can be read at all, the first page of events will tell.
            self._refusal = StreamError(str(error))
            logger.info("HubSpot does not say whose the credentials are: %s", error)
        else:
            self._said = said if type(said) is int else None

    def check(self, expected: int | None) -> None:
        """Compare what HubSpot says with the account of the state, where that is known.

        Raises:
            AccountError: The state is that of another account.
        """
        if self._said is not None and expected not in (None, self._said):
            raise AccountError(
                f"The credentials are those of HubSpot account {self._said}, but the state is that "
                f"of account {expected}, whose bookmarks would leave out this one's history; set "
                f"the credentials of account {expected}, or give this account a state of its own, "
                "in Meltano with `--state-id-suffix`"
            )

    def compare(self, events: Sequence[Event], expected: int | None) -> None:
        """Where HubSpot does not say, take a page's word, and warn if the state says otherwise."""
        named = events[0].get("portalId") if events else None
        if self._said is not None or type(named) is not int:
            return
        self._named = named if self._named is None else self._named
        if expected not in (None, named):
            self._client.anomalies.note(UNSURE, [f"{named} instead of {expected}"])

    def required_id(self) -> int:
        """The account's id, for a record that lacks it.

        Raises:
            StreamError: Nothing has told it.
        """
        if self.id is None:
            raise self._refusal or StreamError("HubSpot does not say whose the credentials are")
        return self.id


class _Details(msgspec.Struct):
    portalId: Any = None  # noqa: N815 - HubSpot's name


_decode_details = msgspec.json.Decoder(_Details).decode
