"""The page's first sentence says whether it is well, and else what is wrong since when."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from target_amplitude.history.verdict import in_words, judge, monitor

NOW = datetime(2026, 11, 27, 12, tzinfo=timezone.utc)
EMEA = "prod:tap-hubspot-email-events--emea-to-target-amplitude"
FIRST = "prod:tap-hubspot-email-events-to-target-amplitude"


def ran(hours_ago: float, delivered: int = 5, **fields: Any) -> dict[str, Any]:
    started = NOW - timedelta(hours=hours_ago)
    stream = {"stream": "email_open", "read": delivered, "delivered": delivered}
    run = {"started": started.isoformat(), "seconds": 60, "outcome": "delivered", "exit_code": 0}
    return run | {"streams": [stream | fields.pop("stream", {})]} | fields


def failed(hours_ago: float, outcome: str = "No answer from Amplitude", **more: Any) -> Any:
    return ran(hours_ago, 0, outcome=outcome, exit_code=1, **more)


def hourly(first: int, last: int = 1, **fields: Any) -> list[dict[str, Any]]:
    return [ran(hours, **fields) for hours in range(first, last - 1, -1)]


WELL = "All is well: the last run ended 59 minutes ago"
REFUSED = {"read": 9, "rejected": {"invalid id": 8, "no user": 1}}


@pytest.mark.parametrize(
    ("runs", "level", "text"),
    [
        (
            hourly(5),
            "good",
            f"{WELL} and delivered 5 events.",
        ),
        (
            [ran(1, 1)],
            "good",
            f"{WELL} and delivered 1 event.",
        ),
        (
            [*hourly(5, 2), ran(1, outcome="3 event(s) are left for a later run")],
            "good",
            f"{WELL} and delivered 5 events. It says: 3 event(s) are left for a later run.",
        ),
        (
            [*hourly(5, state_id=FIRST), *hourly(5, state_id=EMEA)],
            "good",
            f"{WELL} and delivered 5 events.".replace(":", " for 2 state ids:"),
        ),
        (
            [*hourly(5, 2), failed(1)],
            "bad",
            "The last run failed, at 2026-11-27 11:00 UTC (60 minutes ago): "
            "No answer from Amplitude.",
        ),
        (
            [*hourly(9, 4), failed(3, "Other reason"), failed(2), failed(1)],
            "bad",
            "The last 3 runs failed, since 2026-11-27 09:00 UTC (3 hours ago). The last one says: "
            "No answer from Amplitude.",
        ),
        (
            [failed(2), failed(1)],
            "bad",
            "None of the 2 runs since 2026-11-27 10:00 UTC (2 hours ago) ended well. The last one "
            "says: No answer from Amplitude.",
        ),
        (
            hourly(12, 5),
            "bad",
            "No run ended since 2026-11-27 07:01 UTC (4 hours ago); until then one started about "
            "every 60 minutes.",
        ),
        (
            [*hourly(9, 3), ran(2, 0, stream=REFUSED), ran(1, 0, stream=REFUSED)],
            "bad",
            "The last 2 runs delivered nothing, since 2026-11-27 10:00 UTC, and rejected 18 events "
            "(16 invalid id, 2 no user).",
        ),
        (
            [*hourly(99, 50), *hourly(49, delivered=0)],
            "warning",
            "Every run ended well, but nothing was delivered since 2026-11-25 10:01 UTC, for "
            "2 days; the longest pause before was 60 minutes.",
        ),
        ([], "warning", "No run yet."),
        ([{"started": "soon"}], "warning", "No run yet."),
        (
            [ran(1, dry_run=True, outcome="dry run")],
            "warning",
            "Nothing is delivered yet: all runs so far were dry runs or reports.",
        ),
        (
            [*hourly(3), ran(0.5, dry_run=True, exit_code=1, reconciliation={"missing": 3})],
            "warning",
            "Amplitude lacked 3 events when it was compared, 2026-11-27 11:30 UTC.",
        ),
        (
            [*hourly(3), ran(0.5, dry_run=True, reconciliation={"missing": 0, "doubled": 1})],
            "warning",
            "Amplitude held 1 event more than once when it was compared, 2026-11-27 11:30 UTC.",
        ),
    ],
)
def test_one_sentence_says_how_it_stands(runs: list[dict[str, Any]], level: str, text: str) -> None:
    (found,) = judge(runs, NOW)
    assert (found.level, found.text) == (level, text)
    assert found.advice.endswith((".", "target-amplitude", ":check", "send_missing."))


@pytest.mark.parametrize(
    "runs",
    [
        # A single missed hour, and one that is due.
        hourly(9, 2),
        # Nights and days without mail are usual once they were there.
        [*hourly(99, 50, delivered=0), ran(49), *hourly(48, delivered=0), ran(0.5)],
        [ran(120), *hourly(119, 61, delivered=0), ran(60), *hourly(59, delivered=0)],
        # Runs by hand.
        [ran(hours) for hours in (30, 29.9, 29.8, 24, 23.7, 23.6, 9, 8.9, 8.8)],
        # A failure that a good run made up for.
        [*hourly(9, 3), failed(2), ran(1)],
        # What was missing has been sent.
        [
            *hourly(3),
            ran(0.6, dry_run=True, exit_code=1, reconciliation={"missing": 3}),
            ran(0.5, reconciliation={"missing": 3}),
        ],
    ],
)
def test_what_is_usual_is_well(runs: list[dict[str, Any]]) -> None:
    assert [found.level for found in judge(runs, NOW)] == ["good"]


def test_a_failure_of_the_week_is_told_though_all_is_well() -> None:
    (found,) = judge([*hourly(9, 4), failed(3), *hourly(2)], NOW)
    assert found.advice.startswith("One run of the last 7 days failed at 2026-11-27 09:00 UTC")


def test_runs_on_the_side_make_up_for_nothing() -> None:
    side = ran(0.2, state_id=f"{FIRST}:reread")
    runs = [*hourly(9, 2, state_id=FIRST), failed(1, state_id=FIRST), side]
    assert [found.level for found in judge(runs, NOW)] == ["bad"]
    runs = [*hourly(5, state_id=FIRST), failed(0.2, state_id=f"{FIRST}:reread")]
    assert [found.level for found in judge(runs, NOW)] == ["good"]


def test_each_account_is_judged_by_itself_and_the_worst_comes_first() -> None:
    late = hourly(12, 5, state_id=EMEA)
    compared = ran(0.5, dry_run=True, reconciliation={"missing": 2}, state_id=FIRST)
    found = judge([compared, *hourly(5, state_id=FIRST), *late], NOW)
    assert [each.level for each in found] == ["bad", "warning"]
    assert found[0].text.startswith(f"{EMEA}: No run ended since")


def test_a_state_id_that_came_up_later_continues_the_runs_before() -> None:
    (found,) = judge([*hourly(99, 50), *hourly(49, state_id=FIRST)], NOW)
    assert found.level == "good"
    (found,) = judge([*hourly(99, 50), failed(1, state_id=FIRST)], NOW)
    assert found.text.startswith("The last run failed")


def test_an_account_long_gone_is_left_alone() -> None:
    gone = [failed(24 * 31, state_id=EMEA)]
    assert [found.level for found in judge([*gone, *hourly(5, state_id=FIRST)], NOW)] == ["good"]


def test_a_failure_may_be_the_last_that_was_heard() -> None:
    runs = [*hourly(12, 6), failed(5)]
    texts = [found.text for found in judge(runs, NOW)]
    assert texts[0].startswith("The last run failed")
    assert texts[1].startswith("No run ended since")


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (0.5, "30 seconds"),
        (1, "1 minute"),
        (119, "119 minutes"),
        (120, "2 hours"),
        (47.9 * 60, "47 hours"),
        (48 * 60, "2 days"),
        (5000 * 24 * 60, "5,000 days"),
        (-5, "0 seconds"),
    ],
)
def test_lengths_of_time_are_in_the_unit_that_fits(minutes: float, words: str) -> None:
    assert in_words(timedelta(minutes=minutes)) == words


def run_ago(minutes: float, **fields: Any) -> dict[str, Any]:
    started = NOW - timedelta(minutes=minutes, seconds=30)
    return {
        "started": started.isoformat(),
        "seconds": 30,
        "outcome": "delivered",
    } | fields


EARLY = "the input ended early: HubSpot's daily request limit is used up"


@pytest.mark.parametrize(
    ("runs", "answer"),
    [
        ([run_ago(1)], "Good: the last run ended 1 minute ago, at "),
        ([run_ago(0.5)], "Good: the last run ended 30 seconds ago, at "),
        ([run_ago(130)], "Too old: the last good run ended 2 hours ago, at "),
        ([run_ago(130), run_ago(10)], "Good: the last run ended 10 minutes ago, at "),
        (
            [run_ago(130), run_ago(10, exit_code=1, outcome="No answer.")],
            "Failed: the last one failed 10 minutes ago: No answer. The last good run ended 2 ",
        ),
        (
            [run_ago(20), run_ago(10, exit_code=0, complete=False, outcome=EARLY)],
            f"Failed: the last one failed 10 minutes ago: {EARLY}. The last good run ended 20 min",
        ),
        (
            [run_ago(10, exit_code=1, outcome="No answer.")],
            "Never: no run has ended well yet; the last one failed 10 minutes ago: No answer.",
        ),
        ([run_ago(10, exit_code=0, complete=True, outcome="3 event(s) are left")], "Good: "),
        ([run_ago(10, dry_run=True, exit_code=0)], "Never: no run has ended well yet."),
        ([run_ago(100, seconds=3600)], "Good: "),
        ([{"started": "soon"}], "Never: "),
        ([run_ago(-9999999)], "Never: "),
        ([], "Never: "),
        # Runs of other state ids, and by hand, are no sign that the regular ones go well.
        (
            [run_ago(130, state_id=FIRST), run_ago(10, state_id=f"{FIRST}:reread")],
            "Too old: ",
        ),
        ([run_ago(130, state_id=FIRST), run_ago(10)], "Too old: "),
        (
            [run_ago(9, state_id=FIRST), run_ago(5, state_id=f"{FIRST}:x", exit_code=1)],
            "Good: ",
        ),
        ([run_ago(30), run_ago(10, state_id=FIRST)], "Good: "),
        # Each of two accounts is to go well.
        (
            [run_ago(130, state_id=FIRST), run_ago(10, state_id="prod:second-to-amplitude")],
            f"{FIRST}: Too old: ",
        ),
    ],
)
def test_a_monitor_learns_whether_the_regular_runs_go_well(
    runs: list[dict[str, Any]], answer: str
) -> None:
    found = monitor(runs, NOW, timedelta(hours=2))[0]
    assert found.text.startswith(answer)
    assert (found.level == "good") == answer.startswith("Good")
