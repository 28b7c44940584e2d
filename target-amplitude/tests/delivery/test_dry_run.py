from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from loading.messages import OPEN, record, run_of, schema

if TYPE_CHECKING:
    import pytest

    from loading.loader import Loader
    from sandbox.client import Sandbox


def test_a_dry_run_counts_and_sends_nothing(
    sandbox: Sandbox, loader: Loader, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    states = loader.load([*run_of(200), record(201, recipient="")], dry_run=True)
    assert states == []
    assert sandbox.amplitude_stats()["requests"] == 0
    assert not loader.rejected_path.exists()
    summary = loader.streams["email_open"]
    assert (summary["read"], summary["delivered"], summary["distinct_users"]) == (201, 200, 50)
    assert summary["rejected"] == {"no user": 1}
    assert loader.runs[-1]["distinct_users_by_month"] == {"2026-11": {OPEN: 50, "all types": 50}}


def test_users_are_counted_by_month_over_all_types_in_the_order_of_types(
    loader: Loader, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    messages = [schema(), schema("email_sent")]
    many = 20_000
    for stream, kind, month, people in (
        ("email_open", "OPEN", "2026-08", range(2)),
        ("email_open", "OPEN", "2026-08", range(2)),
        ("email_sent", "SENT", "2026-08", range(1, 4)),
        ("email_open", "OPEN", "2026-09", range(many)),
    ):
        created = f"{month}-30T23:59:59.999Z"
        for person in people:
            fields = {"type": kind, "created": created, "recipient": f"p{person}@example.com"}
            messages.append(record(person, stream, **fields))
    loader.load(messages, dry_run=True)

    start = next(i for i, line in enumerate(caplog.messages) if line.startswith("distinct users"))
    titles, *rows = (line.split("  ") for line in caplog.messages[start : start + 4])
    cells = [[cell.strip() for cell in row if cell.strip()] for row in (titles, *rows)]
    assert cells[0] == ["distinct users", "2026-08", "2026-09"]
    assert cells[1] == ["[HubSpot] EMAIL_SENT", "3", "0"]
    assert (cells[2][:2], cells[3][:2]) == ([OPEN, "2"], ["all types", "4"])
    for cell, share in ((cells[2][2], 0.25), (cells[3][2], 0.09)):
        about, number = cell.split()
        assert about == "about"
        assert abs(int(number.replace(",", "")) - many) < share * many
