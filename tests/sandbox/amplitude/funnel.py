"""Funnels: which users went through some steps, in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sandbox.amplitude.users import Shown

    Histories = dict[str, list[tuple[int, int]]]


class Step(msgspec.Struct):
    """What a funnel reads of an event."""

    event_type: str
    time: int = 0
    user_id: str | None = None
    device_id: str | None = None
    event_properties: dict[str, Any] = {}


DECODER = msgspec.json.Decoder(Step)


def funnel(events: Iterable[bytes], campaign_id: int | None, steps: Sequence[str]) -> list[int]:
    """The users who reached each step, of one campaign (``emailCampaignId``) or of all."""
    histories: Histories = {}
    for payload in events:
        add(histories, DECODER.decode(payload), campaign_id, steps)
    return [len(users) for users in reached(histories, len(steps))]


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
    by_group: dict[str, Histories] = {}
    for each in shown:
        if all(each.user_properties.get(name) == value for name, value in where.items()):
            for group in each.groups.get(group_type, ()):
                step = DECODER.decode(each.payload)
                add(by_group.setdefault(group, {}), step, campaign_id, steps)
    answer: dict[str, dict[str, list[Any]]] = {}
    for group, histories in sorted(by_group.items()):
        users = reached(histories, len(steps))
        dropped = sorted(set(users[-2]) - set(users[-1])) if len(users) > 1 else []
        answer[group] = {"reached": [len(each) for each in users], "dropped": dropped}
    return answer


def add(histories: Histories, event: Step, campaign_id: int | None, steps: Sequence[str]) -> None:
    """Add an event to the history of its user, if it is a step."""
    campaign = event.event_properties.get("emailCampaignId")
    if event.event_type in steps and (campaign_id is None or campaign == campaign_id):
        user = event.user_id or event.device_id or ""
        histories.setdefault(user, []).append((event.time, steps.index(event.event_type)))


def reached(histories: Histories, steps: int) -> list[list[str]]:
    """The users who reached each step."""
    users: list[list[str]] = [[] for _ in range(steps)]
    for user, history in histories.items():
        next_step = 0
        for _, rank in sorted(history):
            if rank == next_step:
                users[next_step].append(user)
                next_step += 1
    return users
