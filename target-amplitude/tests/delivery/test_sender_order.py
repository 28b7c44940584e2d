"""What a sender sends next, after each answer."""

from __future__ import annotations

import logging
import re
import time
from typing import TYPE_CHECKING, Any

import pytest

from loading.scene import ACCEPTED, HALVE, Scene, answer
from target_amplitude.amplitude.answers import Answer, NoAnswer
from target_amplitude.errors import RefusedKeyError, RunFailedError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    return Scene(tmp_path, monkeypatch)


def test_a_batch_is_one_request(scene: Scene) -> None:
    assert scene.deliver("abc") == ["abc"]
    assert scene.counts.delivered == 3
    assert scene.counts.retried == 0
    assert (scene.coordinator.requests, scene.coordinator.sent_bytes) == (1, 10)


def test_of_a_request_too_large_the_first_half_goes_first(scene: Scene) -> None:
    assert scene.deliver("abcde", HALVE, HALVE) == ["abcde", "ab", "a", "b", "cde"]
    assert scene.counts.delivered == 5
    assert scene.counts.retried == 7


def test_what_is_refused_is_halved_until_it_is_alone(scene: Scene) -> None:
    refused = answer(400, error="Bad event")
    assert scene.deliver("abcd", refused, ACCEPTED, refused, refused) == [
        "abcd",
        "ab",
        "cd",
        "c",
        "d",
    ]
    assert scene.rejected == [("c", "refused by Amplitude", "")]
    assert scene.counts.delivered == 3


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


def test_without_retries_the_first_failure_ends_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene(tmp_path, monkeypatch, max_retries=0)
    with pytest.raises(RunFailedError, match="in 1 attempts"):
        scene.deliver("a", answer(503))
    assert scene.sent == ["a"]


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        (answer(503), 0.001),
        (answer(503, 0.25), 0.25),
        (answer(429), 20.0),
        (answer(429, 0.125), 0.125),
        (answer(503, 0.0), 0.0),
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
    assert waits == ([] if seconds == 0 else [pytest.approx(seconds, rel=0.6, abs=0.001)])
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


def test_named_events_are_rejected_and_the_others_sent_at_once(scene: Scene) -> None:
    named = answer(400, error="Bad values", events_with_invalid_fields={"time": [0, 2]})
    assert scene.deliver("abcd", named) == ["abcd", "bd"]
    assert scene.rejected == [
        ("a", "refused by Amplitude", "invalid time"),
        ("c", "refused by Amplitude", "invalid time"),
    ]
    assert '"amplitude":"Bad values"' in scene.rejects.read_text()
    assert scene.counts.delivered == 2
    assert scene.counts.retried == 2
    scene.close()
    assert scene.states == [b"state"]


def test_where_all_are_named_nothing_is_left_to_send(scene: Scene) -> None:
    named = answer(400, events_with_invalid_fields={"time": [0, 1]})
    assert scene.deliver("ab", named) == ["ab"]
    assert len(scene.rejected) == 2


def test_events_of_a_silenced_device_are_rejected(scene: Scene) -> None:
    named = answer(400, silenced_devices=["device-b", "C"])
    assert scene.deliver("abcd", named, devices="abd") == ["abcd", "ad"]
    assert scene.rejected == [
        ("b", "refused by Amplitude", "device is silenced"),
        ("c", "refused by Amplitude", "device is silenced"),
    ]


def test_throttled_users_wait_and_the_others_go_on(scene: Scene) -> None:
    named = answer(429, throttled_users={"B": 31})
    before = time.monotonic()
    assert scene.deliver("abcb", named) == ["abcb", "ac"]
    assert scene.held == {"B": "bb"}
    until = scene.coordinator.queue.throttling.next_retry_at()
    assert before + 20 <= until <= time.monotonic() + 20
    assert scene.counts.retried == 4
    scene.close()
    assert scene.states == []


