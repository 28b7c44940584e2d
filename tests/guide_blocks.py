"""The guides as a reader types them: their fenced blocks, and what comments say of each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
GUIDES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "hubspot-app/README.md",
    ROOT / "CONTRIBUTING.md",
]
_FENCE = re.compile(r"^( *)```(\w*)$")
_REMARK = re.compile(r"^ *<!-- (.+) -->$")
_EXIT_CODES = re.compile(r"exit code ((?:\d or )?\d): ")
_FIGURES = re.compile(r"(about )?\d[\d,.]*")


@dataclass(slots=True, frozen=True)
class Block:
    """A fenced block.

    Attributes:
        line: Where its text begins.
        language: `sh` is for what a reader types into a terminal.
        remark: What the comment right before it says: `not run: ...` and `exit code 1: ...` with a
            reason, `prints` for what the commands of the block before print, `in another terminal`
            for what goes on until the end of the page, `container` for an image.
    """

    line: int
    language: str
    remark: str
    text: str

    @property
    def is_run(self) -> bool:
        """Whether its commands run as they stand."""
        return self.language == "sh" and not self.remark.startswith(("not run: ", "container"))

    @property
    def exit_codes(self) -> set[int]:
        """How its commands may end."""
        found = _EXIT_CODES.match(self.remark)
        return {int(code) for code in found[1].split(" or ")} if found else {0}


def blocks_of(guide: str) -> list[Block]:
    """Return the fenced blocks of a page."""
    blocks: list[Block] = []
    lines = iter(enumerate(guide.splitlines(), 1))
    remark = ""
    for number, line in lines:
        if opening := _FENCE.match(line):
            margin = len(opening[1])
            text: list[str] = []
            for _, inside in lines:
                if inside == f"{opening[1]}```":
                    break
                text.append(inside[margin:])
            blocks.append(Block(number + 1, opening[2], remark, "\n".join(text)))
        said = _REMARK.match(line)
        remark = said[1] if said else ""
    return blocks


def prose_of(guide: str) -> list[str]:
    """Return the lines of a page outside fences."""
    lines: list[str] = []
    is_inside = False
    for line in guide.splitlines():
        if line.lstrip().startswith("```"):
            is_inside = not is_inside
        elif not is_inside:
            lines.append(line)
    return lines


def unprinted(expected: str, output: str) -> list[str]:
    """Return the lines that do not occur in an output, in this order, whatever their figures.

    Three dots stand for anything, and a line of nothing else for any lines.
    """
    printed = iter([_without_figures(line) for line in output.splitlines()])
    missing = []
    for line in expected.splitlines():
        pieces = [re.escape(_without_figures(piece)) for piece in line.split("...")]
        pattern = re.compile(".*".join(pieces).strip())
        if pieces != ["", ""] and not any(pattern.search(each) for each in printed):
            missing.append(line)
    return missing


def _without_figures(line: str) -> str:
    return " ".join(_FIGURES.sub("#", line).split())
