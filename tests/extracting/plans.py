"""A plan in figures: pages of ten events, mostly one every ten milliseconds."""

from __future__ import annotations

from tap_hubspot_email_events.reading.part import Part, PartKind, PartStatus
from tap_hubspot_email_events.reading.plan import Plan

PAGE = 10
HEAD, WINDOW, BURST, REST = PartKind.HEAD, PartKind.WINDOW, PartKind.BURST, PartKind.REST


def plan_of(end: int = 10_000, *parts: Part) -> Plan:
    plan = Plan(1, end, page_size=PAGE)
    if parts:
        plan.parts = list(parts)
    return plan


def part(
    start: int, end: int, kind: PartKind = REST, *, oldest: int | None = None, events: int = 0
) -> Part:
    """A part that has not been asked for, or one that is read down to `oldest`."""
    made = Part(start, end, kind)
    if oldest is not None:
        made.status, made.oldest, made.events = PartStatus.READING, oldest, events
        made.requested_start = start
    return made


def take(plan: Plan) -> Part:
    taken = plan.take()
    assert taken is not None
    return taken


def page(newest: int, count: int = PAGE, step: int = 10) -> list[int]:
    return [newest - step * number for number in range(count)]


def receive(plan: Plan, of: Part, created: list[int], offset: str | None = "next") -> int | None:
    """A page with more to follow."""
    return plan.receive(of, created, has_more=True, offset=offset)


def finish(plan: Plan, of: Part, created: list[int]) -> None:
    assert plan.receive(of, created, has_more=False, offset=None) is None


def rows(plan: Plan) -> list[tuple[int, int, PartKind]]:
    return [(each.start, each.end, each.kind) for each in plan.parts]


def with_credit(plan: Plan, requests: float) -> None:
    """Let a plan have so many requests to its credit, beside those of parts being read."""
    reading = sum(each.status is PartStatus.READING for each in plan.parts)
    plan.requests = 0
    plan.events = round((requests + reading - 3) * PAGE / 1.5)
