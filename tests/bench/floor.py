"""The floor: the least Python that moves the same events with the same mapping, no framework.

No state, no retries, no limiter, no rejects, no accounting: what is left is fetching, decoding,
mapping, encoding and sending, with requests and msgspec, the streams side by side in threads.
"""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

import msgspec
import requests
import ua_parser

from demo.reconcile import EVENT_NAMES

PROXIES = ("GoogleImageProxy", "YahooMailProxy")
DAY_MS = 86_400_000
BATCH = 2_000
THREADS = 4

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


@lru_cache(maxsize=10_000)
def _os(user_agent: str) -> tuple[str | None, str | None]:
    parsed = ua_parser.parse_os(user_agent)
    if parsed is None:
        return None, None
    return parsed.family, ".".join(filter(None, (parsed.major, parsed.minor))) or None


def _flatten(value: dict[str, Any], prefix: str, into: dict[str, Any]) -> None:
    for key, item in value.items():
        if isinstance(item, dict):
            _flatten(item, f"{prefix}{key}.", into)
        elif item is not None and item not in ("", []):
            into[prefix + key] = item[:1024] if isinstance(item, str) else item


def map_event(record: dict[str, Any], now_ms: int) -> dict[str, Any]:
    """Return the Amplitude event of a HubSpot event, as the contract has it."""
    created = record.pop("created")
    user = record.pop("recipient")
    event: dict[str, Any] = {
        "event_type": EVENT_NAMES[record.pop("type")],
        "user_id": user,
        "time": created,
        "insert_id": f"{record['portalId']}-{created}-{record['id']}",
        "library": "floor",
    }
    user_agent = record.get("userAgent")
    if not (user_agent and any(proxy in user_agent for proxy in PROXIES)):
        location = record.get("location")
        if location:
            for key, field in (("city", "city"), ("region", "state"), ("country", "country")):
                if location.get(field):
                    event[key] = location[field]
        if user_agent:
            name, version = _os(user_agent)
            if name:
                event["os_name"] = name
            if version:
                event["os_version"] = version
    if now_ms - created > DAY_MS:
        event["$skip_user_properties_sync"] = True
    properties: dict[str, Any] = {}
    _flatten(record, "", properties)
    event["event_properties"] = properties
    return event


class Floor:
    """Moves all events of the ten types once."""

    def __init__(self, hubspot_url: str, amplitude_url: str, end_ms: int | None) -> None:
        self.events_url = f"{hubspot_url}/email/public/v1/events"
        self.batch_url = f"{amplitude_url}/batch"
        self.head = b'{"api_key":"sandbox-api-key","events":['
        self.now_ms = int(time.time() * 1000)
        self.end_ms = end_ms or self.now_ms

    def move(self, event_type: str) -> None:
        """Read one event type from its newest event to its oldest."""
        source, destination = requests.Session(), requests.Session()
        source.headers["Authorization"] = "Bearer sandbox-access-token"
        destination.headers["Content-Type"] = "application/json"
        params: dict[str, Any] = {"eventType": event_type, "limit": 1000}
        params |= {"startTimestamp": 1, "endTimestamp": self.end_ms}
        waiting: list[bytes] = []
        while True:
            answer = source.get(self.events_url, params=params, stream=True)
            page = _decode(answer.raw.read())
            waiting += [_encode(map_event(event, self.now_ms)) for event in page["events"]]
            if len(waiting) >= BATCH or not page["hasMore"]:
                self._send(destination, waiting)
                waiting = []
            if not page["hasMore"]:
                return
            params["offset"] = page["offset"]

    def _send(self, session: requests.Session, events: list[bytes]) -> None:
        if events:
            body = self.head + b",".join(events) + b"]}"
            session.post(self.batch_url, data=body).raise_for_status()


def main() -> None:
    """Move everything."""
    parser = argparse.ArgumentParser(prog="floor", description=__doc__)
    parser.add_argument("--hubspot-url", required=True)
    parser.add_argument("--amplitude-url", required=True)
    parser.add_argument("--end-ms", type=int)
    options = parser.parse_args()
    floor = Floor(options.hubspot_url, options.amplitude_url, options.end_ms)
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(floor.move, EVENT_NAMES))


if __name__ == "__main__":
    main()
