"""The stream of email campaigns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from tap_hubspot_email_events.streams.schemas import CAMPAIGN_SCHEMA
from tap_hubspot_email_events.streams.stream import HubSpotStream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk import Tap
    from singer_sdk.helpers.types import Context

    from tap_hubspot_email_events.reading.run import Run
    from tap_hubspot_email_events.singer.messages import Record


class CampaignStream(HubSpotStream):
    """The emails behind the events: name, subject, type, content and counters."""

    primary_keys = ("portalId", "id")
    selected_by_default = False

    def __init__(self, tap: Tap, run: Run) -> None:
        """Create the stream `email_campaigns`."""
        super().__init__(tap, run, "email_campaigns", CAMPAIGN_SCHEMA)

    @override
    def get_records(self, context: Context | None) -> Iterable[Record]:
        """Read the campaigns with recent activity, then all others, each once."""
        return self.run.campaigns(self.name)
