"""Programs of mail services that load images in the place of a person.

Gmail and Yahoo name themselves in the user agent; Apple's Mail Privacy Protection sends a bare
product token.
"""

from __future__ import annotations

IMAGE_PROXIES = ("googleimageproxy", "ggpht.com", "yahoomailproxy", "yahoocachesystem")
"""Parts of user agents, in lower case."""

BARE_USER_AGENT = "mozilla/5.0"
"""The whole user agent of Apple's Mail Privacy Protection, in lower case."""


def is_image_proxy(user_agent: str) -> bool:
    """Whether a user agent is such a program's, so that it says nothing about the person."""
    folded = user_agent.strip().lower()
    return folded == BARE_USER_AGENT or any(part in folded for part in IMAGE_PROXIES)
