"""Whether all is well, in sentences: what is wrong, since when, and what to do. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from itertools import pairwise, takewhile
from typing import TYPE_CHECKING, Literal

from target_amplitude.history.runs import (
    DAY,
    NEVER,
    at,
    in_words,
    reasons_in_words,
    regular_runs,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from target_amplitude.history.runs import LoggedRun

_GIVEN_UP = 30 * DAY
"""A state id that has not run for that much longer than another is of an account long gone."""

_RECENT_GAPS = 50
_FEWEST_GAPS = 5
"""Fewer say nothing of how often runs are to start."""

_RUN = "meltano run tap-hubspot-email-events target-amplitude"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found, and what to do about it."""

    level: Literal["good", "warning", "bad"]
    text: str
    advice: str = ""


def judge(runs: Sequence[LoggedRun], now: datetime) -> list[Finding]:
    """Return what is wrong, the worst first; if nothing is, that all is well."""
    timed = [run for run in runs if run.ended != NEVER]
    if not timed:
        return [Finding("warning", "No run yet.", f"Run it once: {_RUN}")]
    states = _states(timed)
    if not states:
        return [
            Finding(
                "warning",
                "Nothing is delivered yet: all runs so far were dry runs or reports.",
                "Switch off dry_run, and reconcile: report, and run it once.",
            )
        ]
    findings = [
        replace(found, text=name + found.text)
        for name, of_state in states.items()
        for found in (_failed(of_state, now), _late(of_state, now), _delivered_nothing(of_state))
        if found is not None
    ]
    findings += _judge_reconciliation(timed)
    if not findings:
        return [_all_is_well(states, now)]
    return sorted(findings, key=lambda found: found.level != "bad")


def monitor(runs: Sequence[LoggedRun], now: datetime, max_age: timedelta) -> list[Finding]:
    """Return for each state id whether its last run ended well, and recently enough."""
    timed = [run for run in runs if NEVER < run.ended <= now + DAY]
    states = _states(timed) or {"": []}
    return [_check(name, of_state, now, max_age) for name, of_state in states.items()]


def _states(runs: Sequence[LoggedRun]) -> dict[str, list[LoggedRun]]:
    """Return the regular deliveries of each state id that is still in use.

    Each is named as its sentences begin: not at all, if it is the only one.
    """
    states = {
        state: deliveries
        for state, found in regular_runs(runs).items()
        if (deliveries := [run for run in found if run.is_delivery])
    }
    if len(states) > 1:
        # Runs without Meltano, such as of rejects that are loaded again, are beside the point.
        states.pop("", None)
    newest = max((found[-1].ended for found in states.values()), default=NEVER)
    used = {state: of for state, of in states.items() if newest - of[-1].ended <= _GIVEN_UP}
    return {f"{state}: " if len(used) > 1 else "": of for state, of in used.items()}


def _check(name: str, runs: Sequence[LoggedRun], now: datetime, max_age: timedelta) -> Finding:
    good = max((run.ended for run in runs if run.is_good), default=None)
    failed = ""
    if runs and runs[-1].is_failed:
        ago = in_words(now - runs[-1].ended)
        failed = f"the last one failed {ago} ago: {_sentence(runs[-1])}"
    if good is None:
        said = f"no run has ended well yet{'; ' if failed else '.'}{failed}"
        return Finding("bad", f"{name}Never: {said}")
    ago = f"{in_words(now - good)} ago, at {at(good)}"
    if failed:
        return Finding("bad", f"{name}Failed: {failed} The last good run ended {ago}.")
    if now - good > max_age:
        said = f"the last good run ended {ago}; --max-age is {in_words(max_age)}."
        return Finding("bad", f"{name}Too old: {said}")
    return Finding("good", f"{name}Good: the last run ended {ago}.")


def _failed(runs: Sequence[LoggedRun], now: datetime) -> Finding | None:
    failed = list(takewhile(lambda run: run.is_failed, reversed(runs)))
    if not failed:
        return None
    since = failed[-1].started
    when = f"{at(since)} ({in_words(now - since)} ago)"
    said = _sentence(failed[0])
    if len(failed) == 1:
        text = f"The last run failed, at {when}: {said}"
    elif len(failed) == len(runs):
        text = f"None of the {len(runs):,} runs since {when} ended well. The last one says: {said}"
    else:
        text = f"The last {len(failed):,} runs failed, since {when}. The last one says: {said}"
    return Finding(
        "bad",
        text,
        "Mend what that sentence names and run it again: a run goes on where the last good one "
        "stopped, so nothing is lost.",
    )


