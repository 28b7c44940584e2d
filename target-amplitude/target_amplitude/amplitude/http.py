"""What the requests to all of Amplitude's APIs have in common."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import requests

from target_amplitude import LIBRARY
from target_amplitude.common.http import is_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator

CONNECT_SECONDS = 10
_PIECE_BYTES = 1024


def new_session(url: str) -> requests.Session:
    """Prepare connections to the host of a URL, without a proxy where it is this machine."""
    session = requests.Session()
    session.trust_env = not is_loopback(url)
    session.headers["User-Agent"] = LIBRARY
    return session


def read_body(response: requests.Response, max_bytes: int, max_seconds: float) -> bytes | None:
    """Read the body of an answer; None if it is too large or takes too long."""
    until = time.monotonic() + max_seconds
    body = bytearray()
    pieces: Iterator[bytes] = response.iter_content(_PIECE_BYTES)
    for piece in pieces:
        body += piece
        if len(body) > max_bytes or time.monotonic() > until:
            return None
    return bytes(body)
