"""A plain singer-sdk tap for the same events and schemas, as the SDK's tutorial would have it."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from singer_sdk import RESTStream, Tap
from singer_sdk import typing as th
from singer_sdk.authenticators import BearerTokenAuthenticator
from singer_sdk.pagination import JSONPathPaginator
from typing_extensions import override

from demo.reconcile import EVENT_NAMES
from tap_hubspot_email_events.common.event_types import STREAM_OF_TYPE
from tap_hubspot_email_events.streams.schemas import event_schema

if TYPE_CHECKING:
    from collections.abc import Sequence

    import requests
    from singer_sdk.helpers.types import Context

EVENT_TYPES = {STREAM_OF_TYPE[event_type]: event_type for event_type in EVENT_NAMES}


class EventStream(RESTStream[Any]):
    """One event type, one offset chain."""

    path = "/email/public/v1/events"
    records_jsonpath = "$.events[*]"
    primary_keys = ("portalId", "created", "id")
    replication_key = "created"

    @property
    @override
    def url_base(self) -> str:
        return str(self.config["api_url"])

    @property
    @override
    def authenticator(self) -> BearerTokenAuthenticator:
        return BearerTokenAuthenticator(token=self.config["access_token"])

    @override
    def get_new_paginator(self) -> JSONPathPaginator:
        return EventPaginator("$.offset")

    @override
    def get_url_params(self, context: Context | None, next_page_token: Any) -> dict[str, Any]:
        params: dict[str, Any] = {"eventType": EVENT_TYPES[self.name], "limit": 1000}
        end = datetime.fromisoformat(self.config.get("end_date", self.now))
        params |= {"startTimestamp": 1, "endTimestamp": int(end.timestamp() * 1000)}
        return params | ({"offset": next_page_token} if next_page_token else {})

    now = datetime.now(timezone.utc).isoformat()


class EventPaginator(JSONPathPaginator):
    """HubSpot sends an offset on the last page too."""

    @override
    def has_more(self, response: requests.Response) -> bool:
        return bool(response.json()["hasMore"])


def schema(event_type: str) -> dict[str, Any]:
    """Ours, but for the time, which stays the number that HubSpot sends."""
    found = event_schema(event_type)
    return found | {"properties": found["properties"] | {"created": {"type": "integer"}}}


class PlainTap(Tap):
    """The ten event types, one stream each."""

    name = "tap-plain"
    config_jsonschema = th.PropertiesList(
        th.Property("api_url", th.StringType, required=True),
        th.Property("access_token", th.StringType, required=True, secret=True),
    ).to_dict()

    @override
    def discover_streams(self) -> Sequence[EventStream]:
        return [
            EventStream(tap=self, name=name, schema=schema(EVENT_TYPES[name]))
            for name in EVENT_TYPES
        ]


if __name__ == "__main__":
    PlainTap.cli()
