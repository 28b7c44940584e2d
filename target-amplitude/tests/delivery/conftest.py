from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from loading.threads import Amplitude
from target_amplitude.amplitude.delays import Delays
from target_amplitude.amplitude.transport import Transport
from target_amplitude.delivery.coordinator import Coordinator
from target_amplitude.delivery.delivery import Delivery
from target_amplitude.delivery.rejects import RejectsFile
from target_amplitude.lookup_table.upload import CampaignUpload
from target_amplitude.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DELAYS = Delays(first_retry=0.001, longest_retry=0.001, partial_batch=0.1, termination=20.0)
SETTINGS = read_settings({"api_key": "k", "max_concurrent_requests": 3, "batch_size_rows": 5})


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
def states() -> list[bytes]:
    return []


@pytest.fixture
def coordinator(tmp_path: Path, states: list[bytes]) -> Coordinator:
    return Coordinator(SETTINGS, RejectsFile(tmp_path / "rejects"), states.append, DELAYS)


@pytest.fixture
def delivery(
    tmp_path: Path, coordinator: Coordinator, amplitude: Amplitude, woken: list[str]
) -> Iterator[Delivery]:
    del amplitude
    rejects = RejectsFile(tmp_path / "rejects")
    campaigns = CampaignUpload(SETTINGS, coordinator, rejects, DELAYS, lambda: False)
    made = Delivery(SETTINGS, coordinator, campaigns, DELAYS, lambda: woken.append("woken"))
    yield made
    made.close()
