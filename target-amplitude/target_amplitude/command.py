"""The command line: errors that a user can correct are one sentence and exit code 1."""

from __future__ import annotations

import functools
import logging
import sys
from typing import TYPE_CHECKING, Any

from singer_sdk.exceptions import ConfigValidationError

from target_amplitude.common.channels import read_config_option

if TYPE_CHECKING:
    from collections.abc import Callable

    import click

logger = logging.getLogger("target-amplitude")


def with_plain_errors(
    command: click.Command,
    failures: tuple[type[Exception], ...],
) -> click.Command:
    """Make a command report these failures, and those of its configuration, in a sentence."""
    if command.callback is not None:
        command.callback = _report(command.callback, failures)
    read_config_option(command)
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
