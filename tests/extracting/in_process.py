"""Running the tap on the sandbox within the test's own process."""

from __future__ import annotations

import json
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from tap_hubspot_email_events.errors import TapError
from tap_hubspot_email_events.hubspot.account import ACCOUNT_PATH
from tap_hubspot_email_events.tap import TapHubSpotEmailEvents

if TYPE_CHECKING:
    import pytest

    from sandbox.client import Sandbox

Record = dict[str, Any]

EVENTS = "/email/public/v1/events"
OF_EVERY_RUN = (EVENTS, ACCOUNT_PATH)


class Run:
    """One run of the tap: its messages, its requests and its failure."""

    def __init__(
        self, hubspot: Sandbox, capsys: pytest.CaptureFixture[str], **settings: Any
    ) -> None:
        self.messages: list[Record] = []
        self.requests: list[Record] = []
        self.failure = ""
        catalog = settings.pop("catalog", None)
        before = len(hubspot.hubspot_requests())
        config = {
            "api_url": hubspot.hubspot_url,
            "access_token": "sandbox-access-token",
            **settings,
        }
        capsys.readouterr()
        try:
            TapHubSpotEmailEvents(config=config, catalog=catalog).sync_all()
        except TapError as error:
            self.failure = str(error)
        self.messages = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        self.requests = hubspot.hubspot_requests()[before:]

    def records(self, *streams: str) -> list[Record]:
        return [
            message["record"]
            for message in self.messages
            if message["type"] == "RECORD" and (not streams or message["stream"] in streams)
        ]

    @property
    def extra_requests(self) -> Counter[str]:
        return Counter(r["path"] for r in self.requests if r["path"] not in OF_EVERY_RUN)


def event(number: int, **fields: Any) -> Record:
    return {
        "id": f"event-{number}",
        "portalId": 4711,
        "created": time.time_ns() // 1_000_000 - 3_600_000 + number,
        "type": "SENT",
        "recipient": f"reader{number}@example.com",
        "emailCampaignId": 0,
        "appId": 0,
        **fields,
    }