def _late(runs: Sequence[LoggedRun], now: datetime) -> Finding | None:
    gaps = [later.started - earlier.started for earlier, later in pairwise(runs)]
    gaps = sorted(gaps[-_RECENT_GAPS:])
    end = max(run.ended for run in runs)
    if len(gaps) < _FEWEST_GAPS:
        return None
    short, typical, long = (gaps[len(gaps) * quarter // 4] for quarter in (1, 2, 3))
    is_regular = typical <= 2 * short and long <= 2 * typical
    if not is_regular or now - end <= 2 * typical:
        return None
    return Finding(
        "bad",
        f"No run ended since {at(end)} ({in_words(now - end)} ago); until then one started about "
        f"every {in_words(typical)}.",
        "See whether what starts it still does (cron's mail, the scheduler's own log), and "
        "whether a run still goes on.",
    )


def _delivered_nothing(runs: Sequence[LoggedRun]) -> Finding | None:
    empty = takewhile(lambda run: not run.delivered, reversed(runs))
    good = [run for run in empty if run.is_good]
    if not good or runs[-1].is_failed:
        return None
    refused = sum((run.rejected for run in good), start=Counter[str]())
    if refused:
        last = "The last run" if len(good) == 1 else f"The last {len(good):,} runs"
        since, reasons = good[-1].started, reasons_in_words(dict(refused.most_common()))
        return Finding(
            "bad",
            f"{last} delivered nothing, since {at(since)}, and rejected {_events(refused.total())}"
            f" ({reasons}).",
            "The file at rejected_path holds them with the reasons; loaded again, they are sent.",
        )
    ends = [run.ended for run in runs if run.delivered]
    pauses = [later - earlier for earlier, later in pairwise(ends)]
    if not pauses or (pause := runs[-1].ended - ends[-1]) <= max(DAY, *pauses):
        return None
    return Finding(
        "warning",
        f"Every run ended well, but nothing was delivered since {at(ends[-1])}, for "
        f"{in_words(pause)}; the longest pause before was {in_words(max(pauses))}.",
        "If emails were sent since, see what the tap can read: "
        "meltano invoke tap-hubspot-email-events:check",
    )


def _judge_reconciliation(runs: Sequence[LoggedRun]) -> list[Finding]:
    compared = [(run, found) for run in runs if (found := run.reconciliation) is not None]
    if not compared:
        return []
    run, found = max(compared, key=lambda each: each[0].ended)
    missing, doubled, when = found["missing"], found["doubled"], at(run.started)
    findings = []
    if missing and not run.is_good:
        findings.append(
            Finding(
                "warning",
                f"Amplitude lacked {_events(missing)} when it was compared, {when}.",
                "Run the same once more with TARGET_AMPLITUDE_RECONCILE=send_missing.",
            )
        )
    if doubled:
        findings.append(
            Finding(
                "warning",
                f"Amplitude held {_events(doubled)} more than once when it was compared, {when}.",
                "See whether another source sends the same events; Amplitude removes none.",
            )
        )
    return findings


def _all_is_well(states: dict[str, list[LoggedRun]], now: datetime) -> Finding:
    runs = [run for deliveries in states.values() for run in deliveries]
    last = max(runs, key=lambda run: run.ended)
    where = f" for {len(states):,} state ids" if len(states) > 1 else ""
    said = "" if last.outcome == "delivered" else f" It says: {_sentence(last)}"
    failed = [run.started for run in runs if run.is_failed and now - run.started <= 7 * DAY]
    before = ""
    if failed:
        which = f"{len(failed):,} runs" if len(failed) > 1 else "One run"
        last_one = ", the last one" if len(failed) > 1 else ""
        before = (
            f"{which} of the last 7 days failed{last_one} at {at(max(failed))}; what was left, "
            "the next good run delivered. "
        )
    return Finding(
        "good",
        f"All is well{where}: the last run ended {in_words(now - last.ended)} ago and delivered "
        f"{_events(last.delivered)}.{said}",
        f"{before}There is nothing to do.",
    )


def _events(count: int) -> str:
    return f"{count:,} event{'s' if count != 1 else ''}"


def _sentence(run: LoggedRun) -> str:
    said = run.outcome or "nothing"
    return said if said.endswith((".", "!", "?")) else f"{said}."
