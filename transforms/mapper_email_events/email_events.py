"""The transforms that need little: no bots, opens and clicks alone, no query strings."""

from __future__ import annotations

import re
from typing import Any

from mapper_email_events.common.image_proxies import is_image_proxy

Record = dict[str, Any]

_QUERY_OR_FRAGMENT = re.compile(r"[?#].*", re.DOTALL)


class UntreatableError(Exception):
    """A record is held back; the message is a reason of a few fixed words."""


def event_type(record: Record) -> str:
    """HubSpot's type of an email event.

    Raises:
        UntreatableError: The record is no email event, or one without its type.
    """
    kind = record.get("type")
    is_event = record.get("id") is not None and record.get("created") is not None
    if not kind or not isinstance(kind, str) or not is_event:
        raise UntreatableError("no email event")
    return kind


def drop_bots(record: Record) -> Record | None:
    """The record if a person may have caused it: no filtered event, no open by an image proxy.

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


def engagement_only(record: Record) -> Record | None:
    """The record if it is an open or a click."""
    return record if event_type(record) in {"OPEN", "CLICK"} else None


def strip_urls(record: Record) -> Record:
    """The record with scheme, host and path left of `url` and `referer`.

    Query strings and fragments often carry addresses and tokens.

    Raises:
        UntreatableError: The record is no email event, or one of the two is no text.
    """
    event_type(record)
    for field in ("url", "referer"):
        url = record.get(field)
        if url is None:
            continue
        if not isinstance(url, str):
            raise UntreatableError(f"{field} is no text")
        record[field] = _QUERY_OR_FRAGMENT.sub("", url)
    return record
