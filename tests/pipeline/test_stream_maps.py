"""The stream maps that docs/transforms.md gives do what the mappings do."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from extracting.extractor import Runner
from mapped import mapped as mapper_lines

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.client import Sandbox

GUIDE = Path(__file__).parents[2] / "docs/transforms.md"


def engagement(messages: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Opens and clicks by their id, without the empty URLs that say nothing."""
    records = [message.get("record", {}) for message in messages]
    return {
        record["id"]: {name: value for name, value in record.items() if value != ""}
        for record in records
        if record.get("type") in {"OPEN", "CLICK"}
    }


def test_the_guides_stream_maps_treat_engagement_as_the_mappings_do(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    sandbox.generate(events=2_000, days=20)
    block = re.search(
        r"```yaml\n(stream_maps:.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL
    )
    assert block is not None
    tap = Runner(sandbox, tmp_path)

    mapped = tap(**yaml.safe_load(block[1])).messages
    plain = tap().messages

    lines = [json.dumps(message).encode() for message in plain]
    treated, _ = mapper_lines({"transforms": ["drop-bots", "strip-urls"]}, lines)
    by_mappings = engagement(map(json.loads, treated))
    assert 0 < len(by_mappings) < len(engagement(plain))
    assert engagement(mapped) == by_mappings
