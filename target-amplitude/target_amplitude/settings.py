"""The settings as the code uses them, and what is wrong with them as one sentence each."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Mapping

HOSTS = {"us": "https://api2.amplitude.com", "eu": "https://api.eu.amplitude.com"}
PATHS = {"batch": "/batch", "httpapi": "/2/httpapi"}
REQUEST_BYTES = {"batch": 20_000_000, "httpapi": 1_000_000}
"""Bytes of a request body Amplitude takes before it answers 413."""

MAX_EVENTS = 2000
"""Events of a request Amplitude takes before it answers 413."""

REJECTED_PATH = "output/rejected.singer.jsonl"

CHOICES = {
    "region": ("us", "eu"),
    "endpoint": ("batch", "httpapi"),
    "unknown_users": ("recipient", "skip"),
    "user_properties": ("recent", "always", "never", "off"),
}

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_WHOLE_NUMBERS = {
    "max_concurrent_requests": (1, 64),
    "batch_size_rows": (1, MAX_EVENTS),
    "max_retries": (0, 1000),
    "min_id_length": (1, 1024),
}
_TEXTS = (
    "event_type_prefix",
    "user_field",
    "rejected_path",
    "job_log_path",
    "secret_key",
)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of one run, checked and with their defaults."""

    api_key: str
    url: str
    region: str = "us"
    endpoint: str = "batch"
    event_type_prefix: str = "[HubSpot] "
    event_types: dict[str, str] = {}
    user_field: str = "recipient"
    unknown_users: str = "recipient"
    user_properties: str = "recent"
    rejected_path: Path = Path(REJECTED_PATH)
    max_rejected_percent: float = 10.0
    job_log_path: Path | None = None
    max_concurrent_requests: int = 4
    batch_size_rows: int = MAX_EVENTS
    max_retries: int = 12
    gzip: bool = False
    min_id_length: int | None = None
    dry_run: bool = False
    secret_key: str | None = None

    @override
    def __repr__(self) -> str:
        """Name no values: two of them are secrets."""
        return "Settings(...)"


def read_settings(config: Mapping[str, Any]) -> Settings:
    """Settings of a configuration that has no problems (see `find_problems`)."""
    given = {name: value for name, value in config.items() if value is not None}
    region = given.get("region", "us")
    endpoint = given.get("endpoint", "batch")
    base = str(given.get("api_url") or HOSTS[region]).rstrip("/")
    path = PATHS[endpoint]
    url = base if base.endswith(path) else base + path
    known = {name: given[name] for name in Settings.__struct_fields__ if name in given}
    known["url"] = url
    known["gzip"] = given.get("gzip", base in HOSTS.values())
    known["max_rejected_percent"] = _as_percent(given.get("max_rejected_percent", 10))
    known["rejected_path"] = Path(given.get("rejected_path") or REJECTED_PATH)
    log_path = given.get("job_log_path")
    known["job_log_path"] = Path(log_path) if log_path else None
    return Settings(**known)


def is_loopback(url: str) -> bool:
    """Whether a URL points at this machine."""
    return urlsplit(url).hostname in _LOOPBACK


def find_problems(config: Mapping[str, Any]) -> list[str]:
    """What is wrong with a configuration, one sentence each; values are never quoted."""
    given = {name: value for name, value in config.items() if value is not None}
    problems = []
    key = given.get("api_key")
    if not isinstance(key, str) or not key.strip():
        problems.append("Setting api_key is missing: set it to the API key of the project.")
    for name, choices in CHOICES.items():
        if name in given and given[name] not in choices:
            problems.append(f"Setting {name} must be one of {', '.join(choices)}.")
    for name, (least, most) in _WHOLE_NUMBERS.items():
        value = given.get(name, least)
        if type(value) is not int or not least <= value <= most:
            problems.append(f"Setting {name} must be a whole number from {least} to {most}.")
    problems += [
        f"Setting {name} must be text."
        for name in _TEXTS
        if name in given and not isinstance(given[name], str)
    ]
    problems += [
        f"Setting {name} must be true or false."
        for name in ("gzip", "dry_run")
        if name in given and not isinstance(given[name], bool)
    ]
    if _as_percent(given.get("max_rejected_percent", 10)) is None:
        problems.append("Setting max_rejected_percent must be a number from 0 to 100.")
    if "user_field" in given and not str(given["user_field"]).strip("."):
        problems.append("Setting user_field is empty: name a field, such as recipient.")
    names = given.get("event_types", {})
    if not isinstance(names, dict) or not all(isinstance(name, str) for name in names.values()):
        problems.append("Setting event_types must map HubSpot types to event names.")
    problems += _url_problems(given.get("api_url"))
    return problems


def _as_percent(value: Any) -> float | None:
    """A number from 0 to 100, or None; the SDK leaves a number of the environment as text."""
    if isinstance(value, bool):
        return None
    try:
        percent = float(value)
    except (TypeError, ValueError):
        return None
    return percent if 0 <= percent <= 100 else None  # noqa: PLR2004


def _url_problems(url: Any) -> list[str]:
    if url is None or url == "":
        return []
    problem = "Setting api_url must be an https URL, or an http URL of this machine."
    if not isinstance(url, str):
        return [problem]
    try:
        parts = urlsplit(url)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        return [problem]
    secure = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(url))
    plain = not (parts.username or parts.password or parts.query or parts.fragment)
    return [] if secure and parts.hostname and plain and port_is_fine else [problem]
