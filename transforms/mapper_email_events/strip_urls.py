"""Cuts query strings and fragments, which often carry addresses and tokens, off URLs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mapper_email_events.email_event import event_type
from mapper_email_events.errors import UntreatableError

if TYPE_CHECKING:
    from mapper_email_events.email_event import Record

FIELDS = ("url", "referer")

_QUERY_OR_FRAGMENT = re.compile(r"[?#].*", re.DOTALL)


def strip_urls(record: Record) -> Record:
    """The record with scheme, host and path left of `url` and `referer`.

    Raises:
        UntreatableError: The record is no email event, or one of the two is no text.
    """
    event_type(record)
    for field in FIELDS:
        url = record.get(field)
        if url is None:
            continue
        if not isinstance(url, str):
            raise UntreatableError(f"{field} is no text")
        record[field] = _QUERY_OR_FRAGMENT.sub("", url)
    return record
