"""Every setting with values good, odd and wrong, as text and as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Row:
    """A setting with text and what is read from it, and values that no run may take."""

    good: tuple[str, Any]
    odd: tuple[str, Any]
    wrong: tuple[str, ...] = ()
    # What only JSON can say; text is always text.
    wrong_json: tuple[Any, ...] = field(default=(5,))


def _boolean(*, odd: str = " Yes") -> Row:
    wrong = ("ture", "maybe", "enabled", "2")
    return Row(("true", True), (odd, True), wrong, ("ture", 2, 0.5, [True], {}))


def _whole(most: str | None, *, least: str = "-1") -> Row:
    bounds = [least] if most is None else [least, most]
    return Row(("7", 7), (" 8.0", 8), ("1h", "1,0", "nan", *bounds), (True, 1.5, [1], "x"))


def _choice(good: str, odd: str) -> Row:
    return Row((good, good), (odd, odd.strip().lower()), ("something", "true"), (False, 5, []))


def _secret() -> Row:
    return Row(("k3y", "k3y"), ('"k4y"\n', "k4y"), ("k\u00e9y", "a\nb"), (5, True, ["k"]))


OBJECT = ("not json", "[1]", '"text"', "5")
_OF_THE_SDK = {
    "stream_maps": Row(
        ('{"email_open": {"url": "url"}}', {"email_open": {"url": "url"}}),
        (' {"email_open": {}} ', {"email_open": {}}),
        OBJECT,
        (5, [], "x"),
    ),
    "stream_map_config": Row(('{"a": 1}', {"a": 1}), (' {"a": 1}', {"a": 1}), OBJECT, (5, [])),
    "faker_config": Row(('{"seed": 1}', {"seed": 1}), (' {"seed": 1}', {"seed": 1}), OBJECT, (5,)),
    "flattening_enabled": _boolean(),
    "flattening_max_depth": _whole(None),
    # Long enough for the names of keys.
    "flattening_max_key_length": Row(
        ("70", 70), (" 80.0", 80), ("1h", "1,0", "nan", "0"), (True, 1.5, [1], "x")
    ),
    "flattening_separator": Row(("_", "_"), (" - ", " - "), (), (5, [], {})),
}
TABLE: dict[str, dict[str, Row]] = {
    "tap-hubspot-email-events": {
        "access_token": _secret(),
        "client_id": _secret(),
        "client_secret": _secret(),
        "refresh_token": _secret(),
        "start_date": Row(
            ("2026-01-31T00:00:00Z", "2026-01-31T00:00:00Z"),
            (" 2026-01-31 ", "2026-01-31"),
            ("yesterday", "31.1.2026", "2026-02-30"),
        ),
        "end_date": Row(
            ("2026-02-28T00:00:00+01:00", "2026-02-28T00:00:00+01:00"),
            ("2026-02-28\n", "2026-02-28"),
            ("now", "2026-13-01"),
        ),
        "lookback_minutes": _whole(None),
        "exclude_filtered_events": _boolean(),
        "enrich_campaigns": _boolean(odd="Y"),
        "contact_properties": Row(
            ('["a", "b"]', ["a", "b"]),
            ("a, b", ["a", "b"]),
            ("a,,b", "[1]", "["),
            (5, {"a": True}, [1], [""]),
        ),
        "max_concurrent_requests": _whole("65", least="0"),
        "requests_per_10_seconds": _whole("10001", least="0"),
        "page_size": _whole("1001", least="0"),
        "max_retries": _whole("101"),
        "api_url": Row(
            ("https://api.hubapi.com", "https://api.hubapi.com"),
            (" http://127.0.0.1:8701/ ", "http://127.0.0.1:8701/"),
            ("http://example.com", "ftp://127.0.0.1", "x"),
        ),
        **_OF_THE_SDK,
    },
    "target-amplitude": {
        "api_key": _secret(),
        "region": _choice("eu", " EU"),
        "endpoint": _choice("httpapi", "HttpApi"),
        "event_type_prefix": Row(("HS ", "HS "), ("[HS] ", "[HS] "), (), (5, [])),
        "event_types": Row(
            ('{"OPEN": "x"}', {"OPEN": "x"}),
            (' {"OPEN": "x"}\n', {"OPEN": "x"}),
            (*OBJECT, '{"OPEN": 5}'),
            ([], 5, {"OPEN": None}),
        ),
        "user_field": Row(("contact.id", "contact.id"), (" id", "id"), (".",)),
        "unknown_users": _choice("skip", "SKIP\n"),
        "user_properties": _choice("off", "Off"),
        "user_property_fields": Row(
            ('{"stage": "contact.stage"}', {"stage": "contact.stage"}),
            (' ["contact.plan", "sendId"]\n', {"plan": "contact.plan", "sendId": "sendId"}),
            ("a,,b", "[1]", '["a.x", "b.x"]', '{"a": 5}', "{"),
            (5, [1], [""], ["a.x", "b.x"], {"a": None}),
        ),
        "group_fields": Row(
            ('{"company": "contact.id"}', {"company": "contact.id"}),
            (' {"company": "contact.id"}\n', {"company": "contact.id"}),
            (*OBJECT, '{"company": 5}'),
            ([], 5, ["contact.id"], {"company": ["contact.id"]}),
        ),
        "rejected_path": Row(("output/r.jsonl", "output/r.jsonl"), (" r.jsonl", "r.jsonl")),
        "max_rejected_percent": Row(
            ("12.5", 12.5),
            (" 20 ", 20.0),
            ("a fifth", "20%", "-1", "100.1", "nan", "1e3"),
            (True, []),
        ),
        "job_log_path": Row(("output/j.jsonl", "output/j.jsonl"), (" j.jsonl", "j.jsonl")),
        "max_concurrent_requests": _whole("65", least="0"),
        "batch_size_rows": _whole("2001", least="0"),
        "max_retries": _whole("1001"),
        "gzip": _boolean(),
        "min_id_length": _whole("1025", least="0"),
        "dry_run": Row(
            ("true", True),
            ("y", True),
            ("ture", "enabled", "tru e", "truee", "2", "dry"),
            ("ture", 2, []),
        ),
        "secret_key": _secret(),
        "reconcile": _choice("report", " Send_Missing"),
        "api_url": Row(
            ("https://proxy.example.com", "https://proxy.example.com"),
            (" http://localhost:8702", "http://localhost:8702"),
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
