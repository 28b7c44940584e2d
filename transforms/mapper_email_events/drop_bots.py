"""Leaves out what no person did: filtered events, and opens by mail image proxies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mapper_email_events.common.image_proxies import is_image_proxy
from mapper_email_events.email_event import event_type
from mapper_email_events.errors import UntreatableError

if TYPE_CHECKING:
    from mapper_email_events.email_event import Record


def drop_bots(record: Record) -> Record | None:
    """The record if a person may have caused it.

    Raises:
        UntreatableError: An open or a click does not say what it takes to tell.
    """
    kind = event_type(record)
    filtered = record.get("filteredEvent")
    if filtered is True:
        return None
    if kind in {"OPEN", "CLICK"} or filtered is not None:
        if filtered is not False:
            raise UntreatableError("no filteredEvent")
        if kind == "OPEN":
            agent = record.get("userAgent")
            if not isinstance(agent, str) or not agent.strip():
                raise UntreatableError("no userAgent")
            if is_image_proxy(agent):
                return None
    return record
