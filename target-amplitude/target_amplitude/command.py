"""The command line: what a user can mend ends as one sentence and exit code 1."""

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


def one_sentence_command(
    command: click.Command,
    failures: tuple[type[Exception], ...],
) -> click.Command:
    """The command, with these failures and those of its configuration told in a sentence."""
    if command.callback is not None:
        command.callback = _told(command.callback, failures)
    for parameter in command.params:
        if parameter.name == "config" and parameter.callback is not None:
            parameter.callback = _readable(parameter.callback)
    return command


def _told(
    callback: Callable[..., Any],
    failures: tuple[type[Exception], ...],
) -> Callable[..., Any]:
    @functools.wraps(callback)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return callback(*args, **kwargs)
        except ConfigValidationError as invalid:
            for problem in invalid.errors:
                logger.error(problem)  # noqa: TRY400 - the sentence says it all
        except failures as failure:
            logger.error("%s", failure)  # noqa: TRY400 - the sentence says it all
        sys.exit(1)

    return run


def _readable(callback: Callable[..., Any]) -> Callable[..., Any]:
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
