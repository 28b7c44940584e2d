"""Programs of mail services that load images or check links in the place of a person.

Sources: Gmail, Yahoo, Seznam, HEY, Mail.ru and Fastmail name themselves in the user agent; Apple's
Mail Privacy Protection sends a bare product token; Gmail's prefetching is described by SparkPost
(https://bird.com/en-us/blog/gmail-prefetching-images); Outlook checks a link on a click.
"""

from __future__ import annotations

IMAGE_PROXIES = (
    "imageproxy",  # GoogleImageProxy, HEY.com/ImageProxy, MailRuImageProxy
    "mailproxy",  # YahooMailProxy, SeznamEmailProxy
    "ggpht.com",
    "yahoocachesystem",
    "fastmailua",
    "edge/12.246 mozilla/5.0",
    "microsoft office existence discovery",
)
"""Parts of user agents, in lower case."""

BARE_USER_AGENT = "mozilla/5.0"
"""The whole user agent of Apple's Mail Privacy Protection, in lower case."""


def is_image_proxy(user_agent: str) -> bool:
    """Tell whether a user agent is of such a program, so that it says nothing about a person."""
    folded = user_agent.strip().lower()
    return folded == BARE_USER_AGENT or any(part in folded for part in IMAGE_PROXIES)
