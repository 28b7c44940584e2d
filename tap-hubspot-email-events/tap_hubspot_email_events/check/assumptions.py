"""What the tap takes for granted about HubSpot's email events, and the place that relies on it.

HubSpot documents some of it, connectors have observed some, and none of it could be tried on a
live account before. `check --assumptions` asks an account; the local HubSpot of the tests can be
told to differ in each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tap_hubspot_email_events.check import changes, contents, pages
from tap_hubspot_email_events.check.finding import DIFFERS, UNKNOWN, Finding
from tap_hubspot_email_events.check.probe import BudgetSpentError, is_about_question
from tap_hubspot_email_events.errors import AccountError, DailyLimitError, RefusedError, TapError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_hubspot_email_events.check.evidence import Evidence


class Assumption(NamedTuple):
    """Something HubSpot is taken to do, and what of the tap relies on it."""

    name: str
    statement: str
    relied_on_by: str
    examine: Callable[[Evidence], tuple[str, str]]


ASSUMPTIONS = (
    # The first ask questions of their own, the others look at every page that these brought.
    Assumption(
        "bounds_inclusive",
        "startTimestamp and endTimestamp are inclusive, to the millisecond.",
        "reading/plan.py, Plan: parts end a millisecond before the next",
        pages.bounds_inclusive,
    ),
    Assumption(
        "page_of_1000",
        "A page has as many events as were asked for, up to 1,000, where so many are left.",
        "reading/plan.py, Plan.credit: requests for the events there are",
        pages.page_of_1000,
    ),
    Assumption(
        "empty_window",
        "A window without events is one empty page with no more to follow.",
        "reading/plan.py, Plan.receive: a quiet stream costs one request",
        pages.empty_window,
    ),
    Assumption(
        "last_page",
        "hasMore is false on the last page that has events.",
        "reading/plan.py, Plan.receive: a part is done",
        pages.last_page,
    ),
    Assumption(
        "offset_continues",
        "An offset leads to the very next event, without a gap or a repetition.",
        "reading/engine.py, Engine._read_page: pages of a part follow one another",
        pages.offset_continues,
    ),
    Assumption(
        "offset_bound_to_query",
        "An offset is refused with other parameters than those it was given for.",
        "reading/plan.py, Part.requested_start: a part that was cut keeps its query",
        pages.offset_bound_to_query,
    ),
    Assumption(
        "offset_outlives_token",
        "An offset is good beyond the access token it was given for.",
        "hubspot/client.py, HubSpotClient: a token is renewed between two pages",
        pages.offset_outlives_token,
    ),
    Assumption(
        "whole_history",
        "Without startTimestamp the whole history is read, as it is from 1 on.",
        "reading/bookmarks.py, first_instant: a start date as far back as one likes",
        pages.whole_history,
    ),
    Assumption(
        "exclude_filtered_events",
        "excludeFilteredEvents leaves out the events with filteredEvent, and no other.",
        "hubspot/events.py, Events: the setting exclude_filtered_events",
        contents.exclude_filtered_events,
    ),
    Assumption(
        "unbounce",
        "UNBOUNCE can be asked for, and has no type, recipient, portal, application or campaign.",
        "reading/records.py: type and portalId are filled in; the target has no user for it",
        contents.unbounce,
    ),
    Assumption(
        "event_types",
        "Each of the 21 event types can be asked for.",
        "streams/event_types.py, STREAM_OF_TYPE",
        contents.event_types,
    ),
    Assumption(
        "same_window_same_ids",
        "A closed window reads the same twice.",
        "reading/digests.py, SentEvents: what reads the same is not sent again",
        changes.same_window_same_ids,
    ),
    Assumption(
        "lag",
        "An event becomes visible within lookback_minutes of its creation.",
        "reading/bookmarks.py, Bookmark.next_start: what is older is complete",
        changes.lag,
    ),
    Assumption(
        "only_obsolescence_changes",
        "Nothing of an event changes later but its obsoletedBy.",
        "reading/digests.py, event_hash: what makes an event be sent again",
        changes.only_obsolescence_changes,
    ),
    Assumption(
        "newest_first",
        "Events come newest first, on a page and from page to page.",
        "reading/plan.py, Plan._cut: a full part is cut at its oldest event",
        pages.newest_first,
    ),
    Assumption(
        "created_within_window",
        "No event lies outside the window that was asked for.",
        "reading/engine.py, Engine: a part's events belong to its bookmark",
        pages.created_within_window,
    ),
    Assumption(
        "event_type_filter",
        "eventType returns events of that type alone.",
        "streams/streams.py, EventStream: a stream for each type",
        contents.event_type_filter,
    ),
    Assumption(
        "id_and_created",
        "Each event has an id that is text and a created that is milliseconds.",
        "reading/records.py, split_valid: key properties and bookmark",
        contents.id_and_created,
    ),
    Assumption(
        "ids_unique",
        "No two events have the same id, not of different types either.",
        "reading/digests.py, event_hash: and the target's insert_id",
        contents.ids_unique,
    ),
    Assumption(
        "portal_of_token",
        "An event's portalId is the token's account.",
        "reading/records.py: a missing portalId is filled in from the account",
        contents.portal_of_token,
    ),
    Assumption(
        "field_types",
        "Fields have the JSON types that HubSpot documents.",
        "streams/schemas.py, event_schema",
        contents.field_types,
    ),
    Assumption(
        "content_scope",
        "The scope `content` is enough to read events, with this kind of token too.",
        "hubspot/client.py, HubSpotClient.get: what the README tells to create",
        contents.content_scope,
    ),
    Assumption(
        "campaign_by_id",
        "A campaign is described by its id, with name, subject and type as text.",
        "hubspot/campaigns.py, campaign_details: the object emailCampaign",
        contents.campaign_by_id,
    ),
    Assumption(
        "contacts_by_email",
        "Contacts are found by address, and an unknown address costs no other.",
        "hubspot/contacts.py, Contacts._read: the object contact",
        contents.contacts_by_email,
    ),
    Assumption(
        "date_header",
        "Answers have a Date.",
        "hubspot/clock.py, HubSpotClock: a wrong clock of this machine costs no event",
        contents.date_header,
    ),
    Assumption(
        "limit_headers",
        "Answers have X-HubSpot-RateLimit-Max and -Remaining.",
        "hubspot/limiter.py, Limiter.learn: room for other apps",
        contents.limit_headers,
    ),
)


def examine(evidence: Evidence) -> Iterator[Finding]:
    """Look at each assumption, and yield what was found."""
    over = ""
    for assumption in ASSUMPTIONS:
        if over:
            yield Finding(assumption.name, UNKNOWN, over)
            continue
        try:
            yield Finding(assumption.name, *assumption.examine(evidence))
        except RefusedError as error:
            result = DIFFERS if is_about_question(error) else UNKNOWN
            yield Finding(assumption.name, result, str(error))
        except DailyLimitError:
            over = "the account's requests for today are used up"
            yield Finding(assumption.name, UNKNOWN, over)
        except (AccountError, BudgetSpentError) as error:
            over = str(error)
            yield Finding(assumption.name, UNKNOWN, over)
        except TapError as error:
            yield Finding(assumption.name, UNKNOWN, str(error))
