"""``/email/public/v1/campaigns``: the emails that the events belong to."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from sandbox.hubspot.answers import Refusal, json_response
from sandbox.hubspot.events import MOST_EVENTS, whole_number
from sandbox.scenarios.campaigns import DELETED_CAMPAIGN_ID

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from sandbox.hubspot.portal import HubSpot
    from sandbox.hubspot.store import Account
    from sandbox.hubspot.tokens import Access
    from sandbox.scenarios.campaigns import Campaign


def routes(hubspot: HubSpot) -> list[Route]:
    """The routes of the campaigns."""

    async def by_id(request: Request, access: Access) -> Response:
        campaigns = hubspot.account(access.portal_id).campaigns
        return listing(request, [listed(campaigns[id_]) for id_ in sorted(campaigns, reverse=True)])

    async def recent(request: Request, access: Access) -> Response:
        account = hubspot.account(access.portal_id)
        account.let_arrive()
        activity = sorted(account.campaign_activity.items(), key=lambda item: -item[1])
        return listing(
            request,
            [
                listed(account.campaigns[id_]) | {"lastUpdatedTime": updated}
                for id_, updated in activity
                if id_ in account.campaigns
            ],
        )

    async def one(request: Request, access: Access) -> Response:
        campaign_id = whole_number(request.path_params["campaign_id"], "campaignId")
        return json_response(details(hubspot.account(access.portal_id), campaign_id))

    base = "/email/public/v1/campaigns"
    return [
        Route(base, hubspot.guarded(recent, "content")),
        Route(base + "/by-id", hubspot.guarded(by_id, "content")),
        Route(base + "/{campaign_id}", hubspot.guarded(one, "content")),
    ]


def listed(campaign: Campaign) -> dict[str, Any]:
    """What a list tells of a campaign."""
    return {"id": campaign.id, "appId": campaign.app_id, "appName": campaign.app_name}


def listing(request: Request, campaigns: list[dict[str, Any]]) -> Response:
    """One page of campaigns; the offset names the last one given."""
    limit = whole_number(request.query_params.get("limit", "10"), "limit")
    if not 1 <= limit <= MOST_EVENTS:
        raise Refusal(400, f"limit must be between 1 and {MOST_EVENTS}")
    start = 0
    offset = request.query_params.get("offset")
    if offset:
        try:
            last = int(base64.b64decode(offset, validate=True))
        except (binascii.Error, ValueError):
            raise Refusal(400, "The offset is not valid.") from None
        start = 1 + next((i for i, item in enumerate(campaigns) if item["id"] == last), -1)
    page = campaigns[start : start + limit]
    body: dict[str, Any] = {"hasMore": start + limit < len(campaigns), "campaigns": page}
    if page:
        body["offset"] = base64.b64encode(str(page[-1]["id"]).encode()).decode()
    return json_response(body)


def details(account: Account, campaign_id: int) -> dict[str, Any]:
    """Everything about one campaign.

    Raises:
        Refusal: 404, it never existed, or was deleted (its events remain).
    """
    campaign = account.campaigns.get(campaign_id)
    if campaign is None or campaign_id == DELETED_CAMPAIGN_ID:
        raise Refusal(404, "No campaign exists with the given id.", "OBJECT_NOT_FOUND")
    account.let_arrive()
    counts = account.campaign_counts[campaign_id]
    updated = account.campaign_activity.get(campaign_id, 0)
    return listed(campaign) | {
        "contentId": campaign.content_id,
        "subject": campaign.subject,
        "name": campaign.name,
        "counters": {kind.lower(): count for kind, count in counts.items()},
        "lastProcessingFinishedAt": updated,
        "lastProcessingStartedAt": updated,
        "lastProcessingStateChangeAt": updated,
        "numIncluded": counts["SENT"] + counts["DROPPED"],
        "numQueued": counts["SENT"],
        "processingState": "DONE",
        "type": campaign.type,
    }


def campaign_counts(account: Account) -> list[dict[str, Any]]:
    """Each campaign with its name and its events by type, the one with the most events first."""
    account.let_arrive()
    return sorted(
        (
            {
                "id": campaign.id,
                "name": campaign.name,
                "subject": campaign.subject,
                "deleted": campaign.id == DELETED_CAMPAIGN_ID,
                "events": account.campaign_counts[campaign.id],
            }
            for campaign in account.campaigns.values()
        ),
        key=lambda found: -sum(found["events"].values()),
    )
