"""Where a live HubSpot may differ from what the tap takes for granted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.hubspot.store import Page


class Behaviour(msgspec.Struct, forbid_unknown_fields=True):
    """What HubSpot does; the defaults are what the reference says.

    Attributes:
        bounds: Whether events exactly at the bounds of a query are returned.
        stray_milliseconds: Events so long before the start of a query are returned too.
        order: Within a page.
        most_events: The largest page, whatever the limit.
        more_on_last_page: Whether `hasMore` is true as long as there are any events.
        more_on_empty_window: Whether it is true on an empty page without an offset before it.
        offset_gives: What an offset leads to.
        offsets_bound: Whether an offset is refused with other parameters.
        offsets_of_token: Whether an offset is refused with another access token.
        ignored_filters: Parameters that change nothing.
        excluded_too_much: Whether excludeFilteredEvents leaves out every other event.
        refused_types: Values of eventType that HubSpot does not know.
        history_days: How far back a query without startTimestamp goes, in days; 0 is for ever.
        forgetful: Whether every second answer to the same query lacks its newest event.
        date: Whether answers have a `Date`.
        limit_headers: Whether answers tell about the limits.
        token_info: What HubSpot tells about a fixed token: `all`, `no_scopes`, `other_scopes` or,
            as perhaps for a service key, `refuse`.
        contacts_missing: How a batch with an unknown address is answered: `part` or `refuse`.
    """

    bounds: Literal["inclusive", "start_exclusive", "end_exclusive"] = "inclusive"
    stray_milliseconds: int = 0
    order: Literal["newest_first", "oldest_first"] = "newest_first"
    most_events: int = 1000
    more_on_last_page: bool = False
    more_on_empty_window: bool = False
    offset_gives: Literal["next", "repeats_one", "skips_one"] = "next"
    offsets_bound: bool = True
    offsets_of_token: bool = False
    ignored_filters: list[Literal["eventType", "excludeFilteredEvents"]] = []
    excluded_too_much: bool = False
    refused_types: list[str] = []
    history_days: float = 0
    forgetful: bool = False
    date: bool = True
    limit_headers: bool = True
    token_info: Literal["all", "no_scopes", "other_scopes", "refuse"] = "all"
    contacts_missing: Literal["part", "refuse"] = "part"

    def span(self, start: int, end: int) -> tuple[int, int]:
        """What a query between two instants in milliseconds covers."""
        return (
            start - self.stray_milliseconds + (self.bounds == "start_exclusive"),
            end - (self.bounds == "end_exclusive"),
        )

    def ordered(self, payloads: Sequence[bytes]) -> Sequence[bytes]:
        """The events of a page in the order to give them."""
        return payloads if self.order == "newest_first" else payloads[::-1]

    def has_more(self, page: Page, *, first: bool) -> bool:
        """Whether to say that more follow a page, which may be the first of its query."""
        if not page.payloads:
            return page.has_more or (first and self.more_on_empty_window)
        return page.has_more or self.more_on_last_page
