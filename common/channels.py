"""Where settings come from: JSON files, the environment, `.env`; Meltano uses the first two.

Meltano changes the text of a setting by its `kind` before the plugin sees it (4.4.1,
`SettingDefinition.cast_value`): `boolean` makes false of any word but true, 1, yes and on;
`integer`, `options`, `object` and `array` end in a traceback on what they cannot read, empty text
included; `decimal` becomes what Meltano then fails to write as JSON; `date_iso8601` guesses.
`string` passes text on as it is, and numbers, lists and objects of meltano.yml as well. So every
setting is a `string` there. One case remains: an object that meltano.yml gives and a variable
gives too, even an empty one, is a traceback of Meltano's.

On Meltano Hub the kind is the first type in the JSON schema, but a `string` whose name holds `id`,
`key`, `token`, `secret` or `password` is made a secret, and `start_date` and `end_date` are dates
whatever is declared (hub-utils, `_parse_kind`). So settings that only sound like a secret name
another type first.
"""

from __future__ import annotations

import io
import json
import os
from typing import TYPE_CHECKING, Any

import click

from .declaration import declared_settings
from .errors import UserError
from .output import explained, read_file

if TYPE_CHECKING:
    from pathlib import PurePath

    import msgspec

config_option = click.option(
    "--config",
    "configs",
    multiple=True,
    help="Settings as the plugin gets them: a JSON file, or ENV.",
)


def read_files(*paths: str | PurePath) -> dict[str, Any]:
    """Return the settings that JSON files give, later ones before earlier ones.

    Raises:
        UserError: A file cannot be read or is no JSON object.
    """
    values: dict[str, Any] = {}
    for path in paths:
        values |= read_json(path, "--config")
    return values


def read_json(path: str | PurePath, option: str) -> dict[str, Any]:
    """Return the JSON object in a file that an option names.

    Raises:
        UserError: The file cannot be read or is no JSON object.
    """
    with explained(f"The file {path} given with {option} cannot be read"):
        text = read_file(path)
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        content = text
    if not isinstance(content, dict | None):
        raise UserError(f"The file {path} given with {option} is no JSON object.")
    return content or {}


def read_environment(declaration: type[msgspec.Struct], prefix: str) -> dict[str, str]:
    """Return the settings that variables with this prefix give, also those of a `.env`.

    The file is searched for from the working directory upwards; the environment comes before it.
    """
    from dotenv import dotenv_values, find_dotenv  # noqa: PLC0415 - only where it is wanted

    variables: dict[str, str | None] = {**os.environ}
    with explained("The file .env cannot be read"):
        path = find_dotenv(usecwd=True)
    try:
        with explained(f"The file {path} cannot be read"):
            text = read_file(path).decode() if path else ""
        variables = {**dotenv_values(stream=io.StringIO(text)), **variables}
    except UnicodeDecodeError:
        raise UserError(f"The file {path} is no UTF-8 text.") from None
    given = {
        each.name: variables.get(f"{prefix}_{each.name.upper()}")
        for each in declared_settings(declaration)
    }
    # An empty variable is not set, so it hides nothing that a file sets.
    return {name: value for name, value in given.items() if value and value.strip()}


def read_command_settings(
    declaration: type[msgspec.Struct], prefix: str, configs: tuple[str, ...]
) -> dict[str, Any]:
    """Return the settings for a command: those of the environment, overridden by files.

    Raises:
        UserError: A file cannot be read or is no JSON object.
    """
    files = read_files(*(path for path in configs if path != "ENV"))
    return read_environment(declaration, prefix) | files
