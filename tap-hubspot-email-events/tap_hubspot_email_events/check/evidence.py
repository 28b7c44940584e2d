"""What the assumptions are looked at with: events whose every companion in a window is known."""

from __future__ import annotations

import time
from functools import cached_property
from typing import TYPE_CHECKING

from tap_hubspot_email_events.check.probe import Window
from tap_hubspot_email_events.errors import TapError

if TYPE_CHECKING:
    from tap_hubspot_email_events.check.account_checks import AccountChecks
    from tap_hubspot_email_events.check.probe import PageSeen

DAY = 86_400_000
SAMPLE_DAYS = 30
FEW = 12
"""So many instants are enough to look at bounds and pages closely."""

MOST_PAGES = 10
"""More than a chain over a few events can have."""

TOO_FEW = "no type has three events older than the lookback"
NO_WAIT = "needs --wait, 5m for example"


class Evidence:
    """What the account's checks have seen, and more events to ask about; read when first needed.

    What the account has too few events for is a `TapError` that says so.
    """

    def __init__(self, checks: AccountChecks, *, wait: float) -> None:
        """Let `wait` seconds lie between two looks; with 0 there is one look only."""
        self.checks = checks
        self.probe = checks.probe
        self.settings = checks.settings
        self.now = checks.now
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
                if len(page.complete().instants) > 2:  # noqa: PLR2004
                    return page
        return None

    @cached_property
    def window(self) -> Window:
        """The part of that page's window of which it has every event."""
        if self.page is None:
            raise TapError(TOO_FEW)
        return self.page.complete()

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

    @property
    def followed(self) -> list[PageSeen]:
        """Those pages, if an offset led on from the first."""
        if len(self.chain) == 1:
            raise TapError(TOO_FEW)
        return self.chain

    @cached_property
    def looks(self) -> list[tuple[Window, Window]]:
        """Each window at a first look and at a second, cut to what both have whole."""
        if not self.wait:
            raise TapError(NO_WAIT)
        before = self._look()
        time.sleep(self.wait)
        return list(map(Window.common, before, self._look()))

    def _look(self) -> list[Window]:
        return [
            self.probe.page(kind, start, end).complete()
            for kind in self.checks.event_types
            for start, end in ((self.closed - DAY, self.closed), (self.closed + 1, self.now))
        ]
