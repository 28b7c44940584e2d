"""Funnels: how many users went through some steps, in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Step(msgspec.Struct):
    """What a funnel reads of an event."""

    event_type: str
    time: int = 0
    user_id: str | None = None
    device_id: str | None = None
    event_properties: dict[str, Any] = {}


def funnel(events: Iterable[bytes], campaign_id: int | None, steps: Sequence[str]) -> list[int]:
    """The users who reached each step, of one campaign (``emailCampaignId``) or of all."""
    decoder = msgspec.json.Decoder(Step)
    histories: dict[str, list[tuple[int, int]]] = {}
    ranks = {step: rank for rank, step in enumerate(steps)}
    for payload in events:
        event = decoder.decode(payload)
        rank = ranks.get(event.event_type)
        campaign = event.event_properties.get("emailCampaignId")
        if rank is not None and (campaign_id is None or campaign == campaign_id):
            user = event.user_id or event.device_id or ""
            histories.setdefault(user, []).append((event.time, rank))
    reached = [0] * len(steps)
    for history in histories.values():
        next_step = 0
        for _, rank in sorted(history):
            if rank == next_step:
                reached[next_step] += 1
                next_step += 1
    return reached
