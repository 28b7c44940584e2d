"""Failures are sentences, signals end a run, and the SDK still has the private names in use."""

from __future__ import annotations

import inspect
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from singer_sdk.plugin_base import PluginBase, SingerCommand

from tap_hubspot_email_events.tap import TapHubSpotEmailEvents
from target_amplitude.target import TargetAmplitude

if TYPE_CHECKING:
    from pathlib import Path

PLUGINS = (TapHubSpotEmailEvents, TargetAmplitude)


@pytest.mark.parametrize("plugin", PLUGINS)
def test_the_files_of_the_command_line_are_read_as_ours(plugin: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"share": 0.5}')
    command = plugin.get_singer_command()
    given = command.make_context("x", ["--config", str(path), "--config", "ENV"]).params["config"]
    assert (given.config, given.parse_env) == ({"share": 0.5}, True)
    path.write_text("[]")
    run = CliRunner().invoke(command, ["--config", str(path)])
    assert run.exit_code == 1
    assert f"Error: The file {path} given with --config is no JSON object." in run.output


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_fault_of_ours_is_no_sentence(plugin: Any) -> None:
    with pytest.raises(ZeroDivisionError), plugin.sentences():
        raise ZeroDivisionError


@pytest.mark.parametrize("ignored", [False, True])
def test_the_end_of_the_terminal_ends_no_run_that_nohup_started(*, ignored: bool) -> None:
    code = (
        "import os, signal\n"
        f"signal.signal(signal.SIGHUP, signal.{'SIG_IGN' if ignored else 'SIG_DFL'})\n"
        "from target_amplitude.target import TargetAmplitude\n"
        "TargetAmplitude(config={'api_key': 'k'})\n"
        "os.kill(os.getpid(), signal.SIGHUP)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert run.returncode == (0 if ignored else 128 + signal.SIGHUP)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("_setup_signal_handlers", ["self"]), ("_handle_termination", ["self", "signum", "frame"])],
)
def test_the_sdk_still_has_the_private_members_in_use(name: str, parameters: list[str]) -> None:
    assert list(inspect.signature(getattr(PluginBase, name)).parameters) == parameters
    assert f"self.{name}" in inspect.getsource(PluginBase)


def test_the_sdks_command_still_calls_the_hooks() -> None:
    command = TapHubSpotEmailEvents.get_singer_command()
    assert isinstance(command, SingerCommand)
    assert command.callback == TapHubSpotEmailEvents.invoke
    callbacks = {parameter.name: parameter.callback for parameter in command.params}
    assert callbacks["config"] == TapHubSpotEmailEvents.cb_config
    assert callbacks["discover"] == TapHubSpotEmailEvents.cb_discover
    assert callbacks["test"] == TapHubSpotEmailEvents.cb_test
