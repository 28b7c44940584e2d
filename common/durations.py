"""Durations on the command line."""

from __future__ import annotations

import re
from typing import Any

import click
from typing_extensions import override

_DURATION = re.compile(r"(\d{1,6})\s*([smhd]?)", re.ASCII)
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}


class Duration(click.ParamType):  # type: ignore[type-arg]
    """A duration such as 90s, 5m, 1h or 1d, in seconds.

    Its base is generic in click's stubs, and at run time only from 8.2 on.
    """

    name = "duration"

    @override
    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        """Read the text.

        Raises:
            BadParameter: If it is no duration.
        """
        if isinstance(value, int | float):
            return float(value)
        match = _DURATION.fullmatch(str(value).strip().lower())
        if match is None:
            self.fail(f"{value!r} is no duration such as 5m, 2h or 1d", param, ctx)
        return float(int(match[1]) * _SECONDS[match[2]])
