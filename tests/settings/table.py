"""Every setting with a value as text and as JSON, and with wrong ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """A setting with text and what is read from it, and values that no run may take.

    `wrong_json` is what only JSON can say; text is always text.
    """

    text: str
    value: Any
    wrong: tuple[str, ...] = ()
    wrong_json: tuple[Any, ...] = (5,)


def _boolean() -> Row:
    return Row(
        " Yes",
        value=True,
        wrong=("ture", "maybe", "enabled", "2"),
        wrong_json=("ture", 2, 0.5, [True], {}),
    )


def _whole(most: str | None, *, least: str = "-1") -> Row:
    bounds = [least] if most is None else [least, most]
    return Row(" 64.0", 64, ("1h", "1,0", "nan", *bounds), (True, 1.5, [1], "x"))


def _choice(text: str) -> Row:
    return Row(text, text.strip().lower(), ("something", "true"), (False, 5, []))


def _secret() -> Row:
    return Row('"k3y"\n', "k3y", ("k\u00e9y", "a\nb"), (5, True, ["k"]))


OBJECT = ("not json", "[1]", '"text"', "5")
_OF_THE_SDK = {
    "stream_maps": Row(' {"email_open": {}} ', {"email_open": {}}, OBJECT, (5, [], "x")),
    "stream_map_config": Row(' {"a": 1}', {"a": 1}, OBJECT, (5, [])),
    "faker_config": Row(' {"seed": 1}', {"seed": 1}, OBJECT, (5,)),
    "flattening_enabled": _boolean(),
    "flattening_max_depth": _whole(None),
    "flattening_max_key_length": _whole(None, least="0"),
    "flattening_separator": Row(" - ", " - ", (), (5, [], {})),
}
TABLE: dict[str, dict[str, Row]] = {
    "tap-hubspot-email-events": {
        "access_token": _secret(),
        "client_id": _secret(),
        "client_secret": _secret(),
        "refresh_token": _secret(),
        "start_date": Row(" 2026-01-31 ", "2026-01-31", ("yesterday", "31.1.2026", "2026-02-30")),
        "end_date": Row("2026-02-28\n", "2026-02-28", ("now", "2026-13-01")),
        "lookback_minutes": _whole("527041"),
        "exclude_filtered_events": _boolean(),
        "enrich_campaigns": _boolean(),
        "contact_properties": Row(
            "a, b", ["a", "b"], ("a,,b", "[1]", "["), (5, {"a": True}, [1], [""])
        ),
        "max_concurrent_requests": _whole("65", least="0"),
        "requests_per_10_seconds": _whole("10001", least="0"),
        "page_size": _whole("1001", least="0"),
        "max_retries": _whole("101"),
        "api_url": Row(
            " http://127.0.0.1:8701/ ",
            "http://127.0.0.1:8701/",
            ("http://example.com", "ftp://127.0.0.1", "x"),
        ),
        **_OF_THE_SDK,
    },
    "target-amplitude": {
        "api_key": _secret(),
        "region": _choice(" EU"),
        "endpoint": _choice("HttpApi"),
        "event_type_prefix": Row("[HS] ", "[HS] ", (), (5, [])),
        "event_types": Row(
            ' {"OPEN": "x"}\n',
            {"OPEN": "x"},
            (*OBJECT, '{"OPEN": 5}'),
            ([], 5, {"OPEN": None}),
        ),
        "user_field": Row(" contact.id", "contact.id", (".",)),
        "unknown_users": _choice("SKIP\n"),
        "user_properties": _choice("Off"),
        "user_property_fields": Row(
            ' ["contact.plan", "sendId"]\n',
            {"plan": "contact.plan", "sendId": "sendId"},
            ("a,,b", "[1]", '["a.x", "b.x"]', '{"a": 5}', "{"),
            (5, [1], [""], ["a.x", "b.x"], {"a": None}),
        ),
        "group_fields": Row(
            ' {"company": "contact.id"}\n',
            {"company": "contact.id"},
            (*OBJECT, '{"company": 5}'),
            ([], 5, ["contact.id"], {"company": ["contact.id"]}),
        ),
        "rejected_path": Row(" r.jsonl", "r.jsonl"),
        "max_rejected_percent": Row(
            " 12.5 ", 12.5, ("a fifth", "20%", "-1", "100.1", "nan", "1e3"), (True, [])
        ),
        "job_log_path": Row(" j.jsonl", "j.jsonl"),
        "max_concurrent_requests": _whole("65", least="0"),
        "batch_size_rows": _whole("2001", least="0"),
        "max_retries": _whole("1001"),
        "gzip": _boolean(),
        "min_id_length": _whole("1025", least="0"),
        "dry_run": Row(
            "y",
            value=True,
            wrong=("ture", "tru e", "truee", "2", "dry"),
            wrong_json=("ture", 2, []),
        ),
        "secret_key": _secret(),
        "reconcile": _choice(" Send_Missing"),
        "api_url": Row(
            " http://localhost:8702",
            "http://localhost:8702",
            ("http://example.com", "ftp://localhost", "x"),
        ),
        **_OF_THE_SDK,
    },
}
"""Rows by plugin and setting."""

OAUTH = ("client_id", "client_secret", "refresh_token")
REQUIRED = {
    "tap-hubspot-email-events": {"access_token": "k3y"},
    "target-amplitude": {"api_key": "k3y"},
}
