"""Assumptions about how what was read before changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_hubspot_email_events.check.evidence import common, complete
from tap_hubspot_email_events.check.probe import key
from tap_hubspot_email_events.common.findings import ASSUMED, DIFFERS, UNKNOWN

if TYPE_CHECKING:
    from tap_hubspot_email_events.check.evidence import Evidence

MINUTE = 60_000
OBSOLESCENCE = "obsoletedBy"


def same_window_same_ids(evidence: Evidence) -> tuple[str, str]:
    """A closed window reads the same twice.

    Relied on by reading/digests.py, SentEvents: what reads the same is not sent again.
    """
    window = evidence.window
    again = complete(evidence.probe.page(window.event_type, window.start, window.end))
    before, after = common(window, again)
    gone, new = len(before.keys - after.keys), len(after.keys - before.keys)
    if gone or new:
        return DIFFERS, f"of {len(before.keys):,} events {gone:,} are gone, {new:,} are new"
    return ASSUMED, f"{len(before.keys):,} events"


def lag(evidence: Evidence) -> tuple[str, str]:
    """An event becomes visible within lookback_minutes of its creation.

    Relied on by reading/bookmarks.py, Bookmark.next_start: what is older is complete.
    """
    looked_at = closed = gone = 0
    ages: list[int] = []
    for before, after in evidence.looks.windows:
        looked_at += len(before.events)
        closed += sum(event["created"] <= evidence.closed for event in before.events)
        gone += len(before.keys - after.keys)
        ages += [
            evidence.looks.at - event["created"]
            for event in after.events
            if key(event) not in before.keys
        ]
    lookback = evidence.settings.lookback
    late = [age for age in ages if age > lookback]
    words = f"{len(ages):,} events appeared"
    if ages:
        words += f", up to {max(ages) // MINUTE:,} min after their creation"
    if gone:
        words += f"; {gone:,} disappeared"
    if late:
        minutes = evidence.settings.lookback_minutes
        return DIFFERS, f"{words}; {len(late):,} beyond lookback_minutes = {minutes}"
    if not closed:
        return UNKNOWN, f"no events older than the lookback; {words}"
    return ASSUMED, f"{words}, beside {looked_at:,}, {evidence.wait:,.0f} s later"


def only_obsolescence_changes(evidence: Evidence) -> tuple[str, str]:
    """Nothing of an event changes later but its obsoletedBy.

    Relied on by reading/digests.py, event_hash: what makes an event be sent again.
    """
    count = changed = obsolete = 0
    names: set[str] = set()
    for before, after in evidence.looks.windows:
        known = {key(event): event for event in before.events}
        for event in after.events:
            old = known.get(key(event))
            if old is None:
                continue
            count += 1
            differing = {
                name for name in old.keys() | event.keys() if old.get(name) != event.get(name)
            }
            obsolete += OBSOLESCENCE in differing
            if others := differing - {OBSOLESCENCE}:
                changed += 1
                names |= others
    if changed:
        return DIFFERS, f"{changed:,} of {count:,} events, in {', '.join(sorted(names))}"
    if not count:
        return UNKNOWN, "no events"
    return ASSUMED, f"{count:,} events, {obsolete:,} became obsolete"
