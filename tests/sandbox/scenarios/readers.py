"""How messages are read: mail programs, proxies, bots, and where people are."""

from __future__ import annotations

from typing import Any, NamedTuple


class Reader(NamedTuple):
    """What HubSpot records of the program that opened a message."""

    user_agent: str
    browser: dict[str, Any]
    device_type: str


def browser(name: str, producer: str, version: str, kind: str = "Browser") -> dict[str, Any]:
    """A browser as HubSpot describes it; ``version`` is a list there."""
    host = producer.split(maxsplit=1)[0].lower()
    return {
        "name": f"{name} {version.split('.', maxsplit=1)[0]}",
        "family": name,
        "producer": producer,
        "producerUrl": f"https://www.{host}.com/",
        "type": kind,
        "url": f"https://www.{host}.com/products/{name.lower().replace(' ', '-')}/",
        "version": [version],
    }


WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
READERS = (
    Reader(
        f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/126.0.0.0 Safari/537.36",
        browser("Chrome", "Google Inc.", "126.0.0.0"),
        "COMPUTER",
    ),
    Reader(
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 (KHTML, like Gecko) "
        "Version/17.5 Safari/605.1.15",
        browser("Safari", "Apple Inc.", "17.5"),
        "COMPUTER",
    ),
    Reader(
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 "
        "(KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
        browser("Mobile Safari", "Apple Inc.", "17.5", "Mobile Browser"),
        "MOBILE",
    ),
    Reader(
        f"Mozilla/5.0 (Linux; Android 14; Pixel 8) {WEBKIT} Chrome/126.0.6478.71 "
        "Mobile Safari/537.36",
        browser("Chrome Mobile", "Google Inc.", "126.0.6478.71", "Mobile Browser"),
        "MOBILE",
    ),
    Reader(
        "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
        browser("Firefox", "Mozilla Foundation", "127.0"),
        "COMPUTER",
    ),
    Reader(
        "Mozilla/4.0 (compatible; ms-office; MSOffice 16)",
        browser("Outlook 2016", "Microsoft Corporation", "16", "Email client"),
        "COMPUTER",
    ),
    Reader("Mozilla/5.0 (Android 9; Mobile; rv:68.0) Gecko/68.0 Firefox/68.0", {}, "MOBILE"),
)
# Image proxies fetch for the person: neither the program nor the place is the reader's own.
PROXIES = (
    Reader(
        "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
        browser("Firefox", "Mozilla Foundation", "11.0"),
        "COMPUTER",
    ),
    Reader(
        "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html", {}, "COMPUTER"
    ),
    Reader("Mozilla/5.0", {}, "COMPUTER"),
)
BOT = Reader(
    "Mozilla/5.0 (compatible; LinkScanner/2.1; +https://scanner.example.net/about)",
    {},
    "COMPUTER",
)


def place(*facts: str | float) -> dict[str, Any]:
    """A location as HubSpot describes it."""
    return dict(zip(("city", "state", "country", "latitude", "longitude"), facts, strict=True))


PLACES: tuple[dict[str, Any], ...] = (
    place("Dublin", "leinster", "IRELAND", 53.34, -6.26),
    place("Zürich", "zürich", "SWITZERLAND", 47.37, 8.54),
    place("São Paulo", "são paulo", "BRAZIL", -23.55, -46.63),
    place("東京", "東京都", "JAPAN", 35.69, 139.69),
    place("Москва", "москва", "RUSSIA", 55.75, 37.62),
    place("القاهرة", "القاهرة", "EGYPT", 30.04, 31.24),
    place("boston", "massachusetts", "UNITED STATES", 42.36, -71.06),
    place("Unknown", "Unknown", "Unknown", 0.0, 0.0),
    {"country": "IRELAND"},
    {},
)
PROXY_PLACE = place("mountain view", "california", "UNITED STATES", 37.39, -122.08)
