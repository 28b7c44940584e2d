"""What a user agent says about the person's device, and whether it says anything at all."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import NamedTuple

from ua_parser import Parser
from ua_parser.loaders import load_lazy_builtins
from ua_parser.regex import Resolver

_PROXIES = ("googleimageproxy", "ggpht.com", "yahoomailproxy", "yahoocachesystem")
"""Image proxies of mail services, as they name themselves in the user agent."""

_APPLE_MAIL_PRIVACY = "mozilla/5.0"
"""Apple's Mail Privacy Protection loads images under this bare user agent."""

_AGENTS_KEPT = 8192
_LONGEST_AGENT = 2048


class UserAgent(NamedTuple):
    """The client behind a user agent; `os_name` and `os_version` are empty where unknown."""

    is_proxy: bool
    os_name: str
    os_version: str


@cache
def _systems() -> Parser:
    # Patterns of browsers and devices would take ten times as long to make ready.
    return Parser(Resolver(([], load_lazy_builtins()[1], [])))


@lru_cache(maxsize=_AGENTS_KEPT)
def read_user_agent(user_agent: str) -> UserAgent:
    """Operating system of a user agent, and whether a mail image proxy sent it."""
    folded = user_agent.strip().lower()
    if folded == _APPLE_MAIL_PRIVACY or any(proxy in folded for proxy in _PROXIES):
        return UserAgent(is_proxy=True, os_name="", os_version="")
    system = _systems().parse_os(user_agent[:_LONGEST_AGENT])
    if system is None or system.family == "Other":
        return UserAgent(is_proxy=False, os_name="", os_version="")
    parts = (system.major, system.minor, system.patch, system.patch_minor)
    version = ".".join(part for part in parts if part)
    return UserAgent(is_proxy=False, os_name=system.family, os_version=version)
