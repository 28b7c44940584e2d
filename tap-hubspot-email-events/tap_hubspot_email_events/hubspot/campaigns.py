"""Email campaigns: their names for events, and the list of all of them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import msgspec

from tap_hubspot_email_events.errors import NotFoundError, RefusedError
from tap_hubspot_email_events.hubspot.lookup import Lookup

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_hubspot_email_events.hubspot.anomalies import Anomalies
    from tap_hubspot_email_events.hubspot.client import HubSpotClient, RequestCount
    from tap_hubspot_email_events.hubspot.events import Event

CAMPAIGNS_PATH = "/email/public/v1/campaigns"
CAMPAIGNS_PAGE = 500
CAMPAIGN_FIELDS = ("name", "subject", "type", "contentId")
"""The fields of a campaign that its events carry as `emailCampaign`."""

ALIKE = 3
"""So many refused in a row in the same words are taken for a refusal of all."""

UNNAMED = "Email campaigns that cannot be read: {count} ({names}); their events carry no name"
MOST_KEPT = 20_000
"""The most campaigns whose descriptions are kept, each of about 1 KB."""

UNIDENTIFIED = "Email campaigns whose id is no whole number: {count}; they are left out."
ENDLESS = (
    "Lists of email campaigns of which HubSpot says there is more, and sends nothing new: {count}; "
    "the stream has what came before."
)
UNDESCRIBED = "Email campaigns that cannot be read: {count} ({names}); only what is listed is given"

Campaign = dict[str, Any]
"""A campaign, or some of its fields, with HubSpot's own names and values."""

logger = logging.getLogger(__name__)


