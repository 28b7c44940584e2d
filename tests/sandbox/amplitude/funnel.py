"""Funnels: which users went through some steps, in their order."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sandbox.amplitude.events import Event
    from sandbox.amplitude.users import Shown


def funnel(
    events: Iterable[Event], campaign_id: int | None, steps: Sequence[str]
) -> list[list[str]]:
    """The users who reached each step, of one campaign (``emailCampaignId``) or of all."""
    histories: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for event in events:
        if event.event_type in steps and campaign_id in {None, campaign_of(event)}:
            moment = event.time or 0, steps.index(event.event_type)
            histories[event.user_id or event.device].append(moment)
    users: list[list[str]] = [[] for _ in steps]
    for user, history in histories.items():
        next_step = 0
        for _, rank in sorted(history):
            if rank == next_step:
                users[next_step].append(user)
                next_step += 1
    return users


def campaign_of(event: Event) -> int | None:
    """The email campaign that an event names."""
    properties = msgspec.json.decode(event.event_properties) or {}
    campaign: int | None = properties.get("emailCampaignId")
    return campaign


def funnel_by_group(
    shown: Iterable[Shown],
    campaign_id: int | None,
    steps: Sequence[str],
    group_type: str,
    where: Mapping[str, Any],
) -> dict[str, dict[str, list[Any]]]:
    """The same for each group, of events whose users have some properties.

    Beside the numbers of ``reached`` stand the users who ``dropped`` out before the last step.
    """
    by_group: defaultdict[str, list[Event]] = defaultdict(list)
    for each in shown:
        if where.items() <= each.user_properties.items():
            for group in each.groups.get(group_type, ()):
                by_group[group].append(each.event)
    answer: dict[str, dict[str, list[Any]]] = {}
    for group, events in sorted(by_group.items()):
        users = funnel(events, campaign_id, steps)
        dropped = sorted(set(users[-2]) - set(users[-1])) if len(users) > 1 else []
        answer[group] = {"reached": [len(each) for each in users], "dropped": dropped}
    return answer
