"""What the assumptions are looked at with: events whose every companion in a window is known."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from tap_hubspot_email_events.check.probe import key
from tap_hubspot_email_events.errors import TapError

if TYPE_CHECKING:
    from tap_hubspot_email_events.check.account_checks import AccountChecks
    from tap_hubspot_email_events.check.probe import PageSeen, Probe
    from tap_hubspot_email_events.hubspot.events import Event
    from tap_hubspot_email_events.settings import Settings

DAY = 86_400_000
SAMPLE_DAYS = 30
FEW = 12
"""So many instants are enough to look at bounds and pages closely."""

MOST_PAGES = 10
"""More than a chain over a few events can have."""

TOO_FEW = "no type has three events older than the lookback"
NO_WAIT = "needs --wait, 5m for example"


@dataclass(frozen=True, slots=True)
class Window:
    """All events of a type between two instants, both inclusive, in milliseconds."""

    event_type: str
    start: int
    end: int
    events: list[Event]

    @property
    def instants(self) -> list[int]:
        """When events were created, each instant once, oldest first."""
        return sorted({event["created"] for event in self.events})

    @property
    def keys(self) -> set[tuple[str, int]]:
        """Id and creation of each event."""
        return {key(event) for event in self.events}

    def within(self, start: int, end: int) -> Window:
        """The part of it between two instants, both inclusive."""
        events = [event for event in self.events if start <= event["created"] <= end]
        return Window(self.event_type, start, end, events)


class Evidence:
    """The probe, and the events that questions are asked about; made when first needed.

    What the account has too few events for is a `TapError` that says so.
    """

    def __init__(
        self, probe: Probe, settings: Settings, checks: AccountChecks, now: int, *, wait: float
    ) -> None:
        """Take `now`, in milliseconds, for the end of time; `wait` seconds lie between two looks.

        With a `wait` of 0 there is one look only.
        """
        self.probe = probe
        self.settings = settings
        self.checks = checks
        self.now = now
        self.wait = wait

    @property
    def closed(self) -> int:
        """Up to here the tap takes events for complete, in milliseconds."""
        return self.now - self.settings.lookback - 1

    @cached_property
    def page(self) -> PageSeen | None:
        """The events of one type that are older than the lookback; None where there are too few."""
        # A day's page tells more than the single event that is looked for where it is empty.
        kinds = sorted(
            self.checks.newest.items(), key=lambda each: (each[1].limit, len(each[1].events))
        )
        for start in (self.closed - SAMPLE_DAYS * DAY, 1):
            for kind, _ in reversed(kinds[-3:]):
                page = self.probe.page(kind, start, self.closed)
                # One at each bound, one between.
                if len(complete(page).instants) > 2:  # noqa: PLR2004
                    return page
        return None

    @cached_property
    def window(self) -> Window:
        """The part of that page's window of which it has every event."""
        if self.page is None:
            raise TapError(TOO_FEW)
        return complete(self.page)

    @cached_property
    def few(self) -> Window:
        """The newest few of them, with an event at each bound."""
        instants = self.window.instants[-FEW:]
        return self.window.within(instants[0], instants[-1])

    @cached_property
    def chain(self) -> list[PageSeen]:
        """The pages of those few, by offsets, as long as there are more."""
        few = self.few
        limit = max(1, len(few.events) // 4)
        pages: list[PageSeen] = []
        offset = None
        while len(pages) < MOST_PAGES:
            page = self.probe.page(few.event_type, few.start, few.end, limit=limit, offset=offset)
            pages.append(page)
            offset = page.offset
            if not page.has_more or offset is None:
                break
        return pages

    @cached_property
    def looks(self) -> list[tuple[Window, Window]]:
        """Each window at a first look and at a second, cut to what both have whole."""
        if not self.wait:
            raise TapError(NO_WAIT)
        before = self._look()
        time.sleep(self.wait)
        return list(map(common, before, self._look()))

    def _look(self) -> list[Window]:
        return [
            complete(self.probe.page(kind, start, end))
            for kind in self.checks.event_types
            for start, end in ((self.closed - DAY, self.closed), (self.closed + 1, self.now))
        ]


def complete(page: PageSeen) -> Window:
    """The part of a page's window of which the page has every event.

    A page that more follow may end amid an instant. Where it does not begin with the newest, its
    other end is not trusted either.
    """
    start, end = page.start or 1, page.end
    window = Window(page.event_type, start, end, page.events)
    if not page.has_more or not page.events:
        return window.within(start, end)
    instants = window.instants
    newest_first = page.events[0]["created"] == instants[-1]
    return window.within(instants[0] + 1, end if newest_first else instants[-1] - 1)


def common(before: Window, after: Window) -> tuple[Window, Window]:
    """Cut the same window of two looks to what both have whole."""
    start, end = max(before.start, after.start), min(before.end, after.end)
    return before.within(start, end), after.within(start, end)
