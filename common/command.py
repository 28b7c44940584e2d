"""Commands that end in sentences, whatever becomes of their standard streams and their memory."""

from __future__ import annotations

import errno
import logging
import os
import re
import sys
import traceback
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import click
from typing_extensions import override

from .errors import sentence_of
from .output import discard, reason, say
from .text import LONGEST_LINE, fit

if TYPE_CHECKING:
    from collections.abc import Iterator


_DURATION = re.compile(r"(\d{1,6})\s*([smhd]?)", re.ASCII)
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}


class Command(click.Command):
    """A command that reports what it could not print, and shows foreign words only as `fit` do."""

    @override
    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        try:
            return super().make_context(*args, **kwargs)
        except click.ClickException as error:
            error.message = fit(error.message, LONGEST_LINE)  # type: ignore[misc]
            raise

    @override
    def main(self, *args: Any, **kwargs: Any) -> Any:
        _reserve_descriptors()
        code: Any = 1
        if sys.stdout is None:
            _complain("Standard output is closed; lead it somewhere, to /dev/null for example.")
            sys.exit(code)
        try:
            with _fit_log():
                super().main(*args, **kwargs)
        except SystemExit as ended:
            code = ended.code
        except Exception as error:  # noqa: BLE001 - its text may hold data
            _explain(error)
        try:
            sys.stdout.flush()
        except (OSError, ValueError) as error:
            code = 1
            _explain(error)
        if sys.stderr is not None:
            try:
                sys.stderr.flush()
            except OSError:
                discard(sys.stderr)
        sys.exit(code)


def duration(text: str) -> float:
    """Read an option's duration such as 90s, 5m, 1h or 1d; returns seconds.

    Raises:
        BadParameter: If it is none.
    """
    match = _DURATION.fullmatch(text.strip().lower())
    if match is None:
        raise click.BadParameter(f"{text!r} is no duration such as 5m, 2h or 1d")
    return float(int(match[1]) * _SECONDS[match[2]])


class _FitRecord(logging.LogRecord):
    @override
    def getMessage(self) -> str:
        return fit(super().getMessage().strip(), LONGEST_LINE)


@contextmanager
def _fit_log() -> Iterator[None]:
    before = logging.getLogRecordFactory()
    logging.setLogRecordFactory(_FitRecord)
    try:
        yield
    finally:
        logging.setLogRecordFactory(before)


def _explain(error: Exception) -> None:
    """Say why the command ended; of a fault of ours where it is, but not its text."""
    # Those of files are sentences by now.
    if isinstance(error, OSError) and error.filename is None:
        discard(sys.stdout)
        if error.errno != errno.EPIPE:
            _complain(f"Standard output cannot be written to: {reason(error)}.")
    elif (sentence := sentence_of(error)) is not None:
        _complain(sentence)
    else:
        lines = "".join(traceback.format_tb(error.__traceback__)).splitlines()
        _complain(
            f"{type(error).__name__}, which is a fault of this program; report it with the lines "
            "below, which hold no data.",
            *lines,
        )


def _complain(sentence: str, *lines: str) -> None:
    with suppress(OSError):
        for line in (f"Error: {sentence}", *lines):
            say(line, err=True)


def _reserve_descriptors() -> None:
    """Open what is closed of the first three, or a file opened later would get what is printed."""
    with suppress(OSError):
        while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:  # noqa: PLR2004
            pass
        os.close(descriptor)