@pytest.mark.parametrize(
    "named",
    [
        {"throttled_events": [1]},
        {"throttled_devices": {"device-b": 31}},
        {"throttled_users": ["B"]},
    ],
)
def test_whichever_way_they_are_named(scene: Scene, named: dict[str, Any]) -> None:
    assert scene.deliver("abc", answer(429, **named), devices="abc") == ["abc", "ac"]
    assert scene.held == {"B": "b"}


def test_they_wait_for_as_long_as_the_answer_says(scene: Scene) -> None:
    before = time.monotonic()
    scene.deliver("ab", answer(429, 3.0, throttled_users={"B": 31}))
    until = scene.coordinator.queue.throttling.next_retry_at()
    assert before + 3 <= until <= time.monotonic() + 3


def test_the_other_endpoint_has_its_own_pause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene(tmp_path, monkeypatch, endpoint="httpapi")
    before = time.monotonic()
    scene.deliver("ab", answer(429, throttled_users={"B": 31}))
    assert scene.coordinator.queue.throttling.next_retry_at() >= before + 30


def test_later_events_of_a_throttled_user_in_the_same_batch_wait_behind_them(scene: Scene) -> None:
    throttled = answer(429, throttled_users={"B": 31})
    assert scene.deliver("ab1cb2db3", HALVE, throttled) == ["ab1cb2db3", "ab1c", "ac", "d"]
    assert scene.held == {"B": "b1b2b3"}


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
    assert scene.coordinator.exhausted_events == 3
    assert scene.counts.delivered == 3
    (warning,) = (each for each in caplog.messages if "quota" in each)
    assert warning == (
        "Amplitude's daily quota of 1 user(s) is used up; their events are left for a run after "
        "the quota has recovered."
    )


def test_a_429_that_names_nobody_in_the_request_sends_it_again(scene: Scene) -> None:
    strangers = answer(429, 0.0, throttled_users={"Z": 31})
    assert scene.deliver("ab", strangers) == ["ab", "ab"]
    assert scene.held == {}


def test_a_400_that_names_only_strangers_is_halved(scene: Scene) -> None:
    assert scene.deliver("ab", answer(400, silenced_devices=["Z"])) == ["ab", "a", "b"]


def test_fewer_ingested_than_sent_is_told(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    scene.deliver("ab", answer(200, code=200, events_ingested=2))
    assert caplog.text == ""
    scene.deliver("ab", answer(200, code=200, events_ingested=1))
    (warning,) = caplog.messages
    assert warning == (
        "Amplitude confirmed 1 of the 2 events of a request; look at Settings > Schema Settings "
        "in Amplitude for blocked ones."
    )


def test_a_refused_key_is_told_with_what_to_check(scene: Scene) -> None:
    with pytest.raises(RefusedKeyError) as caught:
        scene.deliver("ab", answer(400, error="Invalid API key: k"))
    assert str(caught.value) == (
        "api2.amplitude.com does not know this API key (Invalid API key); check api_key, and "
        "region: a key of an EU project is unknown in the US, and the other way round."
    )
    assert scene.sent == ["ab"]


def test_what_takes_no_events_is_told_as_such(scene: Scene) -> None:
    with pytest.raises(RunFailedError) as caught:
        scene.deliver("ab", answer(404))
    assert type(caught.value) is RunFailedError
    assert str(caught.value) == ("api2.amplitude.com takes no events (status 404); check api_url.")


def test_fifty_refused_alone_may_be_the_events_but_no_more(scene: Scene) -> None:
    refused = answer(403, error="Forbidden")
    for _ in range(50):
        scene.deliver("a", refused)
    with pytest.raises(RunFailedError) as caught:
        scene.deliver("a", refused)
    assert str(caught.value) == (
        "api2.amplitude.com refuses every event (Forbidden), so none of them is taken for a bad "
        "one and no state covers them; check api_url, and whether a proxy or firewall stands "
        "between."
    )
    assert scene.rejected == []
