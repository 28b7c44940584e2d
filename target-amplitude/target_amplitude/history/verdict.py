"""Whether all is well, in sentences: what is wrong, since when, and what to do. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise, takewhile
from typing import TYPE_CHECKING, Any, Literal

from target_amplitude.history.runs import (
    DAY,
    NEVER,
    at,
    ended,
    figure,
    is_delivery,
    is_failed,
    is_good,
    reasons_in_words,
    regular_runs,
    rejected,
    started,
    total,
    unit_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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
    advice: str


def judge(runs: Sequence[dict[str, Any]], now: datetime) -> list[Finding]:
    """Return what is wrong, the worst first; if nothing is, that all is well."""
    timed = [run for run in runs if ended(run) != NEVER]
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
    findings = _by_state(
        states, lambda runs: [_failed(runs, now), _late(runs, now), _delivered_nothing(runs)]
    )
    findings += _judge_reconciliation(timed)
    if not findings:
        return [_all_is_well(states, now)]
    return sorted(findings, key=lambda found: found.level != "bad")


def monitor(runs: Sequence[dict[str, Any]], now: datetime, max_age: timedelta) -> list[Finding]:
    """Return for each state id whether its last run ended well, and recently enough."""
    timed = [run for run in runs if NEVER < ended(run) <= now + DAY]
    states = _states(timed) or {"": []}
    return _by_state(states, lambda runs: [_check_state(runs, now, max_age)])


def _by_state(
    states: dict[str, list[dict[str, Any]]],
    check: Callable[[list[dict[str, Any]]], list[Finding | None]],
) -> list[Finding]:
    return [
        replace(found, text=f"{state}: {found.text}") if len(states) > 1 else found
        for state, deliveries in states.items()
        for found in check(deliveries)
        if found is not None
    ]


def _check_state(runs: Sequence[dict[str, Any]], now: datetime, max_age: timedelta) -> Finding:
    good = max((ended(run) for run in runs if is_good(run)), default=None)
    failed = ""
    if runs and is_failed(runs[-1]):
        failed = f"the last one failed {in_words(now - ended(runs[-1]))} ago: "
        failed += _sentence(runs[-1])
    if good is None:
        return _bad(f"Never: no run has ended well yet{'; ' if failed else '.'}{failed}")
    ago = f"{in_words(now - good)} ago, at {at(good)}"
    if failed:
        return _bad(f"Failed: {failed} The last good run ended {ago}.")
    if now - good > max_age:
        return _bad(f"Too old: the last good run ended {ago}; --max-age is {in_words(max_age)}.")
    return Finding("good", f"Good: the last run ended {ago}.", "")


def _bad(text: str) -> Finding:
    return Finding("bad", text, "")


def _states(runs: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Return the regular deliveries of each state id that is still in use."""
    states = {
        state: deliveries
        for state, found in regular_runs(runs).items()
        if (deliveries := [run for run in found if is_delivery(run)])
    }
    unnamed = states.pop("", []) if len(states) > 1 else []
    if len(states) == 1:
        ((state, named),) = states.items()
        # Older versions did not know the state id of their runs; later ones, such as of rejects
        # that are loaded again, have none.
        before = [run for run in unnamed if ended(run) <= ended(named[0])]
        states = {state: [*before, *named]}
    newest = max((ended(found[-1]) for found in states.values()), default=NEVER)
    return {
        state: found for state, found in states.items() if newest - ended(found[-1]) <= _GIVEN_UP
    }


def _failed(runs: Sequence[dict[str, Any]], now: datetime) -> Finding | None:
    failed = list(takewhile(is_failed, reversed(runs)))
    if not failed:
        return None
    since = started(failed[-1])
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


def _late(runs: Sequence[dict[str, Any]], now: datetime) -> Finding | None:
    starts = map(started, runs)
    gaps = sorted([later - earlier for earlier, later in pairwise(starts)][-_RECENT_GAPS:])
    end = max(map(ended, runs))
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


def _delivered_nothing(runs: Sequence[dict[str, Any]]) -> Finding | None:
    empty = list(takewhile(lambda run: not total(run, "delivered"), reversed(runs)))
    good = [run for run in empty if is_good(run)]
    if not good or is_failed(runs[-1]):
        return None
    refused = sum((rejected(run) for run in good), start=rejected({}))
    if refused:
        last = "The last run" if len(good) == 1 else f"The last {len(good):,} runs"
        since, reasons = started(good[-1]), reasons_in_words(dict(refused.most_common()))
        return Finding(
            "bad",
            f"{last} delivered nothing, since {at(since)}, and rejected {_events(refused.total())}"
            f" ({reasons}).",
            "The file at rejected_path holds them with the reasons; loaded again, they are sent.",
        )
    ends = [ended(run) for run in runs if total(run, "delivered")]
    pauses = [later - earlier for earlier, later in pairwise(ends)]
    if not pauses or (pause := ended(runs[-1]) - ends[-1]) <= max(DAY, *pauses):
        return None
    return Finding(
        "warning",
        f"Every run ended well, but nothing was delivered since {at(ends[-1])}, for "
        f"{in_words(pause)}; the longest pause before was {in_words(max(pauses))}.",
        "If emails were sent since, see what the tap can read: "
        "meltano invoke tap-hubspot-email-events:check",
    )


def _judge_reconciliation(runs: Sequence[dict[str, Any]]) -> list[Finding]:
    compared = [run for run in runs if isinstance(run.get("reconciliation"), dict)]
    if not compared:
        return []
    run = max(compared, key=ended)
    found = {name: int(figure(run["reconciliation"].get(name))) for name in ("missing", "doubled")}
    when = at(started(run))
    findings = []
    if found["missing"] and not is_good(run):
        findings.append(
            Finding(
                "warning",
                f"Amplitude lacked {_events(found['missing'])} when it was compared, {when}.",
                "Run the same once more with TARGET_AMPLITUDE_RECONCILE=send_missing.",
            )
        )
    if found["doubled"]:
        findings.append(
            Finding(
                "warning",
                f"Amplitude held {_events(found['doubled'])} more than once when it was compared, "
                f"{when}.",
                "See whether another source sends the same events; Amplitude removes none.",
            )
        )
    return findings


def _all_is_well(states: dict[str, list[dict[str, Any]]], now: datetime) -> Finding:
    runs = [run for deliveries in states.values() for run in deliveries]
    last = max(runs, key=ended)
    where = f" for {len(states):,} state ids" if len(states) > 1 else ""
    said = "" if last.get("outcome") == "delivered" else f" It says: {_sentence(last)}"
    failed = [started(run) for run in runs if is_failed(run) and now - started(run) <= 7 * DAY]
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
        f"All is well{where}: the last run ended {in_words(now - ended(last))} ago and delivered "
        f"{_events(total(last, 'delivered'))}.{said}",
        f"{before}There is nothing to do.",
    )


def in_words(length: timedelta) -> str:
    """Return a length of time in the unit that fits, such as `90 minutes`."""
    length = max(length, timedelta(0))
    name, unit = unit_of(length)
    count = length // unit
    return f"{count:,} {name if count != 1 else name.removesuffix('s')}"


def _events(count: int) -> str:
    return f"{count:,} event{'s' if count != 1 else ''}"


def _sentence(run: dict[str, Any]) -> str:
    said = str(run.get("outcome") or "nothing")
    return said if said.endswith((".", "!", "?")) else f"{said}."
