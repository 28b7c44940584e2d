"""A dry run that also shows an example of each type of event, without anyone's address."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec
from typing_extensions import override

from target_amplitude.delivery.destination import DryRun

if TYPE_CHECKING:
    from target_amplitude.delivery.block import Block

_MAX_TYPES = 100

_QUOTED = r'\\"(?:[^"\\]|\\.)*?\\"'
_PLAIN = r'[^\s"\\<>(),:;]'
_ADDRESS = re.compile(rf"(?:{_QUOTED}|(?<!{_PLAIN}){_PLAIN}+)(?:@|%(?:25)*40)(?:{_PLAIN})+")
"""An address within JSON, also percent-encoded, with all that stands beside it without a blank."""


class Preview(DryRun):
    """Keeps of each type the event that says most of user and groups, and else most altogether."""

    def __init__(self) -> None:
        super().__init__(counts_users=True)
        self._examples: dict[str, tuple[tuple[int, int], dict[str, Any]]] = {}

    @override
    def add(self, block: Block) -> None:
        super().add(block)
        for queued in block.events:
            event = msgspec.json.decode(queued.body)
            said = len(event.get("user_properties", ())) + len(event.get("groups", ()))
            richness = (said, len(event.get("event_properties", ())))
            known = self._examples.get(event["event_type"])
            if known is None and len(self._examples) == _MAX_TYPES:
                continue
            if known is None or known[0] < richness:
                self._examples[event["event_type"]] = (richness, event)

    def text(self) -> str:
        """Return the examples as JSON, with `***@***` in the place of addresses."""
        examples = (msgspec.json.encode(event) for _, event in self._examples.values())
        shown = (msgspec.json.format(example, indent=2).decode() for example in examples)
        return "".join(f"{_ADDRESS.sub('***@***', each)}\n" for each in shown)
