"""What is true of the account: who the token is, what it may do, and what there is to read."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from tap_hubspot_email_events.common.event_types import STREAM_OF_TYPE
from tap_hubspot_email_events.common.findings import FAILED, OK, UNKNOWN, Finding
from tap_hubspot_email_events.common.text import fit
from tap_hubspot_email_events.errors import ConfigError, NotFoundError, RefusedError
from tap_hubspot_email_events.hubspot.account import ACCOUNT_PATH
from tap_hubspot_email_events.hubspot.campaigns import (
    CAMPAIGN_FIELDS,
    CAMPAIGNS_PATH,
    campaign_details,
)
from tap_hubspot_email_events.hubspot.contacts import CONTACTS_BATCH, CONTACTS_SCOPE, address_of
from tap_hubspot_email_events.reading.bookmarks import first_instant, read_bookmark
from tap_hubspot_email_events.reading.states import read_state
from tap_hubspot_email_events.timestamps import format_timestamp

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

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

_STATE_ID = "prod:tap-hubspot-email-events-to-target-amplitude"
"""Meltano's name for the state of this project's pipeline."""


@dataclass(slots=True)
class AccountChecks:
    """Checks of the account, for the streams of `event_types`, and what they have learnt of it.

    `started_at` is an instant of this machine's clock, in milliseconds; `newest` has the newest
    events of each type, as far as they could be read.
    """

    probe: Probe
    settings: Settings
    event_types: Sequence[str]
    state: Mapping[str, Any] | None
    started_at: int
    readable: bool = False
    scopes: list[str] | None = None
    kind_of_credentials: str = ""
    portal_id: int | None = None
    newest: dict[str, PageSeen] = field(default_factory=dict)
    campaign: tuple[int, dict[str, Any]] | None = None

    @property
    def now(self) -> int:
        """When the checks began, by HubSpot's clock, in milliseconds."""
        return self.probe.api.clock.corrected(self.started_at)

    def run(self) -> Iterator[Finding]:
        """Yield each finding."""
        examine = self.probe.examine
        yield examine("portal", self._portal)
        if self.probe.is_over:
            return
        # Before the scopes, since one that HubSpot does not name but that is not missed does no
        # harm.
        streams = [
            examine(STREAM_OF_TYPE[each], partial(self._stream, each)) for each in self.event_types
        ]
        yield examine("token", self._token)
        yield examine("scopes", self._granted)
        yield Finding("clock", *self._clock())
        yield Finding("events", *self._whole(streams))
        yield from streams
        yield examine("campaigns", self._campaigns)
        if self.settings.contact_properties:
            yield from self._contacts()
        yield Finding("limits", *self._limits())
        yield Finding("bookmarks", *self._bookmarks())

    def _portal(self) -> tuple[str, str]:
        details = self.probe.get(ACCOUNT_PATH)
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
        if self.settings.access_token is None:
            self.kind_of_credentials = "OAuth"
            self.scopes = self.probe.api.authenticator.scopes
            return OK, "an access token by OAuth"
        try:
            told = self.probe.post(
                TOKEN_INFO_PATH, {"tokenKey": self.settings.access_token}, scope="oauth"
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
        if self.scopes is None:
            read = "events can be read" if self.readable else "events cannot be read"
            return UNKNOWN, f"HubSpot does not tell them; {read}"
        # Granular scopes may stand in for it.
        wanted = [] if self.readable else [CONTENT_SCOPE]
        if self.settings.contact_properties:
            wanted.append(CONTACTS_SCOPE)
        had = ", ".join(sorted(self.scopes)) or "none"
        if missing := [each for each in wanted if each not in self.scopes]:
            return FAILED, f"missing: {', '.join(missing)}; add it in HubSpot. Had: {had}"
        return OK, had

    def _clock(self) -> tuple[str, str]:
        clock = self.probe.api.clock
        if clock.earliest is None:
            return UNKNOWN, "HubSpot's answers name no time"
        seconds = abs(clock.ahead) // 1000
        if not seconds:
            return OK, "this machine's agrees with HubSpot's"
        side = "ahead of" if clock.ahead > 0 else "behind"
        words = f"this machine's is {seconds:,} s {side} HubSpot's"
        if abs(clock.ahead) < NOTABLE_CLOCK:
            return OK, words
        return FAILED, f"{words}; set it, or let it be synchronised"

    def _stream(self, event_type: str) -> tuple[str, str]:
        now = self.now
        page = self.probe.page(event_type, now - DAY, now)
        self.readable = True
        count = f"{len(page.raw):,}{' or more' if page.has_more else ''} in the last 24 hours"
        if not page.events:
            page = self.probe.page(event_type, 1, now, limit=1)
        if not page.events:
            return OK, "no event so far"
        self.newest[event_type] = page
        newest = page.instants[-1]
        return OK, f"newest {format_timestamp(newest)}, {_age(now - newest)} old; {count}"

    def _whole(self, streams: Sequence[Finding]) -> tuple[str, str]:
        if not streams:
            return FAILED, "no stream is selected, so nothing would be read"
        if self.newest:
            return OK, f"in {len(self.newest)} of {len(streams)} streams"
        if all(finding.result == OK for finding in streams):
            return FAILED, "none in any selected stream; is this the account that sends the emails?"
        return FAILED, "none could be read"

    def _campaigns(self) -> tuple[str, str]:
        if not self.settings.enrich_campaigns:
            return OK, "not wanted (enrich_campaigns)"
        events = [event for page in self.newest.values() for event in page.events]
        ids = {
            event["emailCampaignId"]: event.get("appId")
            for event in events
            if type(event.get("emailCampaignId")) is int and event["emailCampaignId"]
        }
        if not ids:
            self.probe.get(CAMPAIGNS_PATH, limit=1)
            return UNKNOWN, "they can be listed, but no event in sight belongs to one"
        gone = 0
        for campaign, app in islice(ids.items(), CAMPAIGNS_TRIED):
            app_id = app if type(app) is int else None
            client, budget = self.probe.api.client, self.probe.budget
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
        events = (event for page in self.newest.values() for event in page.events)
        addresses = dict.fromkeys(filter(None, map(address_of, events)))
        sample: list[Event] = [{"recipient": each} for each in islice(addresses, CONTACTS_BATCH)]

        def read() -> tuple[str, str]:
            if not sample:
                return UNKNOWN, "no event in sight has a recipient"
            contacts = self.probe.api.contacts
            contacts.add(sample, self.probe.budget)
            words = f"{contacts.read:,} contacts for {len(sample):,} recipients"
            return (OK if contacts.read else FAILED), words

        finding = self.probe.examine("contacts", read)
        yield finding
        if finding.result != OK:
            return
        for name in self.settings.contact_properties:
            count = sum(event["contact"].get(name) not in (None, "") for event in sample)
            words = f"on {count:,} of {len(sample):,} recipients' contacts"
            if not count:
                words += "; check it against the internal names in HubSpot, Settings > Properties"
            yield Finding(f"contact_properties.{name}", OK if count else FAILED, words)

    def _limits(self) -> tuple[str, str]:
        limiter, wanted = self.probe.api.limiter, self.settings.requests_per_10_seconds
        reported = limiter.requests_per_10_seconds
        if reported is None:
            return UNKNOWN, "HubSpot's answers name no limit"
        words = f"{reported:,} requests in 10 s"
        words += f", of which the tap uses {min(reported, wanted):,} (requests_per_10_seconds)"
        if limiter.daily is not None:
            words += f"; {limiter.daily_remaining:,} of {limiter.daily:,} left today"
        return OK, words

    def _bookmarks(self) -> tuple[str, str]:
        if self.state is None:
            return UNKNOWN, (
                "no state given: --state FILE shows where the next run starts, with the file of "
                f"`meltano state get {_STATE_ID} > FILE`"
            )
        if not self.event_types:
            return UNKNOWN, "no stream is selected"
        streams = [STREAM_OF_TYPE[each] for each in self.event_types]
        try:
            entries = read_state(self.state)
            bookmarks = {each: read_bookmark(each, entries.get(each, {})) for each in streams}
        except ConfigError as error:
            return FAILED, str(error)
        for stream, bookmark in bookmarks.items():
            if bookmark is not None and bookmark.is_after(self.now):
                moment = format_timestamp(bookmark.end)
                return FAILED, f"{stream}'s is in the future: {moment}"
            if bookmark is not None and bookmark.portal_id not in (None, self.portal_id):
                return FAILED, f"{stream}'s is that of account {bookmark.portal_id}"
        starts = {each: first_instant(self.settings, bookmarks[each], self.now) for each in streams}
        oldest = min(streams, key=lambda stream: starts[stream])
        words = f"the next run starts at {format_timestamp(starts[oldest])} ({oldest})"
        if fresh := [stream for stream in streams if bookmarks[stream] is None]:
            words += f"; none yet for {', '.join(fresh)}"
        return OK, words


def _age(milliseconds: int) -> str:
    """An age in the largest unit that it has one of."""
    seconds = max(0, milliseconds // 1000)
    for name, length in (("days", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length:,} {name}"
    return f"{seconds} s"
