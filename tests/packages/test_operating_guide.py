"""The guide to operating explains every warning that the plugins can give."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest

from packages.environment import PLUGINS, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

GUIDE = (ROOT / "docs/operating.md").read_text(encoding="utf-8")


def composed(value: ast.expr | None) -> Iterator[str]:
    """The fixed words of a text that a function about warnings returns, with %s between them."""
    if isinstance(value, ast.JoinedStr):
        pieces = [each.value if isinstance(each, ast.Constant) else "%s" for each in value.values]
        yield "".join(map(str, pieces))
    elif isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value:
        yield value.value


def warnings_of(plugin: str) -> Iterator[str]:
    for path in (ROOT / plugin / plugin.replace("-", "_")).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and "warn" in node.name:
                for each in ast.walk(node):
                    if isinstance(each, ast.Return | ast.Yield):
                        yield from composed(each.value)
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "warning"
                and isinstance(node.args[0], ast.Constant)
            ):
                yield str(node.args[0].value)
            # What is counted and said once at the end of a run.
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
                text = str(node.value.value)
                if "{count}" in text:
                    yield re.sub(r"\{\w+\}", "%s", text)


@pytest.mark.parametrize("plugin", PLUGINS)
def test_every_warning_is_explained(plugin: str) -> None:
    warnings = list(warnings_of(plugin))

    assert warnings
    for warning in warnings:
        pieces = [piece.strip(" ();,.:") for piece in re.split(r"%\w|%\.\df", warning)]
        assert max(pieces, key=len).split(". ")[0] in GUIDE, warning
