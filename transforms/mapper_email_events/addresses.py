"""Finding email addresses in text, also in URLs and where they are percent-encoded."""

from __future__ import annotations

import re
from email.utils import getaddresses
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Callable

_PERCENT = "%(?:25)*"
_AT = re.compile(rf"@|{_PERCENT}40|\\u0040|&#(?:64|[xX]40);")

SIGNS = (b"@", b"%40", b"2540", b"u0040", b"&#")
"""One of these stands in any JSON that holds an address."""

_PLAIN = re.compile(r"[^\s<>\"(),:;@]+@[^\s<>\"(),:;@]+")

# The part before the at sign is read from right to left, so these match reversed text. An encoded
# letter belongs to an address, an encoded delimiter such as %3D ends it.
_LETTER = r"(?:2[147BDE]|5[EF]|7E|[89A-F][0-9A-F])"
_REVERSED_LETTER = r"(?:[147BDE]2|[EF]5|E7|[0-9A-F][89A-F])"
_LOCAL = re.compile(
    rf"(?:{_REVERSED_LETTER}(?:52)*%|(?![0-9A-F]{{2}}(?:52)*%)[\w.!$*+^~%'-])*",
    re.IGNORECASE,
)
_QUOTED_LOCAL = re.compile(r'"[^"\n]{1,64}"')
_DOMAIN = re.compile(
    rf"\[[^\]\s]*\]|(?:[\w-]|{_PERCENT}{_LETTER})+(?:(?:\.|{_PERCENT}2E)(?:[\w-]|{_PERCENT}{_LETTER})+)*",
    re.IGNORECASE,
)
_HOST = re.compile(r"[\w-]+(?:\.[\w-]+)+")
_DECODINGS = 4


def may_hold_address(text: str) -> bool:
    """Whether it is worth looking for addresses in a text."""
    return "@" in text or "40" in text or "&#" in text


def replace_addresses(text: str, pseudonym: Callable[[str], str]) -> str:
    """The text with each address replaced by what `pseudonym` makes of it, decoded."""
    pieces: list[str] = []
    done = 0
    backwards = ""
    for at in _AT.finditer(text):
        if not backwards:
            backwards = text[::-1]
        start = max(done, _start_of(text, backwards, at.start()))
        domain = _DOMAIN.match(text, at.end())
        if start == at.start() or domain is None:
            continue
        local = _decoded(text[start : at.start()])
        host = _decoded(domain.group())
        pieces += (text[done:start], pseudonym(f"{local}@{host}"))
        done = domain.end()
    return "".join([*pieces, text[done:]]) if pieces else text


def addresses_of(field: str) -> list[str]:
    """The addresses of a field that holds nothing else, such as `from`, without names."""
    if _PLAIN.fullmatch(field):
        return [field]
    addresses = [address for _, address in getaddresses([field])]
    return addresses if addresses and all("@" in each for each in addresses) else [field]


def literally(address: str) -> re.Pattern[str]:
    """A pattern for one address, also where single characters are percent-encoded."""
    letters = "".join(
        f"(?:{re.escape(letter)}|{''.join(f'{_PERCENT}{byte:02X}' for byte in letter.encode())})"
        for letter in address
    )
    return re.compile(letters, re.IGNORECASE)


def _start_of(text: str, backwards: str, at: int) -> int:
    start = _run_start(text, backwards, at)
    if start == at:
        quoted = _QUOTED_LOCAL.match(backwards, len(text) - at)
        return at - len(quoted.group()) if quoted else at
    # Bounces write the recipient into the sender: name=example.com@mta.example.
    if start > 1 and text[start - 1] == "=" and _HOST.fullmatch(text, start, at):
        first = _run_start(text, backwards, start - 1)
        if first < start - 1 and text[first - 1 : first] not in {"?", "&"}:
            return first
    return start


def _run_start(text: str, backwards: str, end: int) -> int:
    run = _LOCAL.match(backwards, len(text) - end)
    start = end - len(run.group()) if run else end
    while start < end and text[start] == "'":
        start += 1
    return start


def _decoded(text: str) -> str:
    for _ in range(_DECODINGS):
        if "%" not in text or (plain := unquote(text)) == text:
            break
        text = plain
    return text
