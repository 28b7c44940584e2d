"""Faults that tests switch on: which requests they meet, and what happens."""

from __future__ import annotations

import zlib
from random import Random
from typing import Any, Literal

import msgspec


class Match(msgspec.Struct, forbid_unknown_fields=True):
    """What a request must have: query parameters, a text in its body."""

    query: dict[str, str] = {}
    contains: str = ""


class Fault(msgspec.Struct, forbid_unknown_fields=True):
    """One fault. It meets each matching request but the first ``skip``, at most ``times``.

    ``path`` is the beginning of the request's path, ``probability`` is drawn from the sandbox's
    seed, ``seconds`` is how long to wait first.
    ``json`` or ``body`` is what ``answer`` and ``accept_then_answer`` say.
    """

    service: Literal["hubspot", "amplitude"]
    action: Literal[
        "answer",
        "html",
        "cut",
        "half_body",
        "delay",
        "accept_then_answer",
        "accept_then_cut",
        "ingest_fewer",
    ]
    path: str = ""
    match: Match = msgspec.field(default_factory=Match)
    skip: int = 0
    times: int | None = None
    probability: float = 1.0
    status: int = 500
    headers: dict[str, str] = {}
    json: Any = None
    body: str | None = None
    seconds: float = 0.0
    fewer: int = 1

    def meets(self, path: str, query: dict[str, str], body: bytes) -> bool:
        """Whether a request is one of those this fault is for."""
        wanted = self.match
        if not path.startswith(self.path):
            return False
        if any(query.get(name) != value for name, value in wanted.query.items()):
            return False
        return wanted.contains.encode() in body


def plain(body: bytes, content_encoding: str | None) -> bytes:
    """A request's body as text for matching, whatever its packing."""
    if content_encoding != "gzip":
        return body
    try:
        return zlib.decompress(body, wbits=31)
    except zlib.error:
        return b""


class Faults:
    """The faults in force, in the order in which they were added."""

    def __init__(self, seed: int) -> None:
        self.met = 0
        self._random = Random(f"faults/{seed}")
        self._faults: list[Fault] = []

    def clear(self) -> None:
        """Forget the faults."""
        self._faults.clear()

    def add(self, fault: dict[str, Any]) -> None:
        """Put one more in force.

        Raises:
            msgspec.ValidationError: It has a field or a value that no fault has.
        """
        self._faults.append(msgspec.convert(fault, Fault))

    @property
    def any(self) -> bool:
        """Whether any is in force."""
        return bool(self._faults)

    def pick(self, service: str, path: str, query: dict[str, str], body: bytes) -> Fault | None:
        """The first fault that meets this request, counted as used."""
        for fault in self._faults:
            if fault.service != service or fault.times == 0 or not fault.meets(path, query, body):
                continue
            if fault.skip:
                fault.skip -= 1
                continue
            if fault.probability < 1 and self._random.random() >= fault.probability:
                continue
            if fault.times is not None:
                fault.times -= 1
            self.met += 1
            return fault
        return None
