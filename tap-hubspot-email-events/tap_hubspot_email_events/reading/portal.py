"""Which HubSpot account a run reads, so that none goes on from the state of another."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from tap_hubspot_email_events.errors import OtherAccountError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tap_hubspot_email_events.hubspot.anomalies import Anomalies
    from tap_hubspot_email_events.hubspot.events import Event

UNSURE = (
    "Pages of events of another HubSpot account than the state's: {count} ({names}), and HubSpot "
    "does not say whose the credentials are; if they are another account's, give it a state of its "
    "own (meltano run --state-id-suffix ...)."
)


class Portal:
    """The account of a run, known once an event has named it; safe to share by threads."""

    def __init__(self, of_token: Callable[[], int], anomalies: Anomalies) -> None:
        """Ask `of_token` for the token's account only where events and state disagree."""
        self.id: int | None = None
        self._of_token = of_token
        self._anomalies = anomalies
        self._lock = threading.Lock()

    def compare(self, events: Sequence[Event], expected: int | None) -> None:
        """Take note of a page's account, and compare it with that of the state, if it says so.

        Raises:
            OtherAccountError: The state is that of another account than the token.
        """
        named = events[0].get("portalId") if events else None
        if type(named) is not int:
            return
        with self._lock:
            if self.id is None:
                self.id = named
            if expected is None or named == expected:
                return
            try:
                self.id = self._of_token()
            except RefusedError:
                # The state keeps its account, so that the next run says it again.
                self.id = expected
                self._anomalies.note(UNSURE, [f"{named} instead of {expected}"])
                return
        if self.id != expected:
            raise OtherAccountError(
                f"The credentials are those of HubSpot account {self.id}, but the state is that of "
                f"account {expected}, whose bookmarks would leave out this one's history; set the "
                f"credentials of account {expected}, or give this account a state of its own, in "
                "Meltano with `--state-id-suffix`"
            )
