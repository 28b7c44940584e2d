"""Assumptions about windows, pages and offsets, and how what was read before changes."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from tap_hubspot_email_events.check.evidence import DAY, MOST_PAGES, SAMPLE_DAYS
from tap_hubspot_email_events.check.probe import FULL_PAGE, key
from tap_hubspot_email_events.common.findings import ASSUMED, DIFFERS, UNKNOWN

if TYPE_CHECKING:
    from tap_hubspot_email_events.check.evidence import Evidence
    from tap_hubspot_email_events.check.probe import PageSeen

MINUTE = 60_000
OBSOLESCENCE = "obsoletedBy"
NEW_TOKEN = "only OAuth renews a token"  # noqa: S105 - no secret


def newest_first(evidence: Evidence) -> tuple[str, str]:
    """Events come newest first, on a page and from page to page.

    Relied on by reading/plan.py, Plan._cut: a full part is cut at its oldest event.
    """
    series = [[page] for page in evidence.probe.pages]
    if evidence.page is not None:
        series.append(evidence.chain)
    pairs = wrong = 0
    for pages in series:
        created = [event["created"] for page in pages for event in page.events]
        pairs += max(0, len(created) - 1)
        wrong += sum(before < after for before, after in pairwise(created))
    if wrong:
        return DIFFERS, f"an event is newer than the one before it {wrong:,} of {pairs:,} times"
    if not pairs:
        return UNKNOWN, "no two events on a page"
    return ASSUMED, f"{pairs:,} events after another"


def bounds_inclusive(evidence: Evidence) -> tuple[str, str]:
    """StartTimestamp and endTimestamp are inclusive, to the millisecond.

    Relied on by reading/plan.py, Plan: parts end a millisecond before the next.
    """
    few = evidence.few
    page = evidence.probe.page(few.event_type, few.start, few.end)
    inner = evidence.probe.page(few.event_type, few.start + 1, few.end - 1)
    wrong = []
    for name, instant in (("startTimestamp", few.start), ("endTimestamp", few.end)):
        if instant not in page.instants:
            wrong.append(f"an event exactly at {name} is left out")
        if instant in inner.instants:
            wrong.append(f"an event a millisecond outside {name} is returned")
    return (DIFFERS, "; ".join(wrong)) if wrong else (ASSUMED, f"with {len(few.events)} events")


def created_within_window(evidence: Evidence) -> tuple[str, str]:
    """No event lies outside the window that was asked for.

    Relied on by reading/engine.py, Engine: a part's events belong to its bookmark.
    """
    distances = [
        max(page.start - event["created"], event["created"] - page.end)
        for page, event in evidence.probe.events
    ]
    if not distances:
        return UNKNOWN, "no events"
    if outside := [each for each in distances if each > 0]:
        words = f"{len(outside):,} of {len(distances):,} events, by up to {max(outside):,} ms"
        return DIFFERS, words
    return ASSUMED, f"all {len(distances):,} events"


def page_of_1000(evidence: Evidence) -> tuple[str, str]:
    """A page has as many events as were asked for, up to 1,000, where so many are left.

    Relied on by reading/plan.py, Plan.credit: requests for the events there are.
    """
    probe = evidence.probe
    is_seen = any(page.has_more for page in probe.pages if page.limit == FULL_PAGE)
    if evidence.page is not None and not is_seen:
        probe.page(evidence.page.event_type, 1, evidence.now)
    pages = [
        page for page in probe.pages if (page.has_more and page.raw) or len(page.raw) > page.limit
    ]
    wrong = [page for page in pages if len(page.raw) != page.limit]
    if wrong:
        sizes = sorted({f"{len(page.raw):,} events for limit={page.limit}" for page in wrong})
        return DIFFERS, "; ".join(sizes[:5])
    full = sum(page.limit == FULL_PAGE for page in pages)
    return (ASSUMED, f"full pages: {full}") if full else (UNKNOWN, "no type has 1,000 events")


def empty_window(evidence: Evidence) -> tuple[str, str]:
    """A window without events is one empty page with no more to follow.

    Relied on by reading/plan.py, Plan.receive: a quiet stream costs one request.
    """
    window = evidence.window
    gaps = [(b - a, a + 1, b - 1) for a, b in pairwise(window.instants) if b - a > 1]
    if not gaps:
        return UNKNOWN, "no two events are more than a millisecond apart"
    _, start, end = max(gaps)
    page = evidence.probe.page(window.event_type, start, end)
    if page.raw:
        return DIFFERS, f"{len(page.raw):,} events in a window that had none"
    if page.has_more:
        return DIFFERS, f"hasMore is true, {_offset(page)}"
    return ASSUMED, _offset(page)


def last_page(evidence: Evidence) -> tuple[str, str]:
    """HasMore is false on the last page that has events.

    Relied on by reading/plan.py, Plan.receive: a part is done.
    """
    chain = evidence.chain
    last = chain[-1]
    if last.has_more and last.offset is None:
        return DIFFERS, "hasMore is true without an offset to go on from"
    if last.has_more:
        return DIFFERS, f"hasMore is still true after {MOST_PAGES} pages"
    if not last.events and len(chain) > 1:
        return DIFFERS, "hasMore is true on the last page with events; an empty page follows"
    return ASSUMED, f"{_offset(last)}, after {len(chain)} pages"


def offset_continues(evidence: Evidence) -> tuple[str, str]:
    """An offset leads to the very next event, without a gap or a repetition.

    Relied on by reading/engine.py, Engine._read_page: pages of a part follow one another.
    """
    few, chain = evidence.few, evidence.followed
    count = sum(len(page.events) for page in chain)
    keys = set().union(*(page.keys for page in chain))
    missing, repeated = len(few.keys - keys), count - len(keys)
    if missing or repeated:
        return DIFFERS, f"of {len(few.keys)} events {missing} missing, {repeated} repeated"
    return ASSUMED, f"{count} events on {len(chain)} pages"


def offset_bound_to_query(evidence: Evidence) -> tuple[str, str]:
    """An offset is refused with other parameters than those it was given for.

    Relied on by reading/plan.py, Part.requested_start: a part that was cut keeps its query.
    """
    few, first, probe = evidence.few, evidence.followed[0], evidence.probe
    if status := probe.refusal(
        few.event_type, few.start + 1, few.end - 1, limit=first.limit, offset=first.offset
    ):
        return ASSUMED, status
    return DIFFERS, f"answered with {len(probe.pages[-1].raw)} events"


def offset_outlives_token(evidence: Evidence) -> tuple[str, str]:
    """An offset is good beyond the access token it was given for.

    Relied on by hubspot/client.py, HubSpotClient: a token is renewed between two pages.
    """
    if evidence.settings.access_token is not None:
        return UNKNOWN, NEW_TOKEN
    few, (first, second, *_) = evidence.few, evidence.followed
    authenticator = evidence.probe.api.authenticator
    authenticator.renew(authenticator.token())
    page = evidence.probe.page(
        few.event_type, few.start, few.end, limit=first.limit, offset=first.offset
    )
    if page.keys != second.keys:
        return DIFFERS, "another page than with the token before"
    return ASSUMED, "the same page as with the token before"


def whole_history(evidence: Evidence) -> tuple[str, str]:
    """Without startTimestamp the whole history is read, as it is from 1 on.

    Relied on by reading/bookmarks.py, first_instant: a start date as far back as one likes.
    """
    window, probe = evidence.window, evidence.probe
    month_ago = evidence.now - SAMPLE_DAYS * DAY
    for end in (month_ago, evidence.closed):
        bounded = probe.page(window.event_type, 1, end, limit=5)
        open_ended = probe.page(window.event_type, None, end, limit=5)
        if open_ended.keys != bounded.keys:
            words = f"{len(open_ended.raw)} of {len(bounded.raw)} events without startTimestamp"
            return DIFFERS, f"{words}, up to {(evidence.now - end) // DAY} d ago"
        if bounded.keys and end == month_ago:
            return ASSUMED, f"{len(bounded.raw)} events more than {SAMPLE_DAYS} days old"
    return UNKNOWN, f"no event is older than {SAMPLE_DAYS} days"


def same_window_same_ids(evidence: Evidence) -> tuple[str, str]:
    """A closed window reads the same twice.

    Relied on by reading/digests.py, SentEvents: what reads the same is not sent again.
    """
    window = evidence.window
    again = evidence.probe.page(window.event_type, window.start, window.end)
    before, after = window.common(again.complete())
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
    for before, after in evidence.looks:
        looked_at += len(before.events)
        closed += sum(event["created"] <= evidence.closed for event in before.events)
        gone += len(before.keys - after.keys)
        ages += [evidence.now - created for _, created in after.keys - before.keys]
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
    for before, after in evidence.looks:
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


def _offset(page: PageSeen) -> str:
    return "without an offset" if page.offset is None else "with an offset"
