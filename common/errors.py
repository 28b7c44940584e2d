"""Failures that a user can act on."""

from __future__ import annotations

import click

from .text import LONGEST_LINE, fit

_OUT_OF_MEMORY = (
    "The system gives this process no more memory, or no more threads; allow it more (ulimit, the "
    "container's limits), or lower max_concurrent_requests."
)


class UserError(click.ClickException):
    """A failure whose text is one sentence for the user: what is wrong, where, and what to do.

    Commands of click print it and exit with `exit_code`; the plugins log it.
    """

    def __init__(self, message: str) -> None:
        super().__init__(fit(message, LONGEST_LINE))


def sentence_of(error: BaseException) -> str | None:
    """Say in a sentence what an error means for the user; None if it is a fault of ours."""
    if isinstance(error, UserError):
        return error.message
    if isinstance(error, MemoryError) or "can't start new thread" in str(error):
        return _OUT_OF_MEMORY
    return None
