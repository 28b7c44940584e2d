"""What an answer means: a table from status and body to a decision. Pure.

Source: Amplitude's references of the HTTP V2 and Batch APIs, and what its own libraries do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from target_amplitude.common.text import fit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_INVALID_KEY = "invalid api key"


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
        refused_devices: Devices whose events are all refused.
        throttled: Indexes of events to be sent later.
        throttled_ids: Users and devices whose events are to be sent later.
        exhausted_ids: Users and devices whose daily quota is exhausted.
        retry_after: Seconds to wait, where the answer says.
        message: Amplitude's own words.
        fallback: The decision where nothing named is in the request.
    """

    fallback: Bisect | Retry

    refused: dict[int, str] = {}
    refused_devices: frozenset[str] = frozenset()
    throttled: frozenset[int] = frozenset()
    throttled_ids: frozenset[str] = frozenset()
    exhausted_ids: frozenset[str] = frozenset()
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

_MAX_MESSAGE = 300
_MAX_NAME = 60


def decide(answer: Answer | NoAnswer, count: int) -> Decision:
    """Decide on the answer to a request of `count` events."""
    if isinstance(answer, NoAnswer):
        return Retry(answer.reason)
    body = read_object(answer.body) or {}
    status = _status(answer.status, body)
    row = _ROWS.get(status)
    if row is not None:
        return row(answer, body, count)
    if status >= 500 or status < 300:  # noqa: PLR2004
        return Retry(f"status {status}", answer.retry_after)
    return Stop(f"status {status}")


def _status(status: int, body: dict[str, Any]) -> int:
    """Return the status; the body's where the status line says 200 and the body disagrees."""
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
            for index in _indexes(indexes, count):
                known = f"{refused[index]}, " if index in refused else ""
                refused[index] = f"{known}{problem} {field}"[:_MAX_MESSAGE]
    for index in _indexes(body.get("silenced_events"), count):
        refused.setdefault(index, "device is silenced")
    devices = _ids(body.get("silenced_devices"))
    if refused or devices:
        return PartialFailure(
            Bisect("refused by Amplitude", message),
            refused=refused,
            refused_devices=devices,
            throttled=frozenset(_indexes(body.get("throttled_events"), count)),
            throttled_ids=_ids(body.get("throttled_devices")) | _ids(body.get("throttled_users")),
            exhausted_ids=_exhausted(body),
            message=message,
        )
    missing = body.get("missing_field")
    if isinstance(missing, str) and missing:
        missing = fit(missing, _MAX_NAME)
        return Stop(f"the request misses {missing}", missing=missing)
    return Bisect("refused by Amplitude", message or "400 without a reason")


def _unauthorized(answer: Answer, _body: dict[str, Any], _count: int) -> Decision:
    return Stop(f"status {answer.status} Unauthorized", key_refused=True)


def _forbidden(_answer: Answer, body: dict[str, Any], _count: int) -> Decision:
    return Bisect("refused by Amplitude's filter", _message(body) or "403 Forbidden")


def _too_large(_answer: Answer, body: dict[str, Any], _count: int) -> Decision:
    return Bisect("too large", _message(body) or "413 Payload too large")


def _transient(answer: Answer, _body: dict[str, Any], _count: int) -> Decision:
    return Retry(f"status {answer.status}", answer.retry_after)


def _throttled(answer: Answer, body: dict[str, Any], count: int) -> Decision:
    throttled = frozenset(_indexes(body.get("throttled_events"), count))
    ids = _ids(body.get("throttled_devices")) | _ids(body.get("throttled_users"))
    exhausted = _exhausted(body)
    later = Retry("status 429 Too Many Requests", answer.retry_after, throttled=True)
    if not (throttled or ids or exhausted):
        return later
    return PartialFailure(
        later,
        throttled=throttled,
        throttled_ids=ids,
        exhausted_ids=exhausted,
        retry_after=answer.retry_after,
        message=_message(body),
    )


_ROWS: dict[int, Callable[[Answer, dict[str, Any], int], Decision]] = {
    200: _accepted,
    400: _invalid,
    401: _unauthorized,
    403: _forbidden,
    408: _transient,
    413: _too_large,
    425: _transient,
    429: _throttled,
}


def _exhausted(body: dict[str, Any]) -> frozenset[str]:
    return _ids(body.get("exceeded_daily_quota_users")) | _ids(
        body.get("exceeded_daily_quota_devices"),
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


def _indexes(value: Any, count: int) -> Iterable[int]:
    if not isinstance(value, list):
        return ()
    return dict.fromkeys(index for index in value if type(index) is int and 0 <= index < count)


def _ids(value: Any) -> frozenset[str]:
    if isinstance(value, (dict, list)):
        return frozenset(item for item in value if isinstance(item, str))
    return frozenset()
