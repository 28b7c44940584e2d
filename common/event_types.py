"""HubSpot's email event types and their streams."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

STREAM_OF_TYPE = {
    "SENT": "email_sent",
    "DROPPED": "email_dropped",
    "PROCESSED": "email_processed",
    "DELIVERED": "email_delivered",
    "DEFERRED": "email_deferred",
    "BOUNCE": "email_bounce",
    "OPEN": "email_open",
    "CLICK": "email_click",
    "STATUSCHANGE": "email_status_change",
    "SPAMREPORT": "email_spam_report",
    "UNBOUNCE": "email_unbounce",
    "FORWARD": "email_forward",
    "PRINT": "email_print",
    "REPLY": "email_reply",
    "UNSUBSCRIBED": "email_unsubscribed",
    "SUPPRESSED": "email_suppressed",
    "MTA_DROPPED": "email_mta_dropped",
    "CLICK_ON_IDENTIFIED_LINK": "email_click_on_identified_link",
    "SELECTED": "email_selected",
    "OPT_IN_CHANGE": "email_opt_in_change",
    "ERROR": "email_error",
}
"""The 21 values of `eventType`, as HubSpot's error message lists them.

Source: hubspot-api-python issue 413.
"""

SELECTED_BY_DEFAULT = frozenset(list(STREAM_OF_TYPE)[:10])
"""The first ten, which are the types that Amplitude's own HubSpot integration carries."""


def in_order(streams: Iterable[str]) -> list[str]:
    """Return streams in the order of HubSpot's event types, then others as they came."""
    given = list(streams)
    known = [name for name in STREAM_OF_TYPE.values() if name in given]
    return list(dict.fromkeys([*known, *given]))
