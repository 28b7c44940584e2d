"""Every setting of the target, declared once, and what its values must be together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from typing_extensions import override

from target_amplitude.common.configuration import read_configuration
from target_amplitude.common.declaration import SdkSettings, json_schema, setting
from target_amplitude.common.errors import UserError
from target_amplitude.common.http import is_safe_address

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

HOSTS = {"us": "https://api2.amplitude.com", "eu": "https://api.eu.amplitude.com"}
PATHS = {"batch": "/batch", "httpapi": "/2/httpapi"}
REQUEST_BYTES = {"batch": 20_000_000, "httpapi": 1_000_000}
"""Bytes of a request body Amplitude takes before it answers 413."""

MAX_EVENTS = 2000
"""Events of a request Amplitude takes before it answers 413."""

MAX_USER_PROPERTIES = 1000
"""User properties of a project that Amplitude can query (Amplitude's page Limits)."""

MAX_GROUP_TYPES, MAX_GROUPS = 5, 10
"""Types of groups, and groups in all, that Amplitude tracks of an event (HTTP V2 API, `groups`).

It drops what is beyond without a word. A project has five types as well.
"""

_MAX_NAME = 1024
"""Characters of any text (HTTP V2 API); none is documented of names alone."""

_RESERVED_BEGINNINGS = ("$", "[Amplitude]", "gp:", "grp:")
"""Beginnings of names that mean something to Amplitude.

`$set` and the like are operations (HTTP V2 API, `user_properties`), `[Amplitude]` is how it shows
its own, `gp:` and `grp:` are how the Taxonomy API marks those of users and of groups.
"""

_OWN_USER_PROPERTIES = frozenset(
    (
        *("user_id", "device_id", "amplitude_id", "session_id", "event_id", "server_upload_time"),
        *("country", "region", "city", "dma", "location_lat", "location_lng", "ip_address"),
        *("platform", "os_name", "os_version", "device_brand", "device_manufacturer"),
        *("device_model", "carrier", "language", "app_version", "start_version", "paying"),
    )
)
"""User properties that Amplitude has of its own (Identify API, Taxonomy API).

Whether one of the same name in `user_properties` sets it or becomes a second is not documented.
"""

ENVIRONMENT_PREFIX = "TARGET_AMPLITUDE"


class Settings(SdkSettings, frozen=True, kw_only=True):
    """Settings of one run, as the user gives them."""

    api_key: Annotated[str, setting("API Key", "API key of the Amplitude project.", secret=True)]
    region: Annotated[
        Literal["us", "eu"], setting("Region", "Data region of the project, `us` or `eu`.")
    ] = "us"
    endpoint: Annotated[
        Literal["batch", "httpapi"],
        setting(
            "Endpoint",
            "Upload API, `batch` or `httpapi`. The latter shows events within seconds, but takes "
            "1 MB a request and 30 events a second for one user.",
        ),
    ] = "batch"
    event_type_prefix: Annotated[
        str,
        setting(
            "Event Type Prefix", "What the name of an email event begins with.", keeps_blanks=True
        ),
    ] = "[HubSpot] "
    event_types: Annotated[
        dict[str, str],
        setting(
            "Event Types",
            'Full names of email events by HubSpot\'s type, such as `{"OPEN": "Email Opened"}`.',
        ),
    ] = msgspec.field(default_factory=dict)
    user_field: Annotated[
        str,
        setting(
            "User Field",
            "Field that holds the user id. One within an object is written with a dot between "
            "the two names, `contact` and `product_user_id` for example.",
        ),
    ] = "recipient"
    unknown_users: Annotated[
        Literal["recipient", "skip"],
        setting(
            "Unknown Users",
            "Where the user field has no value, take the `recipient`, or `skip` the event.",
        ),
    ] = "recipient"
    user_properties: Annotated[
        Literal["recent", "always", "never", "off"],
        setting(
            "User Properties",
            "Events that may change the user's city, region, country, operating system and "
            "`user_property_fields`: those of the last 24 hours (`recent`), `always`, `never`, or "
            "not even sent (`off`).",
        ),
    ] = "recent"
    user_property_fields: Annotated[
        dict[str, str],
        setting(
            "User Property Fields",
            "User properties made of fields of the record: an object from the name in Amplitude to "
            "the field, written as in `user_field`, or a list of fields, which keep their last "
            "names.",
            takes_list=True,
        ),
    ] = msgspec.field(default_factory=dict)
    group_fields: Annotated[
        dict[str, str],
        setting(
            "Group Fields",
            "Groups made of fields of the record: an object from the type of group to the field. "
            "Amplitude tracks them with its Accounts add-on only.",
        ),
    ] = msgspec.field(default_factory=dict)
    rejected_path: Annotated[
        str,
        setting(
            "Rejected Path", "File that keeps refused records as Singer messages, with the reason."
        ),
    ] = "output/rejected.singer.jsonl"
    max_rejected_percent: Annotated[
        float,
        setting(
            "Max Rejected Percent",
            "Share of refused records above which the run fails.",
            least=0,
            most=100,
        ),
    ] = 10
    job_log_path: Annotated[
        str | None,
        setting("Job Log Path", "File that gets one line of JSON about each run."),
    ] = None
    max_concurrent_requests: Annotated[
        int,
        setting(
            "Max Concurrent Requests",
            "Requests that travel side by side at most.",
            least=1,
            most=64,
        ),
    ] = 4
    batch_size_rows: Annotated[
        int,
        setting("Batch Size Rows", "Events in a request at most.", least=1, most=MAX_EVENTS),
    ] = MAX_EVENTS
    max_retries: Annotated[
        int,
        setting(
            "Max Retries",
            "How often in a row a request that failed for a passing reason is repeated.",
            least=0,
            most=1000,
        ),
    ] = 12
    gzip: Annotated[
        bool | None,
        setting("Gzip", "Compress requests; if unset, on Amplitude's own hosts only."),
    ] = None
    min_id_length: (
        Annotated[
            int,
            setting(
                "Min ID Length",
                "Shortest user id to accept, passed on to Amplitude, which takes 5 if unset.",
                least=1,
                most=1024,
            ),
        ]
        | None
    ) = None
    dry_run: Annotated[
        bool,
        setting(
            "Dry Run", "Map, check and count, but send nothing, keep no rejects and write no state."
        ),
    ] = False
    secret_key: Annotated[
        str | None,
        setting(
            "Secret Key",
            "Secret key of the project, only for the taxonomy command, lookup tables and "
            "`reconcile`.",
            secret=True,
        ),
    ] = None
    reconcile: Annotated[
        Literal["off", "report", "send_missing"],
        setting(
            "Reconcile",
            "Compare what is read with what Amplitude holds, and `report` the difference or "
            "`send_missing`; needs `secret_key`.",
        ),
    ] = "off"
    api_url: Annotated[
        str | None,
        setting(
            "API URL",
            "Another host than the region's own; https, or http on this machine.",
            private=True,
        ),
    ] = None
    stream_maps: Annotated[
        dict[str, Any] | None,
        setting("Stream Maps", "Changes to records before they become events, see the SDK's docs."),
    ] = None

    @override
    def __repr__(self) -> str:
        """Name no values: two of them are secrets."""
        return "Settings(...)"

    @property
    def url(self) -> str:
        """Where events are sent."""
        base = (self.api_url or HOSTS[self.region]).rstrip("/")
        path = PATHS[self.endpoint]
        return base if base.endswith(path) else base + path

    @property
    def compresses(self) -> bool:
        """Whether request bodies are compressed."""
        return self.api_url is None if self.gzip is None else self.gzip


SETTINGS = json_schema(Settings)


def read_settings(config: Mapping[str, Any]) -> Settings:
    """Read the settings of a configuration.

    Raises:
        UserError: If something is wrong with it; one sentence for each setting.
    """
    reading = read_configuration(Settings, config)
    problems = reading.problems
    if "api_key" not in reading.values and not any("Setting api_key" in each for each in problems):
        problems.insert(
            0,
            "Setting api_key is missing: set it to the API key of the project, for example as "
            "TARGET_AMPLITUDE_API_KEY.",
        )
    if not problems:
        settings = Settings(**reading.values)
        if settings.api_url is not None and not is_safe_address(settings.api_url):
            problems.append("Setting api_url must be an https URL, or an http URL of this machine.")
        if settings.reconcile != "off" and settings.secret_key is None:
            problems.append(
                "Setting reconcile needs secret_key, the project's secret key (Settings > "
                "Projects), with which Amplitude's Export API is read."
            )
        if not settings.user_field.strip("."):
            problems.append("Setting user_field is empty: name a field, such as recipient.")
        problems += _problems_of_names(
            "user_property_fields",
            settings.user_property_fields,
            _OWN_USER_PROPERTIES,
            MAX_USER_PROPERTIES,
            "user properties",
        )
        problems += _problems_of_names(
            "group_fields", settings.group_fields, (), MAX_GROUP_TYPES, "types of groups"
        )
        if not problems:
            return settings
    raise UserError(" ".join(problems))


def _problems_of_names(
    setting_name: str, fields: Mapping[str, str], own: Collection[str], most: int, what: str
) -> Iterator[str]:
    if len(fields) > most:
        yield (
            f"Setting {setting_name} must name at most {most:,} {what}, which is what Amplitude "
            f"takes, not {len(fields):,}."
        )
    for name, field in fields.items():
        if not name.strip() or not field.strip(" .") or len(name) > _MAX_NAME:
            yield (
                f"Setting {setting_name} must give each field a name of 1 to {_MAX_NAME} "
                "characters, and each name a field."
            )
        elif name in own or name.startswith(_RESERVED_BEGINNINGS):
            yield (
                f"Setting {setting_name} must not use the name {name}, to which Amplitude gives a "
                "meaning of its own; choose another, such as "
                f'{{"hubspot_{field.rpartition(".")[2]}": "{field}"}}.'
            )
