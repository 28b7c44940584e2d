"""The page's first sentence, and the check's only one, say whether it is well or what is wrong."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from target_amplitude.history.runs import LoggedRun, in_words
from target_amplitude.history.verdict import Finding, judge, monitor

NOW = datetime(2026, 11, 27, 12, tzinfo=timezone.utc)
EMEA = "prod:tap-hubspot-email-events--emea-to-target-amplitude"
FIRST = "prod:tap-hubspot-email-events-to-target-amplitude"


def ran(hours_ago: float, delivered: int = 5, **fields: Any) -> LoggedRun:
    started = NOW - timedelta(hours=hours_ago)
    stream = {"stream": "email_open", "read": delivered, "delivered": delivered}
    run = {"started": started.isoformat(), "seconds": 60, "outcome": "delivered", "exit_code": 0}
    return LoggedRun(run | {"streams": [stream | fields.pop("stream", {})]} | fields)


def failed(hours_ago: float, outcome: str = "No answer from Amplitude", **more: Any) -> LoggedRun:
    return ran(hours_ago, 0, **({"outcome": outcome, "exit_code": 1} | more))


def hourly(first: int, last: int = 1, **fields: Any) -> list[LoggedRun]:
    return [ran(hours, **fields) for hours in range(first, last - 1, -1)]


def checked(runs: list[LoggedRun]) -> list[Finding]:
    return monitor(runs, NOW, timedelta(hours=2))


WELL = "All is well: the last run ended 59 minutes ago"
GOOD = "Good: the last run ended 59 minutes ago, at 2026-11-27 11:01 UTC."
NEVER = "Never: no run has ended well yet"
FAILED = "Failed: the last one failed 59 minutes ago: No answer from Amplitude. The last good run "
SIDE = "Good: the last run ended 29 minutes ago, at 2026-11-27 11:31 UTC."
EARLY = "the input ended early: HubSpot's daily request limit is used up"
REFUSED = {"read": 9, "rejected": {"invalid id": 8, "no user": 1}}


@pytest.mark.parametrize(
    ("runs", "level", "text", "answer"),
    [
        (hourly(5), "good", f"{WELL} and delivered 5 events.", GOOD),
        ([ran(1, 1)], "good", f"{WELL} and delivered 1 event.", GOOD),
        (
            [*hourly(5, 2), ran(1, outcome="3 event(s) are left for a later run")],
            "good",
            f"{WELL} and delivered 5 events. It says: 3 event(s) are left for a later run.",
            GOOD,
        ),
        (
            [*hourly(5, state_id=FIRST), *hourly(5, state_id=EMEA)],
            "good",
            f"{WELL} and delivered 5 events.".replace(":", " for 2 state ids:"),
            f"{FIRST}: {GOOD}",
        ),
        (
            [*hourly(5, 2), failed(1)],
            "bad",
            "The last run failed, at 2026-11-27 11:00 UTC (60 minutes ago): "
            "No answer from Amplitude.",
            f"{FAILED}ended 119 minutes ago, at 2026-11-27 10:01 UTC.",
        ),
        (
            [*hourly(5, 2), failed(1, EARLY, exit_code=0, complete=False)],
            "bad",
            f"The last run failed, at 2026-11-27 11:00 UTC (60 minutes ago): {EARLY}.",
            f"{FAILED}ended 119 minutes ago, at 2026-11-27 10:01 UTC.".replace(
                "No answer from Amplitude", EARLY
            ),
        ),
        (
            [*hourly(9, 4), failed(3, "Other reason"), failed(2), failed(1)],
            "bad",
            "The last 3 runs failed, since 2026-11-27 09:00 UTC (3 hours ago). The last one says: "
            "No answer from Amplitude.",
            f"{FAILED}ended 3 hours ago, at 2026-11-27 08:01 UTC.",
        ),
        (
            [failed(2), failed(1)],
            "bad",
            "None of the 2 runs since 2026-11-27 10:00 UTC (2 hours ago) ended well. The last one "
            "says: No answer from Amplitude.",
            f"{NEVER}; the last one failed 59 minutes ago: No answer from Amplitude.",
        ),
        (
            hourly(12, 5),
            "bad",
            "No run ended since 2026-11-27 07:01 UTC (4 hours ago); until then one started about "
            "every 60 minutes.",
            "Too old: the last good run ended 4 hours ago, at 2026-11-27 07:01 UTC; --max-age is "
            "2 hours.",
        ),
        (
            [*hourly(9, 3), ran(2, 0, stream=REFUSED), ran(1, 0, stream=REFUSED)],
            "bad",
            "The last 2 runs delivered nothing, since 2026-11-27 10:00 UTC, and rejected 18 events "
            "(16 invalid id, 2 no user).",
            GOOD,
        ),
        (
            [*hourly(99, 50), *hourly(49, delivered=0)],
            "warning",
            "Every run ended well, but nothing was delivered since 2026-11-25 10:01 UTC, for "
            "2 days; the longest pause before was 60 minutes.",
            GOOD,
        ),
        ([], "warning", "No run yet.", f"{NEVER}."),
        ([LoggedRun({"started": "soon"})], "warning", "No run yet.", f"{NEVER}."),
        (
            [ran(1, dry_run=True, outcome="dry run")],
            "warning",
            "Nothing is delivered yet: all runs so far were dry runs or reports.",
            f"{NEVER}.",
        ),
        (
            [*hourly(3), ran(0.5, dry_run=True, exit_code=1, reconciliation={"missing": 3})],
            "warning",
            "Amplitude lacked 3 events when it was compared, 2026-11-27 11:30 UTC.",
            GOOD,
        ),
        (
            [*hourly(3), ran(0.5, reconciliation={"missing": 3, "doubled": 1})],
            "warning",
            "Amplitude held 1 event more than once when it was compared, 2026-11-27 11:30 UTC.",
            SIDE,
        ),
    ],
)
def test_one_sentence_says_how_it_stands(
    runs: list[LoggedRun], level: str, text: str, answer: str
) -> None:
    (found,) = judge(runs, NOW)
    assert (found.level, found.text) == (level, text)
    assert found.advice.endswith((".", "target-amplitude", ":check", "send_missing."))
    said = checked(runs)[0]
    assert said.text == answer
    assert (said.level == "good") == ("Good: " in answer)


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
        # An account long gone.
        [failed(24 * 31, state_id=EMEA), *hourly(5, state_id=FIRST)],
        # A failure on the side.
        [*hourly(5, state_id=FIRST), failed(0.2, state_id=f"{FIRST}:reread")],
    ],
)
def test_what_is_usual_is_well(runs: list[LoggedRun]) -> None:
    assert [found.level for found in judge(runs, NOW)] == ["good"]


def test_a_failure_of_the_week_is_told_though_all_is_well() -> None:
    (found,) = judge([*hourly(9, 4), failed(3), *hourly(2)], NOW)
    assert found.advice.startswith("One run of the last 7 days failed at 2026-11-27 09:00 UTC")


def test_each_account_is_judged_by_itself_and_the_worst_comes_first() -> None:
    runs = [*hourly(5, state_id=FIRST), *hourly(12, 6, state_id=EMEA), failed(5, state_id=EMEA)]
    compared = ran(0.5, dry_run=True, reconciliation={"missing": 2, "doubled": 1}, exit_code=1)
    bad, late, *warnings = judge([compared, *runs], NOW)
    assert bad.text.startswith(f"{EMEA}: The last run failed")
    # It may be the last that was heard.
    assert late.text.startswith(f"{EMEA}: No run ended since")
    assert [found.level for found in warnings] == ["warning", "warning"]
    assert {found.text.partition("Fail")[0] for found in checked(runs)} == {
        f"{EMEA}: ",
        f"{FIRST}: {GOOD}",
    }


@pytest.mark.parametrize(
    ("runs", "answer"),
    [
        # Runs of other state ids, and by hand, are no sign that the regular ones go well.
        ([ran(3, state_id=FIRST), ran(1, state_id=f"{FIRST}:reread")], "Too old: "),
        ([ran(3, state_id=FIRST), ran(1)], "Too old: "),
        ([ran(2, state_id=FIRST), failed(1, state_id=f"{FIRST}:x")], "Good: "),
        ([ran(2), ran(1, state_id=FIRST)], "Good: "),
        ([ran(3, seconds=2 * 3600)], "Good: "),
        # A clock that was ahead.
        ([ran(-48)], "Never: "),
    ],
)
def test_only_the_end_of_regular_runs_is_a_sign(runs: list[LoggedRun], answer: str) -> None:
    (said,) = checked(runs)
    assert said.text.startswith(answer)


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        *((0.5, "30 seconds"), (1, "1 minute"), (119, "119 minutes"), (120, "2 hours")),
        *((47.9 * 60, "47 hours"), (48 * 60, "2 days"), (5000 * 24 * 60, "5,000 days")),
        (-5, "0 seconds"),
    ],
)
def test_lengths_of_time_are_in_the_unit_that_fits(minutes: float, words: str) -> None:
    assert in_words(timedelta(minutes=minutes)) == words
