"""The settings as users see them."""

from __future__ import annotations

from singer_sdk import typing as th

from target_amplitude.settings import CHOICES, MAX_EVENTS, REJECTED_PATH

SETTINGS = th.PropertiesList(
    th.Property(
        "api_key",
        th.StringType(nullable=False),
        required=True,
        secret=True,
        title="API key",
        description="API key of the Amplitude project.",
    ),
    th.Property(
        "region",
        th.StringType,
        default="us",
        allowed_values=list(CHOICES["region"]),
        title="Region",
        description="Data center of the project.",
    ),
    th.Property(
        "endpoint",
        th.StringType,
        default="batch",
        allowed_values=list(CHOICES["endpoint"]),
        title="Endpoint",
        description="`batch` for loads; `httpapi` shows events within seconds, in small requests.",
    ),
    th.Property(
        "event_type_prefix",
        th.StringType,
        default="[HubSpot] ",
        title="Event type prefix",
        description="What the names of email events begin with.",
    ),
    th.Property(
        "event_types",
        th.ObjectType(additional_properties=th.StringType),
        default={},
        title="Event types",
        description="Full event names by HubSpot type, such as `{'OPEN': 'Email Opened'}`.",
    ),
    th.Property(
        "user_field",
        th.StringType,
        default="recipient",
        title="User field",
        description="Field with the user id; a dotted path such as `contact.product_user_id`.",
    ),
    th.Property(
        "unknown_users",
        th.StringType,
        default="recipient",
        allowed_values=list(CHOICES["unknown_users"]),
        title="Unknown users",
        description="Where the user field has no value: take the `recipient`, or `skip` it.",
    ),
    th.Property(
        "user_properties",
        th.StringType,
        default="recent",
        allowed_values=list(CHOICES["user_properties"]),
        title="User properties",
        description="Whether city, region, country and OS of an event become the user's: only "
        "of events of the last 24 hours (`recent`), `always`, `never`, or not sent (`off`).",
    ),
    th.Property(
        "rejected_path",
        th.StringType,
        default=REJECTED_PATH,
        title="Rejected path",
        description="File that keeps refused records as Singer messages with the reason.",
    ),
    th.Property(
        "max_rejected_percent",
        th.NumberType,
        default=10,
        title="Max rejected percent",
        description="Share of refused records above which the run fails.",
    ),
    th.Property(
        "job_log_path",
        th.StringType,
        title="Job log path",
        description="File that gets one line of JSON about each run.",
    ),
    th.Property(
        "max_concurrent_requests",
        th.IntegerType,
        default=4,
        title="Max concurrent requests",
        description="Requests that travel side by side.",
    ),
    th.Property(
        "batch_size_rows",
        th.IntegerType(minimum=1, maximum=MAX_EVENTS),
        default=MAX_EVENTS,
        title="Batch size",
        description="Events in a request at most.",
    ),
    th.Property(
        "max_retries",
        th.IntegerType,
        default=12,
        title="Max retries",
        description="Retries of a request in a row before the run fails.",
    ),
    th.Property(
        "gzip",
        th.BooleanType,
        title="Gzip",
        description="Compress requests; by default on Amplitude's own hosts only.",
    ),
    th.Property(
        "min_id_length",
        th.IntegerType,
        title="Minimum id length",
        description="Shortest user id to take, passed on to Amplitude (which takes 5 if unset).",
    ),
    th.Property(
        "dry_run",
        th.BooleanType,
        default=False,
        title="Dry run",
        description="Map, check and count, but send nothing and move no state.",
    ),
    th.Property(
        "secret_key",
        th.StringType,
        secret=True,
        title="Secret key",
        description="Secret key of the project, for the taxonomy command and lookup tables only.",
    ),
    th.Property(
        "api_url",
        th.StringType,
        title="API URL",
        description="Another host than that of the region: https, or http on this machine.",
    ),
).to_dict()
