"""Every setting means the same through every channel, and what is wrong stops the run at once."""

from __future__ import annotations

import re
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import pytest

from settings.processes import CHANNELS, CLASSES, run, settings_read
from settings.table import OAUTH, REQUIRED, TABLE
from tap_hubspot_email_events.settings import SETTINGS as TAP_SETTINGS
from target_amplitude.settings import SETTINGS as TARGET_SETTINGS

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.client import Sandbox

DECLARED = {"tap-hubspot-email-events": TAP_SETTINGS, "target-amplitude": TARGET_SETTINGS}
GROUPS = [
    ("tap-hubspot-email-events", OAUTH),
    ("tap-hubspot-email-events", ("access_token",)),
    ("target-amplitude", ()),
]


@pytest.mark.parametrize("plugin", CLASSES)
def test_the_table_has_every_setting(plugin: str) -> None:
    assert TABLE[plugin].keys() == DECLARED[plugin]["properties"].keys()


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("kind", ["good", "odd"])
@pytest.mark.parametrize(("plugin", "without"), GROUPS)
def test_text_is_read_by_the_type_of_its_setting(
    plugin: str, without: tuple[str, ...], kind: str, channel: str, tmp_path: Path
) -> None:
    rows = {name: getattr(row, kind) for name, row in TABLE[plugin].items() if name not in without}
    texts = {name: text for name, (text, _) in rows.items()}
    read = settings_read(plugin, channel, texts, tmp_path)
    assert {name: read.get(name) for name in rows} == {
        name: value for name, (_, value) in rows.items()
    }


@pytest.mark.parametrize(("plugin", "without"), GROUPS)
def test_json_is_taken_as_it_is(plugin: str, without: tuple[str, ...], tmp_path: Path) -> None:
    values = {n: row.good[1] for n, row in TABLE[plugin].items() if n not in without}
    read = settings_read(plugin, "file", values, tmp_path)
    assert {name: read[name] for name in values} == values


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("empty", ["", "  "])
@pytest.mark.parametrize("plugin", CLASSES)
def test_empty_text_is_unset(plugin: str, empty: str, channel: str, tmp_path: Path) -> None:
    values = dict.fromkeys(TABLE[plugin], empty) | REQUIRED[plugin]
    read = settings_read(plugin, channel, values, tmp_path)
    alone = settings_read(plugin, "file", REQUIRED[plugin], tmp_path)
    assert read == alone


# What is wrong with these is seen once all settings can be read.
CHECKED_LATER = {"start_date", "end_date", "api_url", "user_field"}


def wrong_values(plugin: str, channel: str) -> list[dict[str, Any]]:
    """Each wrong value once, in as few configurations as there are values of a setting."""
    alone: list[dict[str, Any]] = []
    columns = []
    for name, row in TABLE[plugin].items():
        values = [*row.wrong, *(row.wrong_json if channel == "file" else ())]
        if name in CHECKED_LATER:
            # Text is text in every channel, so all of them in one and one of them in each.
            alone += [{name: value} for value in (values if channel == "file" else values[:1])]
        else:
            columns.append([(name, value) for value in values])
    return [*alone, *(dict(filter(None, pairs)) for pairs in zip_longest(*columns))]


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("plugin", CLASSES)
def test_every_wrong_value_is_a_sentence_before_anything_is_done(
    plugin: str, channel: str, tmp_path: Path, sandbox: Sandbox
) -> None:
    url = sandbox.amplitude_url if plugin == "target-amplitude" else sandbox.hubspot_url
    for wrong in wrong_values(plugin, channel):
        values = REQUIRED[plugin] | {"api_url": url} | wrong
        done = run(plugin, channel, values, tmp_path)
        said = done.stdout + done.stderr
        assert done.returncode == 1, (wrong, said)
        assert "Traceback" not in said, wrong
        for name, value in wrong.items():
            (sentence,) = re.findall(rf"Setting {name} (?:must|is)[^\n]*?\.(?= Setting|\s|$)", said)
            is_secret = DECLARED[plugin]["properties"][name].get("secret", False)
            if is_secret:
                assert str(value) not in sentence, name
            elif isinstance(value, str) and name not in {*CHECKED_LATER, "stream_map_config"}:
                assert value in sentence.replace('\\"', '"'), name
    assert sandbox.amplitude_counts() == {}
    assert sandbox.hubspot_stats()["requests"] == 0
