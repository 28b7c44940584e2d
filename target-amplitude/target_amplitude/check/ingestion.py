"""Key, region and clock, by uploads that hold no events, so nothing is sent."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from target_amplitude.amplitude.answers import (
    Answer,
    Delivered,
    PartialFailure,
    Retry,
    Stop,
    decide,
)
from target_amplitude.amplitude.http import Retries
from target_amplitude.amplitude.transport import Transport, host_of
from target_amplitude.common.findings import FAILED, OK, UNKNOWN, Finding
from target_amplitude.common.http import parse_date
from target_amplitude.errors import RunFailedError
from target_amplitude.settings import HOSTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_amplitude.amplitude.answers import Decision
    from target_amplitude.amplitude.delays import Delays
    from target_amplitude.settings import Settings

NOBODYS_KEY = "0" * 32
# In seconds; a `Date` header is cut off to seconds.
NOTABLE_CLOCK = 120


def check_ingestion(settings: Settings, delays: Delays) -> Iterator[Finding]:
    """Yield what an upload without events tells of key and region, and of the clock."""
    date = ""
    try:
        decision, date = _ask(settings, delays)
        key = _key(settings, delays, decision)
    except RunFailedError as failure:
        key = FAILED, str(failure)
    yield Finding("key and region", *key)
    yield Finding("clock", *_clock(date))


def _ask(settings: Settings, delays: Delays) -> tuple[Decision, str]:
    """Upload no events, again for `max_retries` times where there is no answer that counts.

    Returns:
        What the answer means, and its `Date` header.

    Raises:
        RunFailedError: If proxy or certificates of this machine let no request through.
    """
    transport = Transport(settings)
    retries = Retries(host_of(settings.url), settings.max_retries, delays)
    try:
        while True:
            answer, _ = transport.post(())
            decision = decide(answer, ())
            if not isinstance(decision, Retry) or retries.failures == retries.most:
                return decision, answer.date if isinstance(answer, Answer) else ""
            retries.wait(decision.reason, decision.retry_after)
    finally:
        transport.close()


def _key(settings: Settings, delays: Delays, decision: Decision) -> tuple[str, str]:
    host = host_of(settings.url)
    if _takes_key(decision):
        # Whether the key comes before the events is written nowhere, so a wrong one is tried too.
        control, _ = _ask(msgspec.structs.replace(settings, api_key=NOBODYS_KEY), delays)
        if _takes_key(control):
            return UNKNOWN, f"{host} asks for events before it looks at the key; a run will tell"
        if not _refuses_key(control):
            return UNKNOWN, f"{host} gave no clear answer: {_reason(control)}"
        return OK, f"{host} knows the key (region {settings.region}, {settings.endpoint})"
    if not _refuses_key(decision):
        words = f"{host} did not take an upload: {_reason(decision)}; check region and api_url"
        return FAILED, words
    if settings.api_url is None:
        (other,) = HOSTS.keys() - {settings.region}
        elsewhere, _ = _ask(msgspec.structs.replace(settings, region=other), delays)
        if _takes_key(elsewhere):
            return FAILED, f"the key belongs to region {other}: set region to {other}"
    return FAILED, f"{host} does not know the key; check api_key and region"


def _takes_key(decision: Decision) -> bool:
    return isinstance(decision, Delivered) or (
        isinstance(decision, Stop) and decision.missing == "events"
    )


def _refuses_key(decision: Decision) -> bool:
    return isinstance(decision, Stop) and decision.key_refused


def _reason(decision: Decision) -> str:
    if isinstance(decision, Delivered | PartialFailure):
        return "an answer about events that were not sent"
    return decision.reason


def _clock(date: str) -> tuple[str, str]:
    said = parse_date(date)
    if said is None:
        return UNKNOWN, "no answer named a time"
    ahead = round(time.time() - said)
    if abs(ahead) < NOTABLE_CLOCK:
        return OK, f"within {abs(ahead) + 1} s of Amplitude's"
    side = "ahead of" if ahead > 0 else "behind"
    return FAILED, f"this machine's is {abs(ahead):,} s {side} Amplitude's; set it"
