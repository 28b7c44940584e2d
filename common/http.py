"""Addresses and headers of HTTP."""

from __future__ import annotations

import email.utils
import time
from datetime import timezone
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_LONGEST_DATE = 64


def is_loopback(url: str) -> bool:
    """Whether a URL points at this machine."""
    return urlsplit(url).hostname in _LOOPBACK


def is_safe_address(url: str) -> bool:
    """Whether secrets may go to a URL: https, or http on this machine, and nothing but a path."""
    try:
        parts = urlsplit(url)
        has_port = parts.port is None or parts.port > 0
    except ValueError:
        return False
    is_plain = not (parts.username or parts.password or parts.query or parts.fragment)
    is_private = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(url))
    return bool(parts.hostname) and has_port and is_plain and is_private


def parse_date(text: str | None) -> float | None:
    """Return an HTTP date in seconds since 1970; None for any other text."""
    if not text or len(text) > _LONGEST_DATE:
        return None
    try:
        moment = email.utils.parsedate_to_datetime(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=timezone.utc)
        return moment.timestamp()
    except (ArithmeticError, LookupError, TypeError, ValueError):
        return None


def retry_after(
    headers: Mapping[str, str], longest: float, *, now: float | None = None
) -> float | None:
    """Return the seconds that a `Retry-After` header asks for, at most `longest`.

    None where there is none that can be read; a date that has passed is 0.

    Args:
        headers: The headers of an answer, by case-insensitive name.
        longest: The longest wait to return.
        now: When the answer came, in seconds since 1970; by its own `Date` if it has one.
    """
    text = headers.get("Retry-After", "")
    try:
        seconds = float(text)
        if not seconds >= 0:  # also NaN
            return None
    except ValueError:
        moment = parse_date(text)
        if moment is None:
            return None
        sent = parse_date(headers.get("Date"))
        if sent is None:
            sent = time.time() if now is None else now
        seconds = moment - sent
    return min(max(seconds, 0.0), longest)
