"""Settings come from files, the environment and `.env`, and an empty one hides no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from target_amplitude.common.channels import (
    read_command_settings,
    read_environment,
    read_files,
)
from target_amplitude.common.errors import UserError
from target_amplitude.settings import ENVIRONMENT_PREFIX, Settings

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("content", ["{", "[]", "5", b"\xff\xfe\x00", ""])
def test_a_file_that_is_no_json_object_is_a_sentence(folder: Path, content: str | bytes) -> None:
    path = folder / "config.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UserError, match="given with --config is no JSON object"):
        read_files(path)
    with pytest.raises(UserError, match="cannot be read: No such file"):
        read_files(folder / "missing.json")


def test_the_environment_comes_before_env_files_further_up(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / ".env").write_text(
        "TARGET_AMPLITUDE_REGION=eu\nTARGET_AMPLITUDE_USER_FIELD='a.b'\nTARGET_AMPLITUDE_GZIP=\n"
        "OTHER_DRY_RUN=true\n"
    )
    (folder / "below").mkdir()
    monkeypatch.chdir(folder / "below")
    monkeypatch.setenv("TARGET_AMPLITUDE_REGION", "us")
    monkeypatch.setenv("TARGET_AMPLITUDE_DRY_RUN", " ")
    given = read_environment(Settings, ENVIRONMENT_PREFIX)
    assert given == {"region": "us", "user_field": "a.b"}


def test_for_a_command_later_files_come_before_earlier_ones_and_the_environment(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TARGET_AMPLITUDE_REGION", "us")
    monkeypatch.setenv("TARGET_AMPLITUDE_GZIP", "true")
    (folder / "a.json").write_text('{"region": "us", "endpoint": "batch"}')
    (folder / "b.json").write_text('{"region": "eu"}')
    given = read_command_settings(Settings, ENVIRONMENT_PREFIX, ("ENV", "a.json", "b.json"))
    assert given == {"region": "eu", "gzip": "true", "endpoint": "batch"}
