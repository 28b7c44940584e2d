"""A plain singer-sdk tap for the same events, as the SDK's tutorial would have it."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from singer_sdk import RESTStream, Tap
from singer_sdk import typing as th
from singer_sdk.authenticators import BearerTokenAuthenticator
from singer_sdk.pagination import JSONPathPaginator
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Sequence

    import requests
    from singer_sdk.helpers.types import Context

EVENT_TYPES = {
    "email_sent": "SENT",
    "email_dropped": "DROPPED",
    "email_processed": "PROCESSED",
    "email_delivered": "DELIVERED",
    "email_deferred": "DEFERRED",
    "email_bounce": "BOUNCE",
    "email_open": "OPEN",
    "email_click": "CLICK",
    "email_status_change": "STATUSCHANGE",
    "email_spam_report": "SPAMREPORT",
}
EVENT_ID = th.ObjectType(th.Property("id", th.StringType), th.Property("created", th.IntegerType))
TEXT_FIELDS = (
    "type", "recipient", "appName", "smtpId", "sendId", "hmid", "subject", "from", "dropReason",
    "dropMessage", "response", "category", "status", "userAgent", "deviceType", "url", "referer",
    "source", "sourceId", "portalSubscriptionStatus", "requestedBy", "suppressedReason",
    "suppressedMessage",
)  # fmt: skip
NUMBER_FIELDS = (
    "created", "portalId", "appId", "emailCampaignId", "emailCampaignGroupId", "attempt",
    "duration", "linkId", "requestedByUserId",
)  # fmt: skip


class EventStream(RESTStream[Any]):
    """One event type, one offset chain."""

    path = "/email/public/v1/events"
    records_jsonpath = "$.events[*]"
    primary_keys = ("portalId", "created", "id")
    replication_key = "created"
    schema = th.PropertiesList(
        th.Property("id", th.StringType, required=True),
        *(th.Property(name, th.StringType) for name in TEXT_FIELDS),
        *(th.Property(name, th.IntegerType) for name in NUMBER_FIELDS),
        th.Property("filteredEvent", th.BooleanType),
        th.Property("bounced", th.BooleanType),
        *(th.Property(name, EVENT_ID) for name in ("sentBy", "obsoletedBy", "causedBy")),
        *(th.Property(name, th.ArrayType(th.StringType)) for name in ("replyTo", "cc", "bcc")),
        th.Property("subscriptions", th.ArrayType(th.ObjectType(additional_properties=True))),
        th.Property("browser", th.ObjectType(additional_properties=True)),
        th.Property("location", th.ObjectType(additional_properties=True)),
    ).to_dict()

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


class PlainTap(Tap):
    """The ten event types, one stream each."""

    name = "tap-plain"
    config_jsonschema = th.PropertiesList(
        th.Property("api_url", th.StringType, required=True),
        th.Property("access_token", th.StringType, required=True, secret=True),
    ).to_dict()

    @override
    def discover_streams(self) -> Sequence[EventStream]:
        return [EventStream(tap=self, name=name) for name in EVENT_TYPES]


if __name__ == "__main__":
    PlainTap.cli()
