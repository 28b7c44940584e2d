"""What passes is outlasted: the same is sent again, throttled users wait, a quota ends the run."""

from __future__ import annotations

import logging
import re
import time
from typing import TYPE_CHECKING, Any

import pytest

from loading.messages import OPEN, numbers, run_of
from loading.scene import ACCEPTED, HALVE, Scene, answer
from target_amplitude.amplitude.answers import Answer, NoAnswer
from target_amplitude.errors import RunFailedError

if TYPE_CHECKING:
    from pathlib import Path

    from loading.loader import Loader
    from sandbox.client import Sandbox


def sent_ids(sandbox: Sandbox) -> list[str]:
    return [event["event_properties"]["id"] for event in sandbox.amplitude_events()]


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    return Scene(tmp_path, monkeypatch)


@pytest.mark.parametrize(
    "fault",
    [
        {"action": "cut"},
        {"action": "half_body"},
        {"action": "accept_then_cut"},
        {"action": "accept_then_answer", "status": 500},
        {"action": "html"},
        {"action": "answer", "status": 200, "body": ""},
        {"action": "answer", "status": 200, "json": {"code": 500}},
        {"action": "answer", "status": 204},
    ],
    ids=lambda fault: "-".join(map(str, fault.values())),
)
def test_what_is_no_confirmation_is_sent_again_and_not_doubled(
    sandbox: Sandbox, loader: Loader, fault: dict[str, Any]
) -> None:
    sandbox.add_fault("amplitude", times=2, **fault)
    assert numbers(loader.load(run_of(50))) == [50]
    assert sorted(sent_ids(sandbox)) == sorted(f"event-{n}" for n in range(1, 51))


def test_a_throttled_user_waits_while_others_go_on(sandbox: Sandbox, loader: Loader) -> None:
    body = {
        "code": 429,
        "error": "Too many requests for some devices and users",
        "eps_threshold": 30,
        "throttled_users": {"user-3@example.com": 31},
    }
    sandbox.add_fault("amplitude", action="answer", status=429, json=body, times=1)
    assert numbers(loader.load(run_of(200))) == [200]
    events = sandbox.amplitude_events()
    assert len(events) == 200
    throttled = [event["user_id"] == "user-3@example.com" for event in events]
    assert not any(throttled[:196])
    order = [e["time"] for e in events if e["user_id"] == "user-3@example.com"]
    assert order == sorted(order)


def test_an_exhausted_quota_ends_the_run_cleanly(
    sandbox: Sandbox, loader: Loader, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.use_up_quota("user-7@example.com")
    states = loader.load(run_of(500, state_every=1), batch_size_rows=50)
    assert sandbox.amplitude_counts() == {OPEN: 490}
    assert numbers(states)[-1] == 6
    assert "quota" in caplog.text
    assert "user-7" not in caplog.text
    assert loader.streams["email_open"]["not_covered"] == 10


def test_a_passing_failure_sends_the_same_again_before_anything_later(scene: Scene) -> None:
    trouble: list[Answer | NoAnswer] = [HALVE, answer(503), NoAnswer("no connection"), answer(500)]
    assert scene.deliver("abcd", *trouble) == ["abcd", "ab", "ab", "ab", "ab", "cd"]
    assert scene.counts.retried == 4 + 6


def test_failures_count_in_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(tmp_path, monkeypatch, max_retries=1)
    trouble = [answer(503), HALVE, answer(503), ACCEPTED, answer(503)]
    assert scene.deliver("abc", *trouble) == ["abc", "abc", "a", "a", "bc", "bc"]
    assert scene.counts.delivered == 3


def test_after_the_last_retry_the_run_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene(tmp_path, monkeypatch, max_retries=2)
    with pytest.raises(RunFailedError) as caught:
        scene.deliver("a", *[answer(503)] * 9)
    assert str(caught.value) == (
        "api2.amplitude.com gave no answer that counts in 3 attempts (last: status 503); run it "
        "again later, it goes on from the last state."
    )
    assert len(scene.sent) == 3


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        (answer(503), 0.001),
        (answer(503, 0.25), 0.25),
        (answer(429), 20.0),
        (answer(429, 0.125), 0.125),
        (answer(503, 0.0), 0.001),
    ],
)
def test_how_long_it_pauses(
    scene: Scene, caplog: pytest.LogCaptureFixture, given: Answer, seconds: float
) -> None:
    caplog.set_level(logging.INFO)
    waits: list[float] = []

    def wait(timeout: float) -> None:
        waits.append(timeout)
        scene.coordinator.is_ended = True

    scene.coordinator.changed.wait = wait  # type: ignore[method-assign,assignment]
    scene.deliver("a", given)
    assert waits == [pytest.approx(seconds, rel=0.6, abs=0.001)]
    (line,) = caplog.messages
    found = re.fullmatch(r"Amplitude: status \d+.*; trying again in (\d+\.\d) s\.", line)
    assert found is not None
    assert float(found[1]) == pytest.approx(seconds, abs=0.051)


