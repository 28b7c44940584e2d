"""What HubSpot holds against what Amplitude holds, event by event."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

EVENT_NAMES = {
    "SENT": "[HubSpot] EMAIL_SENT",
    "PROCESSED": "[HubSpot] EMAIL_PROCESSED",
    "DROPPED": "[HubSpot] EMAIL_DROPPED",
    "DEFERRED": "[HubSpot] EMAIL_DEFERRED",
    "BOUNCE": "[HubSpot] EMAIL_BOUNCE",
    "DELIVERED": "[HubSpot] EMAIL_DELIVERED",
    "OPEN": "[HubSpot] EMAIL_OPEN",
    "CLICK": "[HubSpot] EMAIL_CLICK",
    "STATUSCHANGE": "[HubSpot] EMAIL_STATUS_CHANGE",
    "SPAMREPORT": "[HubSpot] EMAIL_SPAM_REPORT",
}


class TypeBalance(NamedTuple):
    """One event type on both sides; `missing` and `doubled` are counts of single events."""

    event_name: str
    in_hubspot: int
    in_amplitude: int
    missing: int
    doubled: int


def reconcile(
    hubspot_events: Iterable[Mapping[str, Any]],
    amplitude_events: Iterable[Mapping[str, Any]],
) -> list[TypeBalance]:
    """Compare both sides by the identity of each event: its id and its time in ms."""
    sources: dict[str, Counter[tuple[str, int]]] = {
        name: Counter() for name in EVENT_NAMES.values()
    }
    for event in hubspot_events:
        name = EVENT_NAMES.get(event.get("type", ""))
        if name:
            sources[name][event["id"], event["created"]] += 1
    arrivals: dict[str, Counter[tuple[str, int]]] = {name: Counter() for name in sources}
    for event in amplitude_events:
        if event["event_type"] in arrivals:
            arrivals[event["event_type"]][event["event_properties"]["id"], event["time"]] += 1
    return [
        TypeBalance(
            event_name=name,
            in_hubspot=source.total(),
            in_amplitude=arrivals[name].total(),
            missing=(source - arrivals[name]).total(),
            doubled=(arrivals[name] - source).total(),
        )
        for name, source in sources.items()
    ]


def balance_table(balances: Iterable[TypeBalance]) -> str:
    """Return both sides as text, a line for each event type and one for the sum."""
    rows = list(balances)
    _, *columns = zip(*rows, strict=True)
    rows.append(TypeBalance("all", *map(sum, columns)))
    lines = [f"{'':<32}{'HubSpot':>10}{'Amplitude':>11}{'missing':>9}{'doubled':>9}"]
    lines += [
        f"{name:<32}{hubspot:>10,}{amplitude:>11,}{missing:>9,}{doubled:>9,}"
        for name, hubspot, amplitude, missing, doubled in rows
    ]
    return "\n".join(lines)


def funnel_table(steps: Iterable[tuple[str, int]]) -> str:
    """Return the people of each step, with the share of the step before and of the first."""
    lines = [f"{'':<32}{'people':>10}{'of step before':>16}{'of first':>10}"]
    first = before = None
    for name, people in steps:
        of_before = "" if before is None else _percent(people, before)
        of_first = "" if first is None else _percent(people, first)
        lines.append(f"{name:<32}{people:>10,}{of_before:>16}{of_first:>10}")
        before = people
        first = people if first is None else first
    return "\n".join(lines)


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"
