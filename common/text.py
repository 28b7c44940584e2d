"""Words of others, made fit for a terminal, a log or a page."""

from __future__ import annotations

import re

LONGEST_WORD = 200
LONGEST_LINE = 4000

_DELIMITER = r"\s\"'<>(),;:/"
_AT = (
    r"(?:@|%(?:25)*40|=40|&(?:\#0*64|\#x0*40|commat);|\\+(?:u0040|x40)"
    r"|\N{FULLWIDTH COMMERCIAL AT}|\N{SMALL COMMERCIAL AT})"
)
ADDRESS = re.compile(
    rf"(?:\"(?:\\.|[^\"\\]){{1,64}}\"|(?<![^{_DELIMITER}])(?<!\w')(?:[^{_DELIMITER}]|\b'\b)+)"
    rf"{_AT}[^{_DELIMITER}]+",
    re.IGNORECASE,
)
"""An email address, also encoded for a URL, however often, for a mail, HTML or JSON."""

_TOKEN = re.compile(r"[A-Za-z0-9_\-.=+/]{20,}")
_CATEGORY = re.compile(r"[A-Z]+(?:_[A-Z]+){0,5}")
"""A kind of error, such as EXPIRED_AUTHENTICATION, which is as long as a token."""

_LAST_WORD = re.compile(rf"[^{_DELIMITER}]*\Z")
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U000e0100-\U000e01ef]"
)
"""What has no shape, though Unicode does not count it among control and format characters.

Source: Unicode's property Default_Ignorable_Code_Point; U+2800 is the empty Braille pattern.
"""


def fit(text: object, most: int = LONGEST_WORD) -> str:
    r"""Return text that is safe to show: one line, no address, at most `most` characters.

    What is invisible, ends a line or steers a terminal is shown escaped, as in `\x1b`.
    """
    whole = str(text)
    shown = whole[: 4 * most]
    if len(shown) < len(whole):
        # It may be the first half of an address.
        shown = _LAST_WORD.sub("…", shown)
    shown = ADDRESS.sub("…", shown)
    if not shown.isprintable() or _INVISIBLE.search(shown):
        shown = "".join(map(_visible, shown))
    return shown if len(shown) <= most else f"{shown[:most]}…"


def scrub(text: str) -> str:
    """Return text of a service as `fit` does, also without what is long enough to be a token."""
    return text if _CATEGORY.fullmatch(text) else fit(_TOKEN.sub("…", fit(text)))


def _visible(character: str) -> str:
    if character.isprintable() and not _INVISIBLE.match(character):
        return character
    return character.encode("unicode_escape").decode()
