"""Offsets: a place in the events, bound to the query it was given for."""

from __future__ import annotations

import base64
import hashlib
import struct
from typing import TYPE_CHECKING

from sandbox.hubspot.answers import Refusal
from sandbox.hubspot.store import Position

if TYPE_CHECKING:
    from collections.abc import Iterable

LAYOUT = struct.Struct(">qq8s")
UNBOUND = {"offset", "limit"}


def digest(params: Iterable[tuple[str, str]]) -> bytes:
    """What ties an offset to the parameters that came with it."""
    bound = sorted((name, value) for name, value in params if name not in UNBOUND)
    return hashlib.blake2b(repr(bound).encode(), digest_size=8).digest()


def encode(position: Position, binding: bytes) -> str:
    """An opaque offset; HubSpot's are base64url without padding, too."""
    packed = LAYOUT.pack(position.created, position.sequence, binding)
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def decode(offset: str, binding: bytes) -> Position:
    """The place an offset stands for.

    Raises:
        Refusal: It is not one of ours, or it was given for other parameters.
    """
    try:
        packed = base64.b64decode(offset + "=" * (-len(offset) % 4), altchars=b"-_", validate=True)
        created, sequence, bound = LAYOUT.unpack(packed)
    except (ValueError, struct.error):
        raise Refusal(400, "The offset is not valid.", errors=[{"message": "offset"}]) from None
    if bound != binding:
        raise Refusal(
            400,
            "The offset must be used with the same query parameters it was returned for.",
            errors=[{"message": "offset", "in": "offset"}],
        )
    return Position(created, sequence)
