"""The command line: errors that a user can correct are one sentence and exit code 1."""

from __future__ import annotations

import functools
import logging
import sys
from typing import TYPE_CHECKING, Any

import click
from singer_sdk.exceptions import ConfigValidationError

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger("target-amplitude")


def with_plain_errors(
    command: click.Command,
    failures: tuple[type[Exception], ...],
) -> click.Command:
    """Make a command report these failures, and those of its configuration, in a sentence."""
    if command.callback is not None:
        command.callback = _report(command.callback, failures)
    for parameter in command.params:
        if parameter.name == "config" and parameter.callback is not None:
            parameter.callback = _report_unreadable(parameter.callback)
    return command


def _report(
    callback: Callable[..., Any],
    failures: tuple[type[Exception], ...],
) -> Callable[..., Any]:
    @functools.wraps(callback)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return callback(*args, **kwargs)
        except ConfigValidationError as invalid:
            for problem in invalid.errors:
                logger.error(problem)  # noqa: TRY400 - a user needs no traceback
        except failures as failure:
            logger.error("%s", failure)  # noqa: TRY400 - a user needs no traceback
        sys.exit(1)

    return run


def _report_unreadable(callback: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(callback)
    def read(context: click.Context, parameter: click.Parameter, value: tuple[str, ...]) -> Any:
        try:
            return callback(context, parameter, value)
        except OSError as failure:
            raise click.ClickException(
                f"The file given with --config cannot be read: {failure.strerror}.",
            ) from None
        except (ValueError, TypeError):
            raise click.ClickException("The file given with --config is not JSON.") from None

    return read