def test_a_pause_ends_with_the_run(scene: Scene) -> None:
    scene.coordinator.failure = RunFailedError("another sender's")
    begun = time.monotonic()
    with pytest.raises(RunFailedError, match="another sender's"):
        scene.deliver("a", answer(503, 9.0))
    assert time.monotonic() - begun < 5


def test_once_the_run_has_ended_nothing_is_sent(scene: Scene) -> None:
    scene.coordinator.is_ended = True
    assert scene.deliver("ab") == []


@pytest.mark.parametrize(
    ("endpoint", "named", "seconds"),
    [("batch", None, 20.0), ("httpapi", None, 30.0), ("batch", 0.0, 20.0), ("batch", 7.0, 7.0)],
)
def test_a_throttled_user_waits_as_long_as_the_answer_says_or_amplitudes_own_time(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    endpoint: str,
    named: float | None,
    seconds: float,
) -> None:
    scene = Scene(tmp_path, monkeypatch, endpoint=endpoint)
    before = time.monotonic()
    scene.deliver("ab", answer(429, named, throttled_users={"B": 31}))
    held = scene.coordinator.queue.throttled["B"]
    assert held.retry_at - before == pytest.approx(seconds, abs=1.0)


def test_later_events_of_a_throttled_user_in_the_same_batch_wait_behind_them(scene: Scene) -> None:
    throttled = answer(429, throttled_users={"B": 31})
    sent = scene.deliver("ab1cb2db3eb4", HALVE, HALVE, throttled)
    assert sent == ["ab1cb2db3eb4", "ab1cb2", "ab1", "a", "c", "de"]
    assert scene.held == {"B": "b1b2b3b4"}


def test_a_user_throttled_for_good_ends_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene(tmp_path, monkeypatch, max_retries=1)
    throttled = answer(429, throttled_users={"B": 31, "A": 31})
    scene.deliver("ab", throttled)
    with pytest.raises(RunFailedError) as caught:
        scene.deliver("ab", throttled)
    assert str(caught.value) == (
        "Amplitude still throttles 2 user(s) after 1 retries; run it again later, it goes on from "
        "the last state."
    )


def test_a_used_up_quota_leaves_its_users_for_another_run(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.deliver("b", answer(429, throttled_users={"B": 31}))
    scene.sent.clear()
    exhausted = answer(429, exceeded_daily_quota_users={"B": 1}, throttled_users={"B": 1, "C": 1})
    sent = scene.deliver("abcdb", HALVE, HALVE, ACCEPTED, exhausted)
    assert sent == ["abcdb", "ab", "a", "b", "cd"]
    assert scene.held == {}
    assert scene.coordinator.queue.pending == 0
    scene.close()
    assert scene.states == []
    assert scene.counts.delivered == 3
    (warning,) = (each for each in caplog.messages if "quota" in each)
    assert warning == (
        "Amplitude's daily quota of 1 user(s) is used up; their events are left for a run after "
        "the quota has recovered."
    )
