"""A dry run that also shows an example of each type of event, without anyone's address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from typing_extensions import override

from target_amplitude.common.text import ADDRESS
from target_amplitude.delivery.destination import DryRun

if TYPE_CHECKING:
    from target_amplitude.delivery.block import Block

_MAX_TYPES = 100


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
        return "".join(
            msgspec.json.format(msgspec.json.encode(_masked(event)), indent=2).decode() + "\n"
            for _, event in self._examples.values()
        )


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return ADDRESS.sub("***@***", value)
    if isinstance(value, list):
        return [_masked(member) for member in value]
    if isinstance(value, dict):
        return {_masked(name): _masked(member) for name, member in value.items()}
    return value
