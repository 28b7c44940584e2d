from __future__ import annotations

import subprocess
import xml.etree.ElementTree as ET

import pytest

from demo.picture import Funnel, draw_funnels
from demo.transcript import draw, record

STEPS = ["Delivered", "Open", "Click"]


def drawn(*funnels: Funnel) -> ET.Element:
    return ET.fromstring(draw_funnels(STEPS, funnels))


def words(picture: ET.Element) -> list[str]:
    return ["".join(element.itertext()) for element in picture.findall(".//{*}text")]


def bars(picture: ET.Element) -> list[float]:
    return [
        float(element.attrib["width"])
        for element in picture.findall(".//{*}rect")
        if element.attrib.get("height") == "20"
    ]


def test_bars_are_as_long_as_there_are_people() -> None:
    widths = bars(drawn(Funnel("A", 1, (2000, 1000, 500)), Funnel("B", 2, (1000, 100, 0))))

    assert widths == [432, 216, 108, 216, 21.6, 0]


def test_each_step_says_its_people_and_its_share_of_the_first() -> None:
    said = words(drawn(Funnel("Newsletter", 243851494, (2000, 1000, 505))))

    assert "Newsletter" in said
    assert "emailCampaignId 243851494" in said
    assert said[-4:-1] == ["2,000", "1,00050.0 %", "50525.2 %"]


def test_any_name_fits_and_is_no_markup() -> None:
    said = words(drawn(Funnel("<b>&\x00" + "x" * 200, 1, (1, 1, 1))))

    assert "<b>&" + "x" * 22 + "…" in said


def test_nobody_is_no_error() -> None:
    assert bars(drawn(Funnel("A", 1, (0, 0, 0)))) == [0, 0, 0]
    assert bars(drawn()) == []


def test_a_transcript_shows_what_a_terminal_shows_in_the_end() -> None:
    typed = "printf '\\033[1mone\\033[0m < two\\n'; printf '\\r 1 of 2\\r 2 of 2\\n'"

    lines = record(["sh", "-c", typed])

    assert lines == ["one < two", " 2 of 2"]
    assert words(ET.fromstring(draw("make demo", lines))) == ["$ make demo", *lines]


def test_a_command_that_fails_makes_no_transcript() -> None:
    with pytest.raises(subprocess.CalledProcessError):
        record(["sh", "-c", "echo done; exit 3"])
