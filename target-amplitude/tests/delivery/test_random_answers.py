"""Whatever Amplitude answers, nothing is lost, doubled, overtaken or covered too early."""

from __future__ import annotations

import json
import random
import re
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loading.loader import Loader
from loading.messages import numbers, record, run_of, schema
from target_amplitude.amplitude.answers import Answer, NoAnswer
from target_amplitude.amplitude.transport import Transport
from target_amplitude.errors import RunFailedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

URL = "http://127.0.0.1:9"
# Where no event is accepted, the run fails however often it may retry.
REFUSED = r"127\.0\.0\.1 refuses every event"
AMONG_ANSWERS = rf"{REFUSED}|None of \d+ email events was delivered"


class Amplitude:
    """Answers at random, but keeps what it accepts, each insert_id once."""

    def __init__(self, seed: int, trouble: float) -> None:
        self._random = random.Random(seed)
        self._trouble = trouble
        self.kept: dict[str, dict[str, Any]] = {}
        self.order: list[dict[str, Any]] = []
        self.refused: set[str] = set()
        self.used_up: set[str] = set()

    def post(self, bodies: Sequence[bytes]) -> tuple[Answer | NoAnswer, int]:
        events = [json.loads(body) for body in bodies]
        if self.used_up & {event["user_id"] for event in events}:
            return self._named("exceeded_daily_quota_users", sorted(self.used_up)), 0
        if self._random.random() < self._trouble:
            return self._in_trouble(events), 0
        return self._accept(events), 0

    def _in_trouble(self, events: list[dict[str, Any]]) -> Answer | NoAnswer:
        event = self._random.choice(events)
        index = events.index(event)
        kind = self._random.randrange(9)
        if kind == 0:
            self._accept(events)
            return NoAnswer("a cut connection")
        if kind == 1:
            self.refused.add(event["insert_id"])
        answers: list[Answer | NoAnswer] = [
            NoAnswer("no connection"),
            Answer(400, json.dumps({"events_with_invalid_fields": {"time": [index]}}).encode()),
            Answer(503, b"<html>"),
            Answer(200, b"<html>fine</html>"),
            Answer(413, b""),
            self._named("throttled_users", [event["user_id"]]),
            Answer(429, json.dumps({"throttled_events": [index]}).encode()),
            Answer(429, b"", 0.0),
            Answer(500, b'{"code": 500}'),
        ]
        return answers[kind]

    def _named(self, kind: str, users: list[str]) -> Answer:
        return Answer(429, json.dumps({kind: dict.fromkeys(users, 1)}).encode())

    def _accept(self, events: list[dict[str, Any]]) -> Answer:
        for event in events:
            if event["insert_id"] not in self.kept:
                self.kept[event["insert_id"]] = event
                self.order.append(event)
        return Answer(200, json.dumps({"code": 200, "events_ingested": len(events)}).encode())


@contextmanager
def loaded(
    amplitude: Amplitude, messages: list[Any], **config: Any
) -> Iterator[tuple[Loader, str]]:
    """A loader that has run the target against it, and why that run failed, if it did."""
    failure = ""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(Transport, "post", lambda _, bodies: amplitude.post(bodies))
        loader = Loader(URL, Path(folder))
        try:
            loader.load(messages, **config)
        except RunFailedError as error:
            failure = str(error)
            assert config.get("max_retries", 12) < 100 or re.match(AMONG_ANSWERS, failure)
        yield loader, failure


def number_of(event: dict[str, Any]) -> int:
    return int(event["event_properties"]["id"].removeprefix("event-"))


@given(
    seed=st.integers(0, 10_000),
    count=st.integers(1, 150),
    partitions=st.integers(1, 5),
    rows=st.integers(1, 40),
    retries=st.sampled_from([1, 1000]),
    trouble=st.sampled_from([0.0, 0.2, 0.6]),
    bad=st.sets(st.integers(1, 150), max_size=5),
    quota=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_every_record_is_accounted_for(  # noqa: PLR0913 - each is one dimension of chance
    *,
    seed: int,
    count: int,
    partitions: int,
    rows: int,
    retries: int,
    trouble: float,
    bad: set[int],
    quota: bool,
) -> None:
    amplitude = Amplitude(seed, trouble)
    if quota:
        amplitude.used_up = {"user-3@example.com"}
    messages = run_of(count, state_every=7)
    for message in messages:
        if message["type"] == "RECORD" and int(message["record"]["id"][6:]) in bad:
            message["record"]["recipient"] = "none"
    limits = {
        "max_concurrent_requests": partitions,
        "batch_size_rows": rows,
        "max_retries": retries,
    }
    with loaded(amplitude, messages, **limits) as (loader, failure):
        rejected = [int(each["record"]["id"][6:]) for each in loader.rejected_records]
        summary = loader.streams["email_open"]
        states = numbers(loader.states)
    arrived = [number_of(event) for event in amplitude.order]
    assert len(arrived) == len(set(arrived))
    assert len(rejected) == len(set(rejected))
    assert sum(summary["rejected"].values()) == len(rejected)
    assert summary["read"] == (
        summary["delivered"] + summary["skipped"] + len(rejected) + summary["not_covered"]
    )
    assert states == sorted(states)
    if states:
        assert set(range(1, states[-1] + 1)) <= set(arrived) | set(rejected)
    if retries == 1000 and not quota and not re.match(REFUSED, failure):
        assert states[-1] == count
        assert summary["not_covered"] == 0
        assert set(arrived) | set(rejected) == set(range(1, count + 1))
    if quota:
        assert not any(event["user_id"] == "user-3@example.com" for event in amplitude.order)
    by_user: dict[str, list[int]] = {}
    for event in amplitude.order:
        by_user.setdefault(event["user_id"], []).append(number_of(event))
    assert all(order == sorted(order) for order in by_user.values())


def test_one_users_many_events_stay_in_order() -> None:
    amplitude = Amplitude(1, 0.0)
    messages: list[Any] = [schema()]
    messages += [record(number, recipient="one@example.com") for number in range(1, 5001)]
    with loaded(amplitude, messages, batch_size_rows=100):
        pass
    assert [number_of(event) for event in amplitude.order] == list(range(1, 5001))
