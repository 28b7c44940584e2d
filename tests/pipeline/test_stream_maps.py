"""The stream maps that docs/transforms.md gives do what the mappings do."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from mapped import mapped as mapper_lines
from pipeline.pipe import Pipe

if TYPE_CHECKING:
    from sandbox.client import Sandbox

GUIDE = Path(__file__).parents[2] / "docs/transforms.md"


def engagement(messages: list[bytes]) -> dict[str, dict[str, Any]]:
    """Opens and clicks by their id, without the empty URLs that say nothing."""
    records = [json.loads(line).get("record", {}) for line in messages]
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
    pipe = Pipe(tmp_path, sandbox)

    mapped = pipe.read(yaml.safe_load(block[1]))
    plain = pipe.read({})

    treated, _ = mapper_lines({"transforms": ["drop-bots", "strip-urls"]}, plain)
    assert 0 < len(engagement(treated)) < len(engagement(plain))
    assert engagement(mapped) == engagement(treated)
