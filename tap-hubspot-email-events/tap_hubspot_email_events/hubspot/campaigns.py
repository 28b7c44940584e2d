"""Email campaigns: their names for events, and the list of all of them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import msgspec

from tap_hubspot_email_events.errors import NotFoundError, RefusedError
from tap_hubspot_email_events.hubspot.lookup import Lookup

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_hubspot_email_events.hubspot.client import HubSpotClient, RequestCount
    from tap_hubspot_email_events.hubspot.events import Event

CAMPAIGNS_PATH = "/email/public/v1/campaigns"
CAMPAIGNS_PAGE = 500
CAMPAIGN_FIELDS = ("name", "subject", "type", "contentId")
"""The fields of a campaign that its events carry as `emailCampaign`."""

ALIKE = 3
"""So many refused in a row in the same words are taken for a refusal of all."""

UNNAMED = "Email campaigns that cannot be read: {count} ({names}); their events carry no name"
MOST_KEPT = 50_000
"""The most campaigns whose descriptions are kept, each of about 1 KB."""

UNIDENTIFIED = "Email campaigns whose id is no whole number: {count}; they are left out."
ENDLESS = (
    "Lists of email campaigns of which HubSpot says there is more, and sends nothing new: {count}; "
    "the stream has what came before."
)

Campaign = dict[str, Any]
"""A campaign, or some of its fields, with HubSpot's own names and values."""

logger = logging.getLogger(__name__)


class Campaigns:
    """Adds campaigns' names to events and lists all campaigns; safe to share by threads.

    A campaign is asked for once, whoever wants it.
    """

    def __init__(self, client: HubSpotClient) -> None:
        self._client = client
        # Descriptions, as JSON.
        self._lookup: Lookup[int, bytes] = Lookup(self._fetch, batch=1, capacity=MOST_KEPT)
        self._apps: dict[int, Any] = {}
        self._refused_in_a_row: list[str] = []
        self._refusal: RefusedError | None = None

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
                (campaign, event.get("appId"))
                for campaign, event in zip(campaigns, events, strict=True)
                if campaign in unseen
            )
        names: dict[int, Campaign] = {}
        for campaign, description in self._lookup.find(ids, count).items():
            details = _decode_campaign(description)
            names[campaign] = {name: details.get(name) for name in CAMPAIGN_FIELDS}
        for campaign, event in zip(campaigns, events, strict=True):
            if campaign in ids:
                event["emailCampaign"] = names[campaign]

    def all(self, count: RequestCount) -> Iterable[Campaign]:
        """Yield the campaigns with recent activity, then all others, each once.

        Of one that HubSpot does not describe only what the list has is given.

        Raises:
            RefusedError: HubSpot describes none.
            TapError: HubSpot does not answer.
            StoppedError: The run ended first.
        """
        known: set[int] = set()
        for path in (CAMPAIGNS_PATH, f"{CAMPAIGNS_PATH}/by-id"):
            for listed in self._listed(path, count):
                campaign = listed.get("id")
                if type(campaign) is not int:
                    self._client.anomalies.note(UNIDENTIFIED, (), count=1)
                    continue
                if campaign in known:
                    continue
                known.add(campaign)
                self._apps.setdefault(campaign, listed.get("appId"))
                details = _decode_campaign(self._lookup.find([campaign], count)[campaign])
                if self._refusal is not None:
                    raise self._refusal
                yield {**listed, **details, "id": campaign}

    def _fetch(self, campaigns: list[int], count: RequestCount) -> dict[int, bytes]:
        return {each: msgspec.json.encode(self._describe(each, count)) for each in campaigns}

    def _describe(self, campaign: int, count: RequestCount) -> Campaign:
        """What HubSpot knows of a campaign; nothing where it was deleted, or is refused."""
        if self._refusal is not None:
            return {}
        try:
            details = campaign_details(self._client, campaign, self._apps[campaign], count)
        except NotFoundError:
            logger.info(
                "HubSpot no longer has the email campaign %d; its events carry no name", campaign
            )
            details = {}
        except RefusedError as error:
            self._note_refusal(campaign, error)
            return {}
        self._refused_in_a_row = []
        return details

    def _note_refusal(self, campaign: int, error: RefusedError) -> None:
        reason = str(error).replace("{", "(").replace("}", ")")
        self._client.anomalies.note(f"{UNNAMED}: {reason}.", [campaign])
        alike = [each for each in self._refused_in_a_row if each == reason]
        self._refused_in_a_row = [*alike, reason]
        if len(alike) + 1 >= ALIKE and self._refusal is None:
            self._refusal = error
            logger.info("HubSpot refuses one email campaign like the other, so none is asked for")

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
                self._client.anomalies.note(ENDLESS, (), count=1)
                return
            seen |= new
            offset = page.offset


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
