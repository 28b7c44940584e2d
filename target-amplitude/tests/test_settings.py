from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from target_amplitude.settings import SettingsError, read_settings
from target_amplitude.target import TargetAmplitude

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Command = Callable[[str | None], tuple[int, str]]

SETTINGS = {"api_key": "key-of-the-project", "api_url": "http://127.0.0.1:9"}


@pytest.fixture
def command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> Command:
    """Run the command with this text as its configuration file; None is no file."""
    monkeypatch.chdir(tmp_path)
    caplog.set_level(logging.DEBUG)

    def run(text: str | None) -> tuple[int, str]:
        path = tmp_path / "config.json"
        if text is not None:
            path.write_text(text)
        cli = TargetAmplitude.get_singer_command()
        result = CliRunner().invoke(cli, ["--config", str(path)], input="")
        assert isinstance(result.exception, SystemExit)
        return result.exit_code, result.output + caplog.text

    return run


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"api_key": None}, "Setting api_key is missing"),
        ({"region": "asia"}, "Setting region must be one of eu, us, not"),
        ({"api_url": "http://example.com"}, "Setting api_url must be an https URL"),
        ({"batch_size_rows": 5000}, "Setting batch_size_rows must be a whole number"),
        ({"max_retries": "many"}, "Setting max_retries must be a whole number from 0 to 1000, not"),
        ({"user_field": "."}, "Setting user_field is empty"),
        ({"stream_maps": "x"}, "Setting stream_maps must be a JSON object"),
        ({"stream_maps": {"__bad__": {}}}, "Option '__bad__"),
        ({"max_rejected_percent": 101}, "Setting max_rejected_percent must be a number from 0"),
        (
            {"event_types": {"OPEN": 1}},
            "Setting event_types must be a JSON object that holds only text",
        ),
        ({"api_url": "https://user:s3cr3t@example.com"}, "Setting api_url must be an https URL"),
        ({"gzip": "maybe"}, 'Setting gzip must be true or false, not "maybe".'),
        ({"unknown_users": "drop"}, "Setting unknown_users must be one of recipient, skip, not"),
    ],
)
def test_a_wrong_setting_is_one_sentence(
    command: Command, settings: dict[str, Any], sentence: str
) -> None:
    code, log = command(json.dumps(SETTINGS | settings))
    assert code == 1
    assert sentence in log
    assert "Traceback" not in log
    assert "s3cr3t" not in log


@pytest.mark.parametrize("text", [None, "{"])
def test_an_unreadable_config_file_is_one_sentence(command: Command, text: str | None) -> None:
    code, log = command(text)
    assert code == 1
    assert "--config" in log
    assert "Traceback" not in log


@pytest.mark.parametrize(
    ("settings", "url", "gzip"),
    [
        ({}, "https://api2.amplitude.com/batch", True),
        ({"region": "eu"}, "https://api.eu.amplitude.com/batch", True),
        ({"endpoint": "httpapi"}, "https://api2.amplitude.com/2/httpapi", True),
        ({"region": "eu", "endpoint": "httpapi"}, "https://api.eu.amplitude.com/2/httpapi", True),
        ({"api_url": "https://proxy.example.com/"}, "https://proxy.example.com/batch", False),
        ({"api_url": "https://a.example/batch"}, "https://a.example/batch", False),
        ({"api_url": "https://a.example", "gzip": True}, "https://a.example/batch", True),
        ({"gzip": False}, "https://api2.amplitude.com/batch", False),
    ],
)
def test_region_and_endpoint_make_the_url(settings: dict[str, Any], url: str, gzip: bool) -> None:  # noqa: FBT001
    made = read_settings({"api_key": "k"} | settings)
    assert (made.url, made.compresses) == (url, gzip)


def test_no_secret_shows_in_the_settings() -> None:
    assert "s3cr3t" not in repr(read_settings({"api_key": "s3cr3t", "secret_key": "s3cr3t"}))


def test_settings_of_the_environment_are_told_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("TARGET_AMPLITUDE_MAX_RETRIES", "many")
    monkeypatch.setenv("TARGET_AMPLITUDE_API_KEY", "s3cr3t")
    result = CliRunner().invoke(TargetAmplitude.get_singer_command(), ["--config", "ENV"])
    assert result.exit_code == 1
    assert "Setting max_retries must be a whole number" in caplog.text
    assert "s3cr3t" not in caplog.text + result.output


def test_about_lists_the_settings_of_the_contract(capsys: pytest.CaptureFixture[str]) -> None:
    TargetAmplitude.print_about("json")
    settings = json.loads(capsys.readouterr().out)["settings"]["properties"]
    assert settings["batch_size_rows"]["default"] == 2000
    assert settings["rejected_path"]["default"] == "output/rejected.singer.jsonl"
    assert "load_method" not in settings


@pytest.mark.parametrize(
    ("config", "problems"),
    [
        (
            {},
            [
                "Setting api_key is missing: set it to the API key of the project, for example as "
                "TARGET_AMPLITUDE_API_KEY."
            ],
        ),
        (
            {"region": "asia"},
            [
                "Setting api_key is missing: set it to the API key of the project, for example as "
                "TARGET_AMPLITUDE_API_KEY.",
                'Setting region must be one of eu, us, not "asia".',
            ],
        ),
        (
            {"api_key": "k", "reconcile": "report", "user_field": "..", "api_url": "http://a"},
            [
                "Setting api_url must be an https URL, or an http URL of this machine.",
                "Setting reconcile needs secret_key, the project's secret key (Settings > "
                "Projects), with which Amplitude's Export API is read.",
                "Setting user_field is empty: name a field, such as recipient.",
            ],
        ),
    ],
)
def test_all_that_is_wrong_is_said(config: dict[str, Any], problems: list[str]) -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings(config)
    assert caught.value.problems == problems
    assert str(caught.value) == " ".join(problems)


@pytest.mark.parametrize("field", ["X", ".a", "a.b"])
def test_any_name_may_be_the_users_field(field: str) -> None:
    assert read_settings(SETTINGS | {"user_field": field}).user_field == field


def test_reconciling_takes_the_secret_key() -> None:
    given = SETTINGS | {"reconcile": "report", "secret_key": "s"}
    assert read_settings(given).reconcile == "report"


def test_a_key_that_is_only_quotes_is_one_sentence() -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings({"api_key": '""'})
    assert len(caught.value.problems) == 1
