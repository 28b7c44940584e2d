"""What an answer means: one table from status and body to a decision, pure.

The rows follow Amplitude's HTTP V2 and Batch references and what its own libraries do with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

REFUSED_KEY = "invalid api key"


class Answer(msgspec.Struct, frozen=True):
    """One HTTP answer; `retry_after` is in seconds."""

    status: int
    body: bytes = b""
    retry_after: float | None = None


class Unanswered(msgspec.Struct, frozen=True):
    """No complete answer came: a time-out or a cut connection, or one that is never to be tried."""

    reason: str
    is_final: bool = False


class Delivered(msgspec.Struct, frozen=True):
    """Every event of the request is in; `ingested` is Amplitude's own count where it gave one."""

    ingested: int | None = None


class Halve(msgspec.Struct, frozen=True):
    """Something in the request is refused and not named: halve until it is alone."""

    reason: str
    words: str


class Retry(msgspec.Struct, frozen=True):
    """Send the same again after a pause; `throttled` asks for Amplitude's longer pause."""

    reason: str
    retry_after: float | None = None
    throttled: bool = False


class Sort(msgspec.Struct, frozen=True):
    """Some events are named: refuse these, let those wait, send the rest at once.

    Attributes:
        refused: Index of an event to the words against it.
        refused_devices: Devices whose events are all refused.
        waiting: Indexes of events to be sent later.
        waiting_ids: Users and devices whose events are to be sent later.
        exhausted_ids: Users and devices whose daily quota is used up.
        retry_after: Seconds to wait, where the answer says.
        words: Amplitude's own words.
        otherwise: What to do where none of that is in the request.
    """

    otherwise: Halve | Retry

    refused: dict[int, str] = {}
    refused_devices: frozenset[str] = frozenset()
    waiting: frozenset[int] = frozenset()
    waiting_ids: frozenset[str] = frozenset()
    exhausted_ids: frozenset[str] = frozenset()
    retry_after: float | None = None
    words: str = ""


class Stop(msgspec.Struct, frozen=True):
    """Nothing that is sent will be taken: end the run."""

    reason: str
    key_refused: bool = False


Decision = Delivered | Sort | Halve | Retry | Stop

_MAPS = {
    "events_with_missing_fields": "missing",
    "events_with_invalid_fields": "invalid",
    "events_with_invalid_id_lengths": "invalid length of",
}

_LONGEST_WORDS = 300


def decide(answer: Answer | Unanswered, count: int) -> Decision:
    """Decision on the answer to a request of `count` events."""
    if isinstance(answer, Unanswered):
        return Stop(answer.reason) if answer.is_final else Retry(answer.reason)
    body = _read(answer.body)
    status = _status(answer.status, body)
    row = _ROWS.get(status)
    if row is not None:
        return row(answer, body, count)
    if status >= 500 or status < 300:  # noqa: PLR2004
        return Retry(f"status {status}", answer.retry_after)
    return Stop(f"status {status}")


def _status(status: int, body: dict[str, Any]) -> int:
    """The status of the body where the line says 200 and the body disagrees."""
    code = body.get("code")
    if status == 200 and type(code) is int and 400 <= code < 600:  # noqa: PLR2004
        return code
    return status


def _accepted(answer: Answer, body: dict[str, Any], _count: int) -> Decision:
    ingested = body.get("events_ingested")
    if type(ingested) is not int or ingested < 0:
        ingested = None
    if body.get("code") == 200 or ("code" not in body and ingested is not None):  # noqa: PLR2004
        return Delivered(ingested)
    return Retry("status 200 without Amplitude's confirmation in it", answer.retry_after)


def _invalid(_answer: Answer, body: dict[str, Any], count: int) -> Decision:
    words = _words(body)
    if words.lower().startswith(REFUSED_KEY):
        return Stop("Invalid API key", key_refused=True)
    refused: dict[int, str] = {}
    for name, verdict in _MAPS.items():
        fields = body.get(name)
        if not isinstance(fields, dict):
            continue
        for field, indexes in fields.items():
            for index in _indexes(indexes, count):
                told = refused.get(index)
                refused[index] = f"{told}, {verdict} {field}" if told else f"{verdict} {field}"
    for index in _indexes(body.get("silenced_events"), count):
        refused.setdefault(index, "device is silenced")
    devices = _ids(body.get("silenced_devices"))
    if refused or devices:
        return Sort(
            Halve("refused by Amplitude", words),
            refused=refused,
            refused_devices=devices,
            waiting=frozenset(_indexes(body.get("throttled_events"), count)),
            waiting_ids=_ids(body.get("throttled_devices")) | _ids(body.get("throttled_users")),
            exhausted_ids=_exhausted(body),
            words=words,
        )
    missing = body.get("missing_field")
    if isinstance(missing, str) and missing:
        return Stop(f"the request misses {missing[:60]}")
    return Halve("refused by Amplitude", words or "400 without a reason")


def _unknown_key(answer: Answer, _body: dict[str, Any], _count: int) -> Decision:
    return Stop(f"status {answer.status} Unauthorized", key_refused=True)


def _filtered(_answer: Answer, body: dict[str, Any], _count: int) -> Decision:
    return Halve("refused by Amplitude's filter", _words(body) or "403 Forbidden")


def _too_large(_answer: Answer, body: dict[str, Any], _count: int) -> Decision:
    return Halve("too large", _words(body) or "413 Payload too large")


def _unhurried(answer: Answer, _body: dict[str, Any], _count: int) -> Decision:
    return Retry(f"status {answer.status}", answer.retry_after)


def _throttled(answer: Answer, body: dict[str, Any], count: int) -> Decision:
    waiting = frozenset(_indexes(body.get("throttled_events"), count))
    ids = _ids(body.get("throttled_devices")) | _ids(body.get("throttled_users"))
    exhausted = _exhausted(body)
    later = Retry("status 429 Too Many Requests", answer.retry_after, throttled=True)
    if not (waiting or ids or exhausted):
        return later
    return Sort(
        later,
        waiting=waiting,
        waiting_ids=ids,
        exhausted_ids=exhausted,
        retry_after=answer.retry_after,
        words=_words(body),
    )


_ROWS: dict[int, Callable[[Answer, dict[str, Any], int], Decision]] = {
    200: _accepted,
    400: _invalid,
    401: _unknown_key,
    403: _filtered,
    408: _unhurried,
    413: _too_large,
    425: _unhurried,
    429: _throttled,
}


def _exhausted(body: dict[str, Any]) -> frozenset[str]:
    return _ids(body.get("exceeded_daily_quota_users")) | _ids(
        body.get("exceeded_daily_quota_devices"),
    )


def _read(body: bytes) -> dict[str, Any]:
    try:
        decoded = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return {}
    return decoded if isinstance(decoded, dict) else {}


def _words(body: dict[str, Any]) -> str:
    words = body.get("error")
    return words[:_LONGEST_WORDS] if isinstance(words, str) else ""


def _indexes(value: Any, count: int) -> list[int]:
    if not isinstance(value, list):
        return []
    return [index for index in value if type(index) is int and 0 <= index < count]


def _ids(value: Any) -> frozenset[str]:
    if isinstance(value, (dict, list)):
        return frozenset(item for item in value if isinstance(item, str))
    return frozenset()
