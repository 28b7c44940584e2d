"""Read the operating system from a user agent."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING, NamedTuple

from target_amplitude.common.image_proxies import is_image_proxy

if TYPE_CHECKING:
    from ua_parser import Parser

_MAX_CACHED = 8192
_MAX_LENGTH = 2048


class UserAgent(NamedTuple):
    """The client behind a user agent; `os_name` and `os_version` are empty where unknown."""

    is_proxy: bool
    os_name: str
    os_version: str


@cache
def _parser() -> Parser:
    # An hour without news needs none of it, and it is a tenth of the target's start.
    from ua_parser import Parser  # noqa: PLC0415
    from ua_parser.loaders import load_lazy_builtins  # noqa: PLC0415
    from ua_parser.regex import Resolver  # noqa: PLC0415

    # The patterns of browsers and devices would take ten times as long to load.
    return Parser(Resolver(([], load_lazy_builtins()[1], [])))


@lru_cache(maxsize=_MAX_CACHED)
def read_user_agent(user_agent: str) -> UserAgent:
    """Return the operating system of a user agent, and whether it is a mail image proxy's."""
    if is_image_proxy(user_agent):
        return UserAgent(is_proxy=True, os_name="", os_version="")
    system = _parser().parse_os(user_agent[:_MAX_LENGTH])
    if system is None or system.family == "Other":
        return UserAgent(is_proxy=False, os_name="", os_version="")
    parts = (system.major, system.minor, system.patch, system.patch_minor)
    version = ".".join(part for part in parts if part)
    return UserAgent(is_proxy=False, os_name=system.family, os_version=version)
