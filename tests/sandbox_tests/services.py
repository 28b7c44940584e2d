from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from sandbox.client import Sandbox

EVENTS = "/email/public/v1/events"
TOKEN = "sandbox-access-token"


@dataclass
class Services:
    """A plain client of both services, without any of the plugins' cleverness."""

    sandbox: Sandbox

    def get(self, path: str, token: str = TOKEN, **params: Any) -> requests.Response:
        return requests.get(
            self.sandbox.hubspot_url + path,
            params=params,
            headers={"Authorization": f"Bearer {token}"},
            timeout=10,
        )

    def post(self, path: str, body: Any, token: str = TOKEN) -> requests.Response:
        return requests.post(
            self.sandbox.hubspot_url + path,
            json=body,
            headers={"Authorization": f"Bearer {token}"},
            timeout=10,
        )

    def token(self, form: dict[str, str]) -> requests.Response:
        client = {"client_id": "sandbox-client", "client_secret": "sandbox-client-secret"}
        return requests.post(
            self.sandbox.hubspot_url + "/oauth/2026-03/token", data=client | form, timeout=10
        )

    def upload(
        self, events: Any, path: str = "/batch", api_key: str = "sandbox-api-key", **more: Any
    ) -> requests.Response:
        return requests.post(
            self.sandbox.amplitude_url + path,
            json={"api_key": api_key, "events": events, **more},
            timeout=10,
        )


def amplitude_event(number: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "user_id": f"person{number}@example.com",
        "event_type": "[HubSpot] EMAIL_OPEN",
        "time": 1_760_000_000_000 + number,
        "insert_id": f"insert-{number}",
        **more,
    }
