"""Write what is made from the settings as the plugins declare them.

These are the tables of the READMEs, the settings in meltano.yml, and the files for Meltano Hub.
Needs an environment with both plugins: `make docs`.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

import yaml

from hub.generate import about, hub_files
from hub.listing import LISTINGS
from target_amplitude.common.declaration import SdkSettings

ROOT = Path(__file__).parents[1]
BEGIN = "settings of {plugin}, written by `make docs`"
END = "end of the settings of {plugin}"
OF_THE_SDK = ("stream_maps", *SdkSettings.__struct_fields__)
SDK_PAGE = "https://sdk.meltano.com/en/latest/stream_maps.html"


def main() -> None:
    """Write every file below the folder given, this repository unless told otherwise."""
    parser = argparse.ArgumentParser(prog="python -m docs.generate")
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT)
    folder = parser.parse_args().folder
    for path, text in generated_files().items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")


def generated_files() -> dict[str, str]:
    """Return the text of every file that holds something generated, by its path."""
    files = {
        path: (ROOT / path).read_text("utf-8")
        for path in ("meltano.yml", *(f"{plugin}/README.md" for plugin in LISTINGS))
    }
    for plugin in LISTINGS:
        properties = about(plugin)["settings"]["properties"]
        readme = f"{plugin}/README.md"
        files[readme] = replaced(
            files[readme], plugin, readme_table(properties), comment="<!-- {} -->"
        )
        files["meltano.yml"] = replaced(
            files["meltano.yml"], plugin, meltano_settings(properties), comment="    # {}"
        )
    for path, content in hub_files().items():
        files[f"hub/{path}"] = yaml.safe_dump(content, allow_unicode=True)
    return files


def replaced(text: str, plugin: str, content: str, *, comment: str) -> str:
    """Return a text with new content between the two comments about a plugin.

    Raises:
        ValueError: If the comments are missing.
    """
    begin, end = (comment.format(words.format(plugin=plugin)) for words in (BEGIN, END))
    pattern = rf"({re.escape(begin)}\n).*?({re.escape(end)}\n)"
    made, count = re.subn(
        pattern, lambda found: f"{found[1]}{content}{found[2]}", text, flags=re.DOTALL
    )
    if count != 1:
        raise ValueError(f"{count} places for the settings of {plugin}")
    return made


def readme_table(properties: dict[str, dict[str, Any]]) -> str:
    """Return the settings as a table in Markdown, those of the SDK in one row."""
    rows = [
        f"| `{name}`{' (secret)' if schema.get('secret') else ''} | {_default(schema)} | "
        f"{_described(schema)} |"
        for name, schema in properties.items()
        if name not in OF_THE_SDK
    ]
    names = ", ".join(f"`{name}`" for name in properties if name in OF_THE_SDK)
    rows.append(f"| {names} | | the [SDK's own]({SDK_PAGE}) |")
    return "\n".join(["| setting | default | |", "|---|---|---|", *rows, ""])


def meltano_settings(properties: dict[str, dict[str, Any]]) -> str:
    """Return the settings as meltano.yml declares them, all of one kind.

    Any kind but `string` would change a value before the plugin sees it; what each one does stands
    in `common/channels.py`.
    """
    settings = []
    for name, schema in properties.items():
        setting: dict[str, Any] = {"name": name, "kind": "string", "label": schema["title"]}
        if schema.get("secret"):
            setting["sensitive"] = True
        if "default" in schema:
            setting["value"] = schema["default"]
        settings.append(setting | {"description": schema["description"]})
    lines = yaml.safe_dump(settings, sort_keys=False, allow_unicode=True, width=120).splitlines()
    return "".join(f"    {line}\n" for line in lines)


def _default(schema: dict[str, Any]) -> str:
    if "default" not in schema:
        return ""
    default = schema["default"]
    return f"`{default if isinstance(default, str) else json.dumps(default)}`"


def _described(schema: dict[str, Any]) -> str:
    text = schema["description"].rstrip(".").replace("|", "\\|")
    bounds = [str(schema[name]) for name in ("minimum", "maximum") if name in schema]
    return f"{text} ({' to '.join(bounds)})" if len(bounds) > 1 else text


if __name__ == "__main__":
    main()