class Campaigns:
    """Adds campaigns' names to events and lists all campaigns; one request for each, by any thread.

    Where both are to be done, in either order, what the first of them has fetched is kept.
    """

    def __init__(self, client: HubSpotClient, anomalies: Anomalies, *, does_both: bool) -> None:
        self._client = client
        self._anomalies = anomalies
        self._refusals = _Refusals(anomalies, UNNAMED)
        self._lookup: Lookup[int, Campaign] = Lookup(self._fetch, batch=1)
        self._apps: dict[int, int] = {}
        self._most_kept = MOST_KEPT if does_both else 0
        self._kept: dict[int, bytes] = {}

    def add(self, events: list[Event], count: RequestCount) -> None:
        """Add `emailCampaign` to the events of a campaign, in place; id 0 means none.

        The fields of a campaign that HubSpot does not give are null. Raises what
        `HubSpotApi.enrich` does.
        """
        given = [event.get("emailCampaignId") for event in events]
        campaigns = [each if type(each) is int else 0 for each in given]
        ids = set(campaigns) - {0}
        if unseen := ids - self._apps.keys():
            self._apps.update(
                (campaign, event.get("appId") or 0)
                for campaign, event in zip(campaigns, events, strict=True)
                if campaign in unseen
            )
        names = self._lookup.find(ids, count)
        for campaign, event in zip(campaigns, events, strict=True):
            if campaign in ids:
                # A copy, because the SDK removes deselected properties from it.
                event["emailCampaign"] = names[campaign].copy()

    def _fetch(self, campaigns: list[int], count: RequestCount) -> dict[int, Campaign]:
        found = {campaign: self._describe(campaign, count) for campaign in campaigns}
        return {
            campaign: {name: details.get(name) for name in CAMPAIGN_FIELDS}
            for campaign, details in found.items()
        }

    def _describe(self, campaign: int, count: RequestCount) -> Campaign:
        if self._refusals.all_alike:
            return {}
        try:
            details = self._details(campaign, self._apps[campaign], count)
        except RefusedError as error:
            self._refusals.add(campaign, error)
            return {}
        self._refusals.end_series()
        if not details:
            logger.info(
                "HubSpot no longer has the email campaign %d; its events carry no name", campaign
            )
        return details

    def all(self, count: RequestCount) -> Iterable[Campaign]:
        """Yield the campaigns with recent activity, then all others, each once.

        Of one that HubSpot does not describe only what the list has is given.

        Raises:
            RefusedError: HubSpot describes none.
            TapError: HubSpot does not answer.
            StoppedError: The run ended first.
        """
        known: set[int] = set()
        refusals = _Refusals(self._anomalies, UNDESCRIBED)
        for path in (CAMPAIGNS_PATH, f"{CAMPAIGNS_PATH}/by-id"):
            for listed in self._listed(path, count):
                campaign = listed.get("id")
                if type(campaign) is not int:
                    self._anomalies.note(UNIDENTIFIED, (), count=1)
                    continue
                if campaign in known:
                    continue
                known.add(campaign)
                details: Campaign = {}
                try:
                    details = self._details(campaign, listed.get("appId"), count)
                    refusals.end_series()
                except RefusedError as error:
                    refusals.add(campaign, error)
                    if refusals.all_alike:
                        raise
                yield {**listed, **details, "id": campaign}

    def _details(self, campaign: int, app: Any, count: RequestCount) -> Campaign:
        """What HubSpot knows of a campaign; nothing where it was deleted.

        Who asks for it second, be it an event or the list, gets what was kept for them.
        """
        if kept := self._kept.pop(campaign, None):
            return _decode_campaign(kept)
        try:
            details = campaign_details(self._client, campaign, app, count)
        except NotFoundError:
            details = {}
        if len(self._kept) < self._most_kept:
            self._kept[campaign] = msgspec.json.encode(details)
        return details

    def _listed(self, path: str, count: RequestCount) -> Iterable[Campaign]:
        offset: str | int | None = None
        seen: set[str] = set()
        while True:
            params: dict[str, Any] = {"limit": CAMPAIGNS_PAGE}
            if offset is not None:
                params["offset"] = offset
            page = self._client.get(path, params, _decode_list, count)
            yield from page.campaigns
            # Offsets that lead back, or on without an end, bring nothing new.
            new = {str(listed.get("id")) for listed in page.campaigns} - seen
            if not page.has_more:
                return
            if not new or page.offset in (None, ""):
                self._anomalies.note(ENDLESS, (), count=1)
                return
            seen |= new
            offset = page.offset


class _Refusals:
    """Campaigns that HubSpot refuses to describe, and whether it refuses them all."""

    def __init__(self, anomalies: Anomalies, kind: str) -> None:
        self._anomalies = anomalies
        self._kind = kind
        self._series: list[str] = []
        self.all_alike = False

    def add(self, campaign: Any, error: RefusedError) -> None:
        """Note a refusal; several in a row with the same words are taken for a refusal of all."""
        reason = str(error).replace("{", "(").replace("}", ")")
        self._anomalies.note(f"{self._kind}: {reason}.", [campaign])
        self._series = [each for each in self._series if each == reason] + [reason]
        if len(self._series) >= ALIKE and not self.all_alike:
            self.all_alike = True
            logger.info("HubSpot refuses one email campaign like the other, so none is asked for")

    def end_series(self) -> None:
        """Note that HubSpot does describe campaigns."""
        self._series = []


class _CampaignList(msgspec.Struct, rename="camel"):
    campaigns: list[Campaign]
    has_more: bool = False
    offset: str | int | None = None


_decode_list = msgspec.json.Decoder(_CampaignList).decode
_decode_campaign = msgspec.json.Decoder(Campaign).decode


def campaign_details(
    client: HubSpotClient, campaign: Any, app: Any, count: RequestCount
) -> Campaign:
    """Fetch what HubSpot knows of one campaign, sent by the application `app` where that is known.

    Raises what `client.get` does.
    """
    params = {"appId": app} if app and type(app) is int else {}
    return client.get(f"{CAMPAIGNS_PATH}/{campaign}", params, _decode_campaign, count)
