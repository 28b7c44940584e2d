"""The guides are written so that their commands can be run, and read at any width."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from guide_blocks import GUIDES, ROOT, blocks_of, prose_of, unprinted

if TYPE_CHECKING:
    from pathlib import Path

WIDTH = 120
REMARK = re.compile(
    r"not run: needs .*\b(account|accounts|registry|browser)\b.*|exit code (\d or )?\d: .+|prints"
    r"|in another terminal|container"
)
each_guide = pytest.mark.parametrize("guide", GUIDES, ids=lambda path: str(path.relative_to(ROOT)))


@each_guide
def test_every_block_says_what_it_is(guide: Path) -> None:
    text = guide.read_text("utf-8")
    for block in blocks_of(text):
        assert block.language, block.line
        assert not block.remark or REMARK.fullmatch(block.remark), block.line
    before = ""
    for line in prose_of(text):
        assert before or not line.startswith("    "), f"a fence is missing: {line}"
        before = line


@each_guide
def test_lines_wrap(guide: Path) -> None:
    long = [line for line in prose_of(guide.read_text("utf-8")) if len(line) > WIDTH]
    assert [line for line in long if not line.lstrip().startswith(("|", "!["))] == []


def test_output_is_compared_line_by_line_whatever_its_figures() -> None:
    output = "12:00 all  60,031  0\n12:01 Every event arrived."
    assert unprinted("all  1  0\n...\n... event arrived.", output) == []
    assert unprinted("all  1  0  0", output) == ["all  1  0  0"]
    assert unprinted("Every event\nall  1", output) == ["all  1"]
