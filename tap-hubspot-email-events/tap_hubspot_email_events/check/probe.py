"""Questions to HubSpot within a number of requests, and what its pages of events were like."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec
from typing_extensions import override

from tap_hubspot_email_events.errors import TapError
from tap_hubspot_email_events.hubspot.client import RequestCount
from tap_hubspot_email_events.reading.records import split_valid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_hubspot_email_events.errors import RefusedError
    from tap_hubspot_email_events.hubspot.api import HubSpotApi
    from tap_hubspot_email_events.hubspot.events import Event

FULL_PAGE = 1000
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
class PageSeen:
    """A page of events, and what was asked for; instants in milliseconds, both bounds inclusive."""

    event_type: str
    start: int | None
    end: int
    limit: int
    raw: list[Any]
    events: list[Event]
    has_more: bool
    offset: str | None

    @property
    def keys(self) -> list[tuple[str, int]]:
        """Id and creation of each event, in the order received."""
        return [key(event) for event in self.events]


class Probe:
    """Asks HubSpot, and remembers every page of events."""

    def __init__(self, api: HubSpotApi, most_requests: int) -> None:
        """Send at most `most_requests` requests, retries included."""
        self.api = api
        self.budget = Budget(most_requests)
        self.pages: list[PageSeen] = []

    @property
    def events(self) -> Iterator[tuple[PageSeen, Event]]:
        """Every event seen, with its page."""
        return ((page, event) for page in self.pages for event in page.events)

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
        next_offset = None if page.offset in (None, "") else str(page.offset)
        seen = PageSeen(event_type, start, end, limit, raw, events, page.has_more, next_offset)
        self.pages.append(seen)
        return seen


def is_about_question(error: RefusedError) -> bool:
    """Whether HubSpot refused what was asked, rather than failed (5xx) or lacked a scope (403)."""
    # HTTP's classes of answers.
    return error.status < 500 and error.status != HTTPStatus.FORBIDDEN  # noqa: PLR2004


def key(event: Event) -> tuple[str, int]:
    """What names an event."""
    return event["id"], event["created"]
