"""What an answer means: a table from status and body to a decision. Pure.

Source: Amplitude's references of the HTTP V2 and Batch APIs, and what its own libraries do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from target_amplitude.common.text import fit

if TYPE_CHECKING:
    from collections.abc import Sequence

_INVALID_KEY = "invalid api key"


class SentEvent(Protocol):
    """What an event of a request is named by, beside its index."""

    user: str
    device: str


class Answer(msgspec.Struct, frozen=True):
    """One HTTP answer; `retry_after` is in seconds, `date` the header as it came."""

    status: int
    body: bytes = b""
    retry_after: float | None = None
    date: str = ""


class NoAnswer(msgspec.Struct, frozen=True):
    """No complete answer came."""

    reason: str


class Delivered(msgspec.Struct, frozen=True):
    """Amplitude has every event of the request; `ingested` is its own count, where it gave one."""

    ingested: int | None = None


class Bisect(msgspec.Struct, frozen=True):
    """Something in the request is refused and not named: halve it until that is alone."""

    reason: str
    message: str


class Retry(msgspec.Struct, frozen=True):
    """Send the same again after a pause; `throttled` asks for Amplitude's longer pause."""

    reason: str
    retry_after: float | None = None
    throttled: bool = False


class PartialFailure(msgspec.Struct, frozen=True):
    """Some events are refused or throttled by name; the others can be sent again at once.

    Attributes:
        refused: What is wrong with an event, by its index.
        throttled: Indexes of events to be sent later.
        exhausted: Indexes of events whose user's or device's daily quota is exhausted.
        retry_after: Seconds to wait, where the answer says.
        message: Amplitude's own words.
    """

    refused: dict[int, str]
    throttled: set[int]
    exhausted: set[int]
    retry_after: float | None = None
    message: str = ""


class Stop(msgspec.Struct, frozen=True):
    """Nothing will be accepted: end the run; `missing` names what the request lacks."""

    reason: str
    key_refused: bool = False
    missing: str = ""


Decision = Delivered | PartialFailure | Bisect | Retry | Stop

_REFUSED_FIELDS = {
    "events_with_missing_fields": "missing",
    "events_with_invalid_fields": "invalid",
    "events_with_invalid_id_lengths": "invalid length of",
}

_TRANSIENT = (408, 425)

_MAX_MESSAGE = 300
_MAX_NAME = 60


def decide(answer: Answer | NoAnswer, events: Sequence[SentEvent]) -> Decision:
    """Decide on the answer to a request with these events."""
    if isinstance(answer, NoAnswer):
        return Retry(answer.reason)
    body = read_object(answer.body) or {}
    message = _message(body)
    decision: Decision
    match _status(answer.status, body):
        case 200:
            decision = _accepted(answer, body)
        case 400:
            decision = _invalid(answer, body, events)
        case 401:
            decision = Stop(f"status {answer.status} Unauthorized", key_refused=True)
        case 403:
            decision = Bisect("refused by Amplitude's filter", message or "403 Forbidden")
        case 413:
            decision = Bisect("too large", message or "413 Payload too large")
        case 429:
            decision = _throttled(answer, body, events)
        case status if status in _TRANSIENT or status >= 500 or status < 300:  # noqa: PLR2004
            decision = Retry(f"status {status}", answer.retry_after)
        case status:
            decision = Stop(f"status {status}")
    return decision


def _status(status: int, body: dict[str, Any]) -> int:
    """Return the status; the body's where the status line says 200 and the body disagrees."""
    code = body.get("code")
    if status == 200 and type(code) is int and 400 <= code < 600:  # noqa: PLR2004
        return code
    return status


def _accepted(answer: Answer, body: dict[str, Any]) -> Decision:
    ingested = body.get("events_ingested")
    if type(ingested) is not int or ingested < 0:
        ingested = None
    if body.get("code") == 200 or ("code" not in body and ingested is not None):  # noqa: PLR2004
        return Delivered(ingested)
    return Retry("status 200 without Amplitude's confirmation in it", answer.retry_after)


def _invalid(answer: Answer, body: dict[str, Any], events: Sequence[SentEvent]) -> Decision:
    message = _message(body)
    if message.lower().startswith(_INVALID_KEY):
        return Stop("Invalid API key", key_refused=True)
    refused: dict[int, str] = {}
    for name, problem in _REFUSED_FIELDS.items():
        fields = body.get(name)
        if not isinstance(fields, dict):
            continue
        for name_given, indexes in fields.items():
            field = fit(name_given, _MAX_NAME)
            for index in _indexes(indexes, events):
                known = f"{refused[index]}, " if index in refused else ""
                refused[index] = f"{known}{problem} {field}"[:_MAX_MESSAGE]
    for index in _named(events, body.get("silenced_events"), body.get("silenced_devices")):
        refused.setdefault(index, "device is silenced")
    if refused:
        return _partial_failure(answer, body, events, refused)
    missing = body.get("missing_field")
    if isinstance(missing, str) and missing:
        missing = fit(missing, _MAX_NAME)
        return Stop(f"the request misses {missing}", missing=missing)
    return Bisect("refused by Amplitude", message or "400 without a reason")


def _throttled(answer: Answer, body: dict[str, Any], events: Sequence[SentEvent]) -> Decision:
    named = _partial_failure(answer, body, events, {})
    if named.throttled or named.exhausted:
        return named
    return Retry("status 429 Too Many Requests", answer.retry_after, throttled=True)


def _partial_failure(
    answer: Answer, body: dict[str, Any], events: Sequence[SentEvent], refused: dict[int, str]
) -> PartialFailure:
    throttled = _named(
        events,
        body.get("throttled_events"),
        body.get("throttled_devices"),
        body.get("throttled_users"),
    )
    exhausted = _named(
        events,
        None,
        body.get("exceeded_daily_quota_users"),
        body.get("exceeded_daily_quota_devices"),
    )
    return PartialFailure(
        refused,
        throttled - refused.keys(),
        exhausted - refused.keys(),
        answer.retry_after,
        _message(body),
    )


def read_object(body: bytes) -> dict[str, Any] | None:
    """Return the object that an answer holds, an empty one if it holds nothing."""
    try:
        held = msgspec.json.decode(body or b"{}")
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    return held if isinstance(held, dict) else None


def _message(body: dict[str, Any]) -> str:
    message = body.get("error")
    return fit(message, _MAX_MESSAGE) if isinstance(message, str) else ""


def _named(events: Sequence[SentEvent], indexes: Any, *ids: Any) -> set[int]:
    """Return the indexes of the events that an answer names, by index or by user or device."""
    known: set[str] = set()
    for each in ids:
        if isinstance(each, dict | list):
            known.update(name for name in each if isinstance(name, str) and name)
    return _indexes(indexes, events) | {
        index for index, event in enumerate(events) if event.user in known or event.device in known
    }


def _indexes(value: Any, events: Sequence[SentEvent]) -> set[int]:
    if not isinstance(value, list):
        return set()
    return {index for index in value if type(index) is int and 0 <= index < len(events)}
