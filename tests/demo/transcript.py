"""What a command shows in a terminal, as a picture of text."""

from __future__ import annotations

import os
import pty
import re
import subprocess
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH = 100
CHARACTER, LINE, MARGIN, BAR = 8.43, 19, 24, 36
BACKGROUND, TITLE, INK, PROMPT = "#16202b", "#8fa1b3", "#dde5ec", "#7fd1a8"
FONTS = "ui-monospace, SFMono-Regular, Menlo, Consolas, Liberation Mono, monospace"
_COLOURS = re.compile(r"\x1b\[[\d;]*[A-Za-z]")


def record(command: Sequence[str]) -> list[str]:
    """Run a command in a terminal of its own and return the lines that are left on it.

    Raises:
        CalledProcessError: It failed.
    """
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        written = b""
        try:
            while piece := os.read(ours, 65_536):
                written += piece
        except OSError:  # Linux says so when the last program has closed the terminal
            pass
        os.close(ours)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, written)
    text = _COLOURS.sub("", written.decode("utf-8")).replace("\r\n", "\n")
    return [line.rpartition("\r")[2].rstrip() for line in text.rstrip().split("\n")]


def draw(command: str, lines: Sequence[str]) -> str:
    """Return an SVG of a terminal in which a command was typed."""
    shown = [f"$ {command}", *lines]
    width = round(2 * MARGIN + WIDTH * CHARACTER)
    height = BAR + MARGIN + LINE * len(shown)
    texts = [
        f'<text x="{MARGIN}" y="{BAR + LINE * number + 14}" xml:space="preserve"'
        f' fill="{INK if number else PROMPT}">{escape(line[:WIDTH])}</text>'
        for number, line in enumerate(shown)
        if line
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
            f' width="{width}" height="{height}" role="img" aria-label="{escape(command)}"'
            f' font-family="{FONTS}" font-size="14">',
            f'<rect width="{width}" height="{height}" rx="8" fill="{BACKGROUND}"/>',
            *(
                f'<circle cx="{MARGIN + 18 * place}" cy="18" r="5" fill="{TITLE}"/>'
                for place in range(3)
            ),
            *texts,
            "</svg>",
            "",
        ]
    )
