"""What a `check` command has found, and how it is printed."""

from __future__ import annotations

import json
import sys
from typing import NoReturn

import click
import msgspec
from msgspec import UNSET, UnsetType

from .output import say
from .tables import table
from .text import LONGEST_LINE, fit

OK = "ok"
FAILED = "failed"
UNKNOWN = "unknown"
ASSUMED = "assumed"
DIFFERS = "differs"


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at.

    Attributes:
        name: What it was.
        result: Of an account `ok`, `failed` or `unknown`; of an assumption `assumed`, `differs` or
            `unknown`.
        seen: What was seen, in words, free of personal data and secrets.
    """

    name: str
    result: str
    seen: str

    def __post_init__(self) -> None:
        """Make what services said fit to be shown."""
        msgspec.structs.force_setattr(self, "seen", fit(self.seen, LONGEST_LINE))


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All findings; what is unset is not printed."""

    plugin: str
    version: str
    checked_at: str
    requests: int | UnsetType = UNSET
    checks: list[Finding]
    assumptions: list[Finding] | UnsetType = UNSET

    @property
    def is_bad(self) -> bool:
        """Whether somebody has to do something."""
        return any(each.result in {FAILED, DIFFERS} for each in [*self.checks, *self._assumptions])

    def as_json(self) -> str:
        """Return it as JSON, as for an issue."""
        # All of it in ASCII, so that nothing in it steers a terminal.
        return json.dumps(msgspec.to_builtins(self), indent=2)

    def end(self, *, as_json: bool) -> NoReturn:
        """Print it, and end the command: with 1 where somebody has to do something."""
        if as_json:
            click.echo(self.as_json())
        else:
            for line in self.as_table():
                say(line)
        sys.exit(1 if self.is_bad else 0)

    def as_table(self) -> list[str]:
        """Return it as lines for a terminal."""
        lines = _rows("check", self.checks)
        if self._assumptions:
            lines += ["", *_rows("assumption", self._assumptions)]
        if self.requests is not UNSET:
            lines += ["", f"{self.requests} requests"]
        return lines

    @property
    def _assumptions(self) -> list[Finding]:
        return [] if self.assumptions is UNSET else self.assumptions


def _rows(title: str, findings: list[Finding]) -> list[str]:
    rows = [(each.name, each.result, each.seen) for each in findings]
    return table([(title, "result", "seen"), *rows])
