from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from singer_sdk.testing import get_target_test_class

from target_amplitude.target import TargetAmplitude

if TYPE_CHECKING:
    from pathlib import Path

StandardTests = get_target_test_class(
    TargetAmplitude,
    config={"api_key": "test-key", "api_url": "http://127.0.0.1:9"},
    parse_env_config=False,
)


class TestStandard(StandardTests):  # type: ignore[misc, valid-type]
    @pytest.fixture(autouse=True)
    def _rejects_go_elsewhere(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)


def test_what_only_events_need_is_not_loaded_before_there_are_any() -> None:
    late = "{'ua_parser', 'yaml'}"
    code = f"import sys, target_amplitude.target; print({late} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "set()\n"
