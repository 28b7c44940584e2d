"""The settings of stream maps and flattening, which the SDK acts on."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from .declaration import setting


class SdkSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the settings of both plugins inherit; `stream_maps` each describes in its own words."""

    stream_map_config: Annotated[
        dict[str, Any] | None,
        setting("Stream Map Config", "Values for the expressions of stream maps.", private=True),
    ] = None
    faker_config: Annotated[
        dict[str, Any] | None,
        setting(
            "Faker Config",
            "Seed and locale of `fake` in stream maps, where the package faker is installed.",
        ),
    ] = None
    flattening_enabled: Annotated[
        bool | None,
        setting(
            "Flattening Enabled", "Turn the fields of nested objects into fields of the record."
        ),
    ] = None
    flattening_max_depth: (
        Annotated[int, setting("Flattening Max Depth", "How many levels to flatten.", least=0)]
        | None
    ) = None
    flattening_max_key_length: (
        Annotated[
            int, setting("Flattening Max Key Length", "Longest name of a flattened field.", least=1)
        ]
        | None
    ) = None
    flattening_separator: Annotated[
        str | None,
        setting(
            "Flattening Separator",
            "What stands between the names of a flattened field; if unset, two underscores.",
            keeps_blanks=True,
        ),
    ] = None
