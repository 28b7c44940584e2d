"""What is true of the account: who the token is, what it may do, and what there is to read."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from tap_hubspot_email_events.check.probe import BudgetSpentError
from tap_hubspot_email_events.common.event_types import STREAM_OF_TYPE
from tap_hubspot_email_events.common.findings import FAILED, OK, UNKNOWN, Finding
from tap_hubspot_email_events.common.text import fit
from tap_hubspot_email_events.errors import (
    AccountError,
    ConfigError,
    DailyLimitError,
    NotFoundError,
    RefusedError,
    TapError,
)
from tap_hubspot_email_events.hubspot.account import ACCOUNT_PATH
from tap_hubspot_email_events.hubspot.campaigns import (
    CAMPAIGN_FIELDS,
    CAMPAIGNS_PATH,
    campaign_details,
)
from tap_hubspot_email_events.hubspot.contacts import CONTACTS_BATCH, CONTACTS_SCOPE, address_of
from tap_hubspot_email_events.reading.bookmarks import first_instant, read_bookmark
from tap_hubspot_email_events.timestamps import format_timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tap_hubspot_email_events.check.probe import PageSeen, Probe
    from tap_hubspot_email_events.hubspot.events import Event
    from tap_hubspot_email_events.settings import Settings

TOKEN_INFO_PATH = "/oauth/v2/private-apps/get/access-token-info"  # noqa: S105 - an address
"""What the token of an app may do; whether service keys are known there is written nowhere."""

DAY = 86_400_000
NOTABLE_CLOCK = 120_000
"""In milliseconds, as in the warning of a run."""

CAMPAIGNS_TRIED = 3
CONTENT_SCOPE = "content"
DAILY_LIMIT = "the account's requests for today are used up; run this again after midnight there"

_STATE_ID = "prod:tap-hubspot-email-events-to-target-amplitude"
"""Meltano's name for the state of this project's pipeline."""


class AccountChecks:
    """Checks the account, one finding after the other."""

    def __init__(
        self,
        probe: Probe,
        settings: Settings,
        event_types: Sequence[str],
        state: Mapping[str, Any] | None,
        now: int,
    ) -> None:
        """Check for the streams of `event_types`, at the instant `now`, in milliseconds."""
        self._probe = probe
        self._settings = settings
        self.event_types = event_types
        self._state = state
        self._now = now
        self.readable = False
        self.scopes: list[str] | None = None
        self.kind_of_credentials = ""
        self.portal_id: int | None = None
        # The newest events of each type, as far as they could be read.
        self.newest: dict[str, PageSeen] = {}
        self.campaign: tuple[int, dict[str, Any]] | None = None
        # Nothing else can be asked.
        self.is_over = False

    def run(self) -> Iterator[Finding]:
        """Yield each finding."""
        yield self._examine("portal", self._portal)
        if self.is_over:
            return
        # Before the scopes, since one that HubSpot does not name but that is not missed does no
        # harm.
        streams = [
            self._examine(STREAM_OF_TYPE[each], self._stream, each) for each in self.event_types
        ]
        yield self._examine("token", self._token)
        yield self._examine("scopes", self._granted)
        yield self._clock()
        yield self._whole(streams)
        yield from streams
        yield self._examine("campaigns", self._campaigns)
        if self._settings.contact_properties:
            yield from self._contacts()
        yield self._limits()
        yield self._bookmarks()

    def _examine(self, name: str, check: Callable[..., tuple[str, str]], *given: Any) -> Finding:
        if self.is_over:
            return Finding(name, UNKNOWN, "not asked any more")
        try:
            return Finding(name, *check(*given))
        except BudgetSpentError as error:
            return Finding(name, UNKNOWN, str(error))
        except DailyLimitError:
            self.is_over = True
            return Finding(name, FAILED, DAILY_LIMIT)
        except AccountError as error:
            self.is_over = True
            return Finding(name, FAILED, str(error))
        except TapError as error:
            return Finding(name, FAILED, str(error))

    def _portal(self) -> tuple[str, str]:
        details = self._probe.get(ACCOUNT_PATH)
        portal = details.get("portalId")
        self.portal_id = portal if type(portal) is int else None
        parts = [
            f"{words} {fit(details[name])}"
            for name, words in (
                ("portalId", "id"),
                ("accountType", "type"),
                ("timeZone", "time zone"),
                ("dataHostingLocation", "data centre"),
                ("uiDomain", "at"),
            )
            if details.get(name) not in (None, "")
        ]
        return (FAILED if self.portal_id is None else OK), ", ".join(parts) or "no details"

    def _token(self) -> tuple[str, str]:
        if self._settings.access_token is None:
            self.kind_of_credentials = "OAuth"
            self.scopes = self._probe.api.authenticator.scopes
            return OK, "an access token by OAuth"
        try:
            told = self._probe.post(
                TOKEN_INFO_PATH, {"tokenKey": self._settings.access_token}, scope="oauth"
            )
        except RefusedError as error:
            self.kind_of_credentials = "fixed"
            return OK, (
                "a fixed token of which HubSpot tells no more, as a service key's may be "
                f"(HTTP {error.status})"
            )
        self.kind_of_credentials = "app"
        scopes = told.get("scopes")
        self.scopes = [str(each) for each in scopes] if isinstance(scopes, list) else None
        return OK, f"the fixed token of an app, app id {told.get('appId', 'unknown')}"

    def _granted(self) -> tuple[str, str]:
        wanted = [CONTENT_SCOPE]
        if self._settings.contact_properties:
            wanted.append(CONTACTS_SCOPE)
        if self.scopes is None:
            read = "events can be read" if self.readable else "events cannot be read"
            return UNKNOWN, f"HubSpot does not tell them; {read}"
        missing = [each for each in wanted if each not in self.scopes]
        had = ", ".join(sorted(self.scopes)) or "none"
        if CONTENT_SCOPE in missing and self.readable:
            # Granular scopes may stand in for it.
            missing.remove(CONTENT_SCOPE)
        if missing:
            return FAILED, f"missing: {', '.join(missing)}; add it in HubSpot. Had: {had}"
        return OK, had

    def _clock(self) -> Finding:
        clock = self._probe.api.clock
        if clock.earliest is None:
            return Finding("clock", UNKNOWN, "HubSpot's answers name no time")
        seconds = abs(clock.ahead) // 1000
        if not seconds:
            return Finding("clock", OK, "this machine's agrees with HubSpot's")
        side = "ahead of" if clock.ahead > 0 else "behind"
        result = FAILED if abs(clock.ahead) >= NOTABLE_CLOCK else OK
        advice = "; set it, or let it be synchronised" if result == FAILED else ""
        words = f"this machine's is {seconds:,} s {side} HubSpot's{advice}"
        return Finding("clock", result, words)

    def _stream(self, event_type: str) -> tuple[str, str]:
        now = self._probe.api.clock.corrected(self._now)
        page = self._probe.page(event_type, now - DAY, now)
        self.readable = True
        count = f"{len(page.raw):,}{' or more' if page.has_more else ''} in the last 24 hours"
        if not page.events:
            page = self._probe.page(event_type, 1, now, limit=1)
        if not page.events:
            return OK, "no event so far"
        self.newest[event_type] = page
        newest = max(event["created"] for event in page.events)
        return OK, f"newest {format_timestamp(newest)}, {_age(now - newest)} old; {count}"

    def _whole(self, streams: Sequence[Finding]) -> Finding:
        if not self.event_types:
            return Finding("events", FAILED, "no stream is selected, so nothing would be read")
        if self.newest:
            return Finding("events", OK, f"in {len(self.newest)} of {len(streams)} streams")
        if all(finding.result == OK for finding in streams):
            words = "none in any selected stream; is this the account that sends the emails?"
            return Finding("events", FAILED, words)
        return Finding("events", FAILED, "none could be read")

    def _campaigns(self) -> tuple[str, str]:
        if not self._settings.enrich_campaigns:
            return OK, "not wanted (enrich_campaigns)"
        events = [event for page in self.newest.values() for event in page.events]
        ids = {
            event["emailCampaignId"]: event.get("appId")
            for event in events
            if type(event.get("emailCampaignId")) is int and event["emailCampaignId"]
        }
        if not ids:
            self._probe.get(CAMPAIGNS_PATH, limit=1)
            return UNKNOWN, "they can be listed, but no event in sight belongs to one"
        gone = 0
        for campaign, app in islice(ids.items(), CAMPAIGNS_TRIED):
            app_id = app if type(app) is int else None
            client, budget = self._probe.api.client, self._probe.budget
            try:
                details = campaign_details(client, campaign, app_id, budget)
            except NotFoundError:
                gone += 1
                continue
            self.campaign = campaign, details
            fields = [name for name in CAMPAIGN_FIELDS if details.get(name) not in (None, "")]
            return OK, f"campaign {campaign} has {', '.join(fields) or 'no names'}"
        return UNKNOWN, f"HubSpot no longer has the {gone} of the newest events"

    def _contacts(self) -> Iterator[Finding]:
        names = self._settings.contact_properties
        events = (event for page in self.newest.values() for event in page.events)
        addresses = dict.fromkeys(filter(None, map(address_of, events)))
        sample: list[Event] = [{"recipient": each} for each in islice(addresses, CONTACTS_BATCH)]
        contacts = self._probe.api.contacts
        if not sample:
            yield Finding("contacts", UNKNOWN, "no event in sight has a recipient")
            return

        def read() -> tuple[str, str]:
            contacts.add(sample, self._probe.budget)
            words = f"{contacts.read:,} contacts for {len(sample):,} recipients"
            return (OK if contacts.read else FAILED), words

        finding = self._examine("contacts", read)
        yield finding
        if finding.result != OK:
            return
        for name in names:
            count = sum(event["contact"].get(name) not in (None, "") for event in sample)
            words = f"on {count:,} of {len(sample):,} recipients' contacts"
            advice = "; check it against the internal names in HubSpot, Settings > Properties"
            yield Finding(
                f"contact_properties.{name}",
                OK if count else FAILED,
                words if count else words + advice,
            )

    def _limits(self) -> Finding:
        limiter, wanted = self._probe.api.limiter, self._settings.requests_per_10_seconds
        reported = limiter.requests_per_10_seconds
        if reported is None:
            return Finding("limits", UNKNOWN, "HubSpot's answers name no limit")
        words = f"{reported:,} requests in 10 s"
        words += f", of which the tap uses {min(reported, wanted):,} (requests_per_10_seconds)"
        if limiter.daily is not None:
            words += f"; {limiter.daily_remaining:,} of {limiter.daily:,} left today"
        return Finding("limits", OK, words)

    def _bookmarks(self) -> Finding:
        if self._state is None:
            words = (
                "no state given: --state FILE shows where the next run starts, with the file of "
                f"`meltano state get {_STATE_ID} > FILE`"
            )
            return Finding("bookmarks", UNKNOWN, words)
        entries = self._state.get("bookmarks")
        given = entries if isinstance(entries, dict) else {}
        now = self._probe.api.clock.corrected(self._now)
        starts: dict[str, int] = {}
        try:
            for event_type in self.event_types:
                stream = STREAM_OF_TYPE[event_type]
                entry = given.get(stream)
                bookmark = read_bookmark(stream, entry if isinstance(entry, dict) else {})
                if bookmark is not None and bookmark.is_after(now):
                    moment = format_timestamp(bookmark.end)
                    return Finding("bookmarks", FAILED, f"{stream}'s is in the future: {moment}")
                if bookmark is not None and bookmark.portal_id not in (None, self.portal_id):
                    words = f"{stream}'s is that of account {bookmark.portal_id}"
                    return Finding("bookmarks", FAILED, words)
                starts[stream] = first_instant(self._settings, bookmark, now)
        except ConfigError as error:
            return Finding("bookmarks", FAILED, str(error))
        fresh = [stream for stream in starts if not given.get(stream)]
        if not starts:
            return Finding("bookmarks", UNKNOWN, "no stream is selected")
        oldest = min(starts, key=lambda stream: starts[stream])
        words = f"the next run starts at {format_timestamp(starts[oldest])} ({oldest})"
        if fresh:
            words += f"; none yet for {', '.join(fresh)}"
        return Finding("bookmarks", OK, words)


def _age(milliseconds: int) -> str:
    """An age in the largest unit that it has one of."""
    seconds = max(0, milliseconds // 1000)
    for name, length in (("days", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length:,} {name}"
    return f"{seconds} s"
