"""What HubSpot's latency and limits leave of the speed."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from bench.measure import measure
from sandbox.client import Sandbox

if TYPE_CHECKING:
    from pathlib import Path

DAYS = 90
ANSWER_SECONDS = 0.3
REQUESTS_PER_10_SECONDS = 190
PAGE = 1000
BEST = REQUESTS_PER_10_SECONDS / 10 * PAGE


def measure_latency(folder: Path, events: int, binaries: Path) -> str:
    """Run the tap of `binaries` alone at the limit; return sentences for the docs."""
    limit = REQUESTS_PER_10_SECONDS
    with Sandbox(seed=7, requests_per_10_seconds=limit, daily_limit=0) as sandbox:
        sandbox.generate(events=events, days=DAYS)
        sandbox.set_latency(hubspot=ANSWER_SECONDS)
        config = folder / "latency.json"
        start = datetime.now(timezone.utc) - timedelta(days=DAYS + 1)
        content = {
            "api_url": sandbox.hubspot_url,
            "access_token": "sandbox-access-token",
            "requests_per_10_seconds": limit,
            "start_date": start.isoformat(),
        }
        config.write_text(json.dumps(content), encoding="utf-8")
        command = [str(binaries / "tap-hubspot-email-events"), "--config", str(config)]
        out = folder / "out"
        run = measure({"tap": command}, stdout=out, log=folder / "log")
        requests = sandbox.hubspot_requests()
    with out.open("rb") as lines:
        moved = sum(line.startswith(b'{"type":"RECORD"') for line in lines)
    first, last = requests[0]["at"], requests[-1]["at"]
    seconds = last - first + ANSWER_SECONDS
    speed = moved / seconds
    throttled = sum(request["status"] == 429 for request in requests)
    by_second = Counter(int(request["at"] - first) for request in requests)
    counts = [str(by_second[second]) for second in range(int(last - first) + 1)]
    return (
        f"{moved:,} events of all ten streams with {ANSWER_SECONDS} s an answer and "
        f"{limit} requests per 10 s, campaign names on, from the first "
        f"request to the last answer: {seconds:.1f} s, {speed:,.0f} events/s "
        f"({speed / BEST:.2f} of {BEST:,.0f}), {len(requests)} requests, {throttled} of them "
        f"429, peak {run.processes[0].peak_bytes / 1_000_000:.0f} MB. Requests by second: "
        f"{', '.join(counts)}."
    )
