"""What Meltano Hub's weekly refresh makes of the settings that a plugin's `--about` prints.

The rules are those of meltano/hub-utils, `MeltanoUtil._parse_sdk_about_settings` and what it calls.
"""

from __future__ import annotations

import re
from typing import Any

ABBREVIATIONS = {
    "Aws": "AWS",
    "Url": "URL",
    "Id": "ID",
    "Db": "Database",
    "Api": "API",
    "Oauth": "OAuth",
    "Ssh": "SSH",
    "Ssl": "SSL",
}
SOUNDS_SECRET = ("password", "id", "token", "key", "secret")
KEPT_WORDS = ("http", "ssh", "ssl", "e.g.")


def refreshed_settings(about: dict[str, Any]) -> list[dict[str, Any]]:
    """The settings as the Hub lists them after a refresh."""
    settings = []
    for name, schema in about["settings"]["properties"].items():
        # The refresh lists the parts of an object one by one.
        assert "properties" not in schema
        assert "oneOf" not in schema
        kind = kind_of(name, schema)
        setting = {
            "name": name,
            "label": label_of(name),
            "description": description_of(schema["description"]),
            "kind": kind,
        }
        if kind == "options":
            setting["options"] = [
                {"label": label_of(value), "value": value} for value in schema["enum"]
            ]
        if schema.get("default") is not None and kind != "date_iso8601":
            setting["value"] = schema["default"]
        settings.append(setting)
    return settings


def kind_of(name: str, schema: dict[str, Any]) -> str:
    first: str = next(each for each in schema["type"] if each != "null")
    if first == "number":
        return "integer"
    if first != "string":
        return first
    if name in {"start_date", "end_date"}:
        return "date_iso8601"
    if any(word in name for word in SOUNDS_SECRET):
        return "password"
    return "options" if schema.get("enum") else "string"


def label_of(name: str) -> str:
    words = re.sub("[_.-]", " ", name).title()
    for written, meant in ABBREVIATIONS.items():
        words = words.replace(written, meant)
    return words


def description_of(text: str) -> str:
    """Each full stop ends a sentence, also within a word, and a sentence begins with a capital."""
    words = [
        word if any(kept in word for kept in KEPT_WORDS) else word.replace(".", ". ")
        for word in text.split()
    ]
    sentences = " ".join(" ".join(words).split()).split(". ")
    begun = []
    for sentence in sentences:
        first, _, rest = sentence.partition(" ")
        if not first[0].isupper() and first[0] != "'":
            first = first.capitalize()
        begun.append(f"{first} {rest}".strip())
    return ". ".join(begun)
