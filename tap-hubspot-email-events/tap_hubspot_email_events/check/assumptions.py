"""What the tap takes for granted about HubSpot's email events, and the place that relies on it.

HubSpot documents some of it, connectors have observed some, and none of it could be tried on a
live account before. `check --assumptions` asks an account; the local HubSpot of the tests can be
told to differ in each.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tap_hubspot_email_events.check import contents, pages
from tap_hubspot_email_events.check.probe import is_about_question
from tap_hubspot_email_events.common.findings import DIFFERS, UNKNOWN, Finding
from tap_hubspot_email_events.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_hubspot_email_events.check.evidence import Evidence
    from tap_hubspot_email_events.errors import TapError


ASSUMPTIONS: tuple[Callable[[Evidence], tuple[str, str]], ...] = (
    # The first ask questions of their own, the others look at every page that these brought.
    pages.bounds_inclusive,
    pages.page_of_1000,
    pages.empty_window,
    pages.last_page,
    pages.offset_continues,
    pages.offset_bound_to_query,
    pages.offset_outlives_token,
    pages.whole_history,
    contents.exclude_filtered_events,
    contents.unbounce,
    contents.event_types,
    pages.same_window_same_ids,
    pages.lag,
    pages.only_obsolescence_changes,
    pages.newest_first,
    pages.created_within_window,
    contents.event_type_filter,
    contents.id_and_created,
    contents.ids_unique,
    contents.portal_of_token,
    contents.field_types,
    contents.content_scope,
    contents.campaign_by_id,
    contents.contacts_by_email,
    contents.date_header,
    contents.limit_headers,
)
"""Each docstring says what is taken for granted, and what relies on it."""


def examine(evidence: Evidence) -> list[Finding]:
    """Look at each assumption."""
    return [
        evidence.probe.examine(each.__name__, partial(each, evidence), _result_of)
        for each in ASSUMPTIONS
    ]


def _result_of(error: TapError) -> str:
    is_refusal = isinstance(error, RefusedError) and is_about_question(error)
    return DIFFERS if is_refusal else UNKNOWN
