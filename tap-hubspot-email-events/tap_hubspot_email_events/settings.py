"""Every setting of the tap, declared once, and what its values must be together."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from typing_extensions import override

from tap_hubspot_email_events.common.configuration import read_configuration
from tap_hubspot_email_events.common.declaration import SdkSettings, json_schema, setting
from tap_hubspot_email_events.common.http import is_safe_address
from tap_hubspot_email_events.errors import ConfigError
from tap_hubspot_email_events.timestamps import EARLIEST, parse_timestamp

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ENVIRONMENT_PREFIX = "TAP_HUBSPOT_EMAIL_EVENTS"
MINUTE = 60_000
DEFAULT_HISTORY = 30 * 24 * 60 * MINUTE
OAUTH_SETTINGS = ("client_id", "client_secret", "refresh_token")


class Settings(SdkSettings, frozen=True, kw_only=True):
    """The settings of a run, as the user gives them."""

    access_token: Annotated[
        str | None,
        setting(
            "Access Token",
            "Token of a HubSpot service key, app or private app with the scope `content`.",
            secret=True,
        ),
    ] = None
    client_id: Annotated[
        str | None,
        setting(
            "Client ID",
            "Client id of a HubSpot app; OAuth with all three of `client_id`, `client_secret` and "
            "`refresh_token` stands in for `access_token`.",
            secret=True,
        ),
    ] = None
    client_secret: Annotated[
        str | None, setting("Client Secret", "Client secret of the HubSpot app.", secret=True)
    ] = None
    refresh_token: Annotated[
        str | None,
        setting(
            "Refresh Token",
            "What `tap-hubspot-email-events-connect` obtains when the account is connected to the "
            "app; a rotated one is used from then on.",
            secret=True,
        ),
    ] = None
    start_date: Annotated[
        str | None,
        setting(
            "Start Date",
            "Read events from this moment on (RFC 3339) where there is no bookmark yet; 30 days "
            "ago if unset.",
        ),
    ] = None
    end_date: Annotated[
        str | None,
        setting(
            "End Date",
            "Read events up to this moment (RFC 3339); the start of the run if unset.",
        ),
    ] = None
    lookback_minutes: Annotated[
        int,
        setting(
            "Lookback Minutes",
            "How long after its creation an event may become visible in HubSpot and still be found "
            "by the next run.",
            least=0,
            most=527_040,
        ),
    ] = 120
    exclude_filtered_events: Annotated[
        bool,
        setting("Exclude Filtered Events", "Leave out what the filters set in HubSpot call bots."),
    ] = False
    enrich_campaigns: Annotated[
        bool,
        setting(
            "Enrich Campaigns",
            "Add each email's name, subject, type and content id to its events, as the object "
            "`emailCampaign`; one request for each campaign in a run.",
        ),
    ] = True
    contact_properties: Annotated[
        list[str],
        setting(
            "Contact Properties",
            "Properties of the recipients' contacts, by HubSpot's internal names, to add to their "
            'events as the object `contact`, such as `["product_user_id"]`; one request for 100 '
            "addresses, and the token needs the scope to read contacts.",
        ),
    ] = msgspec.field(default_factory=list)
    max_concurrent_requests: Annotated[
        int,
        setting("Max Concurrent Requests", "Pages fetched side by side.", least=1, most=64),
    ] = 8
    requests_per_10_seconds: Annotated[
        int,
        setting(
            "Requests Per 10 Seconds",
            "The HubSpot app's limit: 100 (Free and Starter), 190 (Professional and Enterprise), "
            "250 (limit increase), 110 (OAuth); HubSpot's own word lowers it.",
            least=1,
            most=10_000,
        ),
    ] = 100
    page_size: Annotated[
        int, setting("Page Size", "Events asked for at once.", least=1, most=1000)
    ] = 1000
    max_retries: Annotated[
        int,
        setting(
            "Max Retries",
            "How often a request that failed for a passing reason is repeated.",
            least=0,
            most=100,
        ),
    ] = 8
    api_url: Annotated[
        str,
        setting(
            "API URL",
            "Where HubSpot's API is; https, or a loopback host.",
            private=True,
        ),
    ] = "https://api.hubapi.com"
    stream_maps: Annotated[
        dict[str, Any] | None,
        setting("Stream Maps", "Changes to records before they are written, see the SDK's docs."),
    ] = None

    @override
    def __repr__(self) -> str:
        """Name no values: some of them are secrets."""
        return "Settings(...)"

    @property
    def start(self) -> int | None:
        """`start_date` in milliseconds since 1970, or 2000-01-01 where it lies before that."""
        return None if self.start_date is None else max(EARLIEST, parse_timestamp(self.start_date))

    @property
    def end(self) -> int | None:
        """`end_date` in milliseconds since 1970."""
        return None if self.end_date is None else parse_timestamp(self.end_date)

    @property
    def lookback(self) -> int:
        """`lookback_minutes` in milliseconds."""
        return self.lookback_minutes * MINUTE


SETTINGS = json_schema(Settings)


def read_settings(config: Mapping[str, Any]) -> Settings:
    """Read the settings of a configuration.

    Raises:
        ConfigError: Something is wrong with it; one sentence for each setting.
    """
    reading = read_configuration(Settings, config)
    if not reading.problems:
        settings = Settings(**reading.values)
        reading.problems += [*_credential_problems(reading.values), *_date_problems(settings)]
        if not reading.problems:
            api_url = checked_address("Setting api_url", settings.api_url)
            return msgspec.structs.replace(settings, api_url=api_url)
    raise ConfigError(" ".join(reading.problems))


def _credential_problems(given: Mapping[str, Any]) -> Iterator[str]:
    oauth = [name for name in OAUTH_SETTINGS if name in given]
    missing = [name for name in OAUTH_SETTINGS if name not in given]
    if "access_token" in given and oauth:
        yield ("Set either access_token, or client_id, client_secret and refresh_token, not both.")
    elif "access_token" not in given and not oauth:
        yield (
            "No HubSpot credentials: set access_token, or client_id, client_secret and "
            "refresh_token."
        )
    elif oauth and missing:
        yield (
            f"The OAuth credentials are incomplete: {' and '.join(missing)} not set; the command "
            "`tap-hubspot-email-events-connect` (in Meltano `meltano invoke "
            "tap-hubspot-email-events:connect`) obtains the refresh_token with the other two."
        )


def _date_problems(settings: Settings) -> Iterator[str]:
    instants: dict[str, int] = {}
    for name in ("start_date", "end_date"):
        text = getattr(settings, name)
        try:
            if text is not None:
                instants[name] = parse_timestamp(text)
        except (ValueError, OverflowError):
            yield (
                f"Setting {name} must be a date such as 2026-01-31T00:00:00Z, not "
                f"{msgspec.json.encode(text[:60]).decode()}."
            )
            return
    if "end_date" in instants:
        earliest = instants.get("start_date", now_milliseconds() - DEFAULT_HISTORY)
        if earliest > instants["end_date"]:
            yield (
                "Setting end_date is before start_date (30 days ago where that is not set); "
                "correct them."
            )


def checked_address(name: str, url: str) -> str:
    """Check an address and return it without a slash at its end.

    Raises:
        ConfigError: It is neither https nor on a loopback host; `name` begins the message.
    """
    if not is_safe_address(url):
        raise ConfigError(
            f"{name} must be an https address, or http on a loopback host, such as "
            "https://api.hubapi.com."
        )
    return url.rstrip("/")


def now_milliseconds() -> int:
    """The current time, in milliseconds since 1970."""
    return time.time_ns() // 1_000_000
