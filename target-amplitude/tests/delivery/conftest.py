from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from loading.threads import Amplitude
from target_amplitude.amplitude.transport import Transport
from target_amplitude.delays import Delays
from target_amplitude.delivery.delivery import Delivery
from target_amplitude.delivery.rejects import RejectsFile
from target_amplitude.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def amplitude(monkeypatch: pytest.MonkeyPatch) -> Iterator[Amplitude]:
    made = Amplitude()
    monkeypatch.setattr(Transport, "post", lambda _, bodies: made.post(bodies))
    yield made
    made.may_answer.set()


@pytest.fixture
def woken() -> list[str]:
    return []


@pytest.fixture
def delivery(tmp_path: Path, amplitude: Amplitude, woken: list[str]) -> Iterator[Delivery]:
    del amplitude
    made = Delivery(
        read_settings({"api_key": "k", "max_concurrent_requests": 3, "batch_size_rows": 5}),
        RejectsFile(tmp_path / "rejects"),
        lambda _: None,
        Delays(first_retry=0.001, longest_retry=0.001, partial_batch=0.1, termination=20.0),
        lambda: woken.append("woken"),
    )
    yield made
    made.stop()
