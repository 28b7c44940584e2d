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
_BLOCK = re.compile(
    r"""
    (?:^\ *<!--\ (?P<remark>[^\n]+)\ -->\n)?
    ^(?P<margin>\ *)```(?P<language>\w*)\n
    (?P<text>.*?)
    ^(?P=margin)```$
    """,
    re.MULTILINE | re.DOTALL | re.VERBOSE,
)
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
    return [
        Block(
            line=guide.count("\n", 0, found.start("text")) + 1,
            language=found["language"],
            remark=found["remark"] or "",
            text=re.sub(f"^{found['margin']}", "", found["text"], flags=re.MULTILINE)[:-1],
        )
        for found in _BLOCK.finditer(guide)
    ]


def prose_of(guide: str) -> list[str]:
    """Return the lines of a page outside fences."""
    return _BLOCK.sub(r"\g<remark>", guide).splitlines()


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
