"""The tap's settings: their schema, and the checks of a configuration."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from singer_sdk import typing as th

from tap_hubspot_email_events.errors import ConfigError
from tap_hubspot_email_events.timestamps import parse_timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping

MINUTE = 60_000
DEFAULT_HISTORY = 30 * 24 * 60 * MINUTE
OAUTH_SETTINGS = ("client_id", "client_secret", "refresh_token")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

SETTINGS = th.PropertiesList(
    th.Property(
        "access_token",
        th.StringType(),
        secret=True,
        title="Access token",
        description="Token of a HubSpot private app or service key with the scope `content`",
    ),
    th.Property(
        "client_id",
        th.StringType(),
        secret=True,
        title="OAuth client ID",
        description="Client ID of a HubSpot app; with `client_secret` and `refresh_token` it "
        "stands in for `access_token`",
    ),
    th.Property(
        "client_secret",
        th.StringType(),
        secret=True,
        title="OAuth client secret",
        description="Client secret of the same app",
    ),
    th.Property(
        "refresh_token",
        th.StringType(),
        secret=True,
        title="OAuth refresh token",
        description="What HubSpot gave when the account was connected to the app",
    ),
    th.Property(
        "start_date",
        th.DateTimeType(),
        title="Start date",
        description="Read events from this moment on (RFC 3339) where there is no bookmark yet; "
        "30 days ago if not set",
    ),
    th.Property(
        "end_date",
        th.DateTimeType(),
        title="End date",
        description="Read events up to this moment (RFC 3339); the start of the run if not set",
    ),
    th.Property(
        "lookback_minutes",
        th.IntegerType(minimum=0),
        default=120,
        title="Lookback in minutes",
        description="How long after its creation an event may become visible in HubSpot and still "
        "be found by the next run",
    ),
    th.Property(
        "exclude_filtered_events",
        th.BooleanType(),
        default=False,
        title="Exclude filtered events",
        description="Leave out what the filters set in HubSpot call bots",
    ),
    th.Property(
        "enrich_campaigns",
        th.BooleanType(),
        default=True,
        title="Enrich campaigns",
        description="Add each email's name, subject, type and content id to its events, as the "
        "object `emailCampaign`; one request for each campaign in a run",
    ),
    th.Property(
        "contact_properties",
        th.ArrayType(th.StringType(min_length=1)),
        default=[],
        title="Contact properties",
        description="Properties of the recipients' contacts, by HubSpot's internal names, to add "
        "to their events as the object `contact`; one request for 100 addresses, and the token "
        "needs the scope `crm.objects.contacts.read`",
    ),
    th.Property(
        "max_concurrent_requests",
        th.IntegerType(minimum=1, maximum=64),
        default=8,
        title="Concurrent requests",
        description="How many pages are fetched side by side",
    ),
    th.Property(
        "requests_per_10_seconds",
        th.IntegerType(minimum=1, maximum=10_000),
        default=100,
        title="Requests per ten seconds",
        description="The HubSpot app's limit: 100 (Free and Starter), 190 (Professional and "
        "Enterprise), 250 (limit increase), 110 (OAuth); HubSpot's own word lowers it",
    ),
    th.Property(
        "page_size",
        th.IntegerType(minimum=1, maximum=1000),
        default=1000,
        title="Page size",
        description="Events asked for at once",
    ),
    th.Property(
        "max_retries",
        th.IntegerType(minimum=0, maximum=100),
        default=8,
        title="Retries",
        description="How often a request that failed is tried again",
    ),
    th.Property(
        "api_url",
        th.StringType(),
        default="https://api.hubapi.com",
        title="HubSpot API address",
        description="Where HubSpot's API is; https, or a loopback host",
    ),
).to_dict()


@dataclass(frozen=True, slots=True)
class Settings:
    """The checked settings of a run; instants and durations in milliseconds."""

    access_token: str | None
    client_id: str | None
    client_secret: str | None
    refresh_token: str | None
    start: int | None
    end: int | None
    lookback: int
    exclude_filtered_events: bool
    enrich_campaigns: bool
    contact_properties: tuple[str, ...]
    max_concurrent_requests: int
    requests_per_10_seconds: int
    page_size: int
    max_retries: int
    api_url: str

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Settings:
        """Check a configuration.

        Raises:
            ConfigError: A setting is wrong; the message names it, never its value.
        """
        problems = type_problems(config)
        if problems:
            raise ConfigError(" ".join(problems))
        defaults = {
            name: schema["default"]
            for name, schema in SETTINGS["properties"].items()
            if "default" in schema
        }
        given = {name: value for name, value in config.items() if value not in (None, "")}
        values = {**dict.fromkeys(SETTINGS["properties"]), **defaults, **given}
        _check_credentials(given)
        start, end = _instant(values, "start_date"), _instant(values, "end_date")
        earliest = now_milliseconds() - DEFAULT_HISTORY if start is None else start
        if end is not None and earliest > end:
            raise ConfigError(
                "The setting `end_date` is before `start_date` (30 days ago where that is not "
                "set); correct them."
            )
        return cls(
            **{name: values[name] for name in ("access_token", *OAUTH_SETTINGS)},
            start=start,
            end=end,
            lookback=values["lookback_minutes"] * MINUTE,
            exclude_filtered_events=values["exclude_filtered_events"],
            enrich_campaigns=values["enrich_campaigns"],
            contact_properties=tuple(contact_properties(values)),
            max_concurrent_requests=values["max_concurrent_requests"],
            requests_per_10_seconds=values["requests_per_10_seconds"],
            page_size=values["page_size"],
            max_retries=values["max_retries"],
            api_url=checked_address("The setting `api_url`", values["api_url"]),
        )


def contact_properties(config: Mapping[str, Any]) -> list[str]:
    """The contact properties in a configuration that may not have been checked."""
    names = config.get("contact_properties")
    return [each for each in names if isinstance(each, str)] if isinstance(names, list) else []


def type_problems(config: Mapping[str, Any]) -> list[str]:
    """One sentence per setting that has a wrong type or is out of bounds, without its value."""
    validator = th.DEFAULT_JSONSCHEMA_VALIDATOR(SETTINGS)
    return [_sentence(error) for error in validator.iter_errors(dict(config))]


def _sentence(error: Any) -> str:
    name = str(error.path[0]) if error.path else "the configuration"
    kinds = error.schema.get("type") if isinstance(error.schema, dict) else None
    if len(error.path) > 1:
        return f"The setting `{name}` must be a list of strings."
    match error.validator:
        case "type":
            kind = next((k for k in _as_list(kinds) if k != "null"), "value")
            return f"The setting `{name}` must be {_KIND_NAMES.get(kind, kind)}."
        case "minimum":
            return f"The setting `{name}` must be at least {error.validator_value}."
        case "maximum":
            return f"The setting `{name}` must be at most {error.validator_value}."
        case _:
            return f"The setting `{name}` has a value it cannot take."


_KIND_NAMES = {
    "string": "a string",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
}


def _as_list(kinds: Any) -> list[str]:
    return kinds if isinstance(kinds, list) else [kinds]


def _check_credentials(given: Mapping[str, Any]) -> None:
    oauth = [name for name in OAUTH_SETTINGS if name in given]
    missing = [f"`{name}`" for name in OAUTH_SETTINGS if name not in given]
    if "access_token" in given and oauth:
        raise ConfigError(
            "Set either `access_token`, or `client_id`, `client_secret` and `refresh_token`, not "
            "both."
        )
    if "access_token" not in given and not oauth:
        raise ConfigError(
            "No HubSpot credentials: set `access_token`, or `client_id`, `client_secret` and "
            "`refresh_token`."
        )
    if oauth and missing:
        raise ConfigError(f"The OAuth credentials are incomplete: set {' and '.join(missing)}.")
    for name in ("access_token", *OAUTH_SETTINGS):
        if name in given and not (given[name].isascii() and given[name].isprintable()):
            raise ConfigError(
                f"The setting `{name}` holds characters no token has; copy it again from HubSpot."
            )


def _instant(values: Mapping[str, Any], name: str) -> int | None:
    if values[name] is None:
        return None
    try:
        return parse_timestamp(values[name])
    except (ValueError, OverflowError):
        raise ConfigError(
            f"The setting `{name}` must be a date such as 2026-01-31T00:00:00Z."
        ) from None


def checked_address(name: str, url: str) -> str:
    """Check an address and return it without a slash at its end.

    Raises:
        ConfigError: It is neither https nor on a loopback host; `name` begins the message.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    plain = not (parts.username or parts.password or parts.query or parts.fragment)
    safe = parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)
    if not host or not safe or not plain:
        raise ConfigError(
            f"{name} must be an https address, or http on a loopback host, such as "
            "https://api.hubapi.com."
        )
    return url.rstrip("/")


def now_milliseconds() -> int:
    """The current time, in milliseconds since 1970."""
    return time.time_ns() // 1_000_000
