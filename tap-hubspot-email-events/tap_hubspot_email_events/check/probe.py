"""Questions to HubSpot within a number of requests, and what its pages of events were like."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec
from typing_extensions import override

from tap_hubspot_email_events.common.findings import FAILED, UNKNOWN, Finding
from tap_hubspot_email_events.errors import AccountError, DailyLimitError, RefusedError, TapError
from tap_hubspot_email_events.hubspot.client import RequestCount
from tap_hubspot_email_events.reading.records import split_valid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_hubspot_email_events.hubspot.api import HubSpotApi
    from tap_hubspot_email_events.hubspot.events import Event

FULL_PAGE = 1000
DAILY_LIMIT = "the account's requests for today are used up; run this again after midnight there"

_decode_object = msgspec.json.Decoder(dict[str, Any]).decode


class BudgetSpentError(TapError):
    """A check may send no more requests."""


class Budget(RequestCount):
    """The requests of a check, retries included, of which there are at most `most`."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    @override
    def add(self, *, retried: bool) -> None:
        """Count one request before it is sent.

        Raises:
            BudgetSpentError: It would be one too many.
        """
        if self.requests >= self._most:
            raise BudgetSpentError(f"no requests left of {self._most}")
        super().add(retried=retried)


@dataclass(frozen=True, slots=True)
class Window:
    """Events of a type between two instants, both inclusive, in milliseconds."""

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

    def common(self, other: Window) -> tuple[Window, Window]:
        """The parts of this and another look at the same window that both have whole."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return self.within(start, end), other.within(start, end)


@dataclass(frozen=True, slots=True)
class PageSeen(Window):
    """A page of events, what it was asked with, and all of it as HubSpot sent it (`raw`)."""

    limit: int
    raw: list[Any]
    has_more: bool
    offset: str | None

    def complete(self) -> Window:
        """The part of the window of which the page has every event.

        A page that more follow may end amid an instant. Where it does not begin with the newest,
        its other end is not trusted either.
        """
        if not self.has_more or not self.events:
            return self.within(self.start, self.end)
        instants = self.instants
        newest_first = self.events[0]["created"] == instants[-1]
        return self.within(instants[0] + 1, self.end if newest_first else instants[-1] - 1)


class Probe:
    """Asks HubSpot, remembers every page of events, and makes findings of what was asked."""

    def __init__(self, api: HubSpotApi, most_requests: int) -> None:
        """Send at most `most_requests` requests, retries included."""
        self.api = api
        self.budget = Budget(most_requests)
        self.pages: list[PageSeen] = []
        # Nothing else can be asked.
        self.is_over = False

    @property
    def events(self) -> Iterator[tuple[PageSeen, Event]]:
        """Every event seen, with its page."""
        return ((page, event) for page in self.pages for event in page.events)

    def examine(
        self,
        name: str,
        check: Callable[[], tuple[str, str]],
        result_of: Callable[[TapError], str] = lambda _: FAILED,
    ) -> Finding:
        """Make a finding of a check; `result_of` says what a failure of HubSpot's amounts to."""
        if self.is_over:
            return Finding(name, UNKNOWN, "not asked any more")
        try:
            return Finding(name, *check())
        except BudgetSpentError as error:
            return Finding(name, UNKNOWN, str(error))
        except TapError as error:
            self.is_over = isinstance(error, AccountError | DailyLimitError)
            words = DAILY_LIMIT if isinstance(error, DailyLimitError) else str(error)
            return Finding(name, result_of(error), words)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            # What a check reads of an answer is of another form than HubSpot documents.
            words = f"HubSpot's answer has an unknown form ({type(error).__name__})"
            return Finding(name, UNKNOWN, words)

    def get(self, path: str, **params: Any) -> dict[str, Any]:
        """Fetch an object.

        Raises:
            TapError: HubSpot does not answer, or the requests are spent.
        """
        return self.api.client.get(path, params, _decode_object, self.budget)

    def post(self, path: str, content: Any, *, scope: str) -> dict[str, Any]:
        """Fetch an object by a POST that only reads; raises what `get` raises."""
        return self.api.client.post(path, content, _decode_object, self.budget, scope=scope)

    def page(  # noqa: PLR0913 - HubSpot's parameters
        self,
        event_type: str,
        start: int | None,
        end: int,
        *,
        limit: int = FULL_PAGE,
        offset: str | None = None,
        exclude_filtered: bool = False,
    ) -> PageSeen:
        """Fetch a page of events of one type; raises what `get` raises."""
        page = self.api.page(
            event_type,
            start,
            end,
            offset,
            self.budget,
            limit=limit,
            exclude_filtered=exclude_filtered,
        )
        # Put into the tap's form in place, so what HubSpot really sent is kept beside it.
        raw = [dict(each) if isinstance(each, dict) else each for each in page.events]
        events, _ = split_valid(page.events)
        seen = PageSeen(
            event_type,
            start or 0,
            end,
            events,
            limit=limit,
            raw=raw,
            has_more=page.has_more,
            offset=None if page.offset in (None, "") else str(page.offset),
        )
        self.pages.append(seen)
        return seen

    def refusal(self, event_type: str, start: int, end: int, **asked: Any) -> str:
        """The status with which HubSpot refuses to answer such a question; empty if it does not.

        Raises what `get` raises for any other reason.
        """
        try:
            self.page(event_type, start, end, **asked)
        except RefusedError as error:
            if not is_about_question(error):
                raise
            return f"HTTP {error.status}"
        return ""


def is_about_question(error: RefusedError) -> bool:
    """Whether HubSpot refused what was asked, rather than failed (5xx) or lacked a scope (403)."""
    # HTTP's classes of answers.
    return error.status < 500 and error.status != HTTPStatus.FORBIDDEN  # noqa: PLR2004


def key(event: Event) -> tuple[str, int]:
    """What names an event."""
    return event["id"], event["created"]
