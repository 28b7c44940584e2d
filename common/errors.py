"""Failures that a user can act on."""

from __future__ import annotations

import click


class UserError(click.ClickException):
    """A failure whose text is one sentence for the user: what is wrong, where, and what to do.

    Commands of click print it and exit with `exit_code`; the plugins log it.
    """
