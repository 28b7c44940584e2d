"""What happens to one message: sent, processed, delivered, opened, clicked, or what went wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sandbox.scenarios.readers import BOT, PLACES, PROXIES, PROXY_PLACE, READERS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from sandbox.scenarios.campaigns import Campaign
    from sandbox.scenarios.readers import Reader

SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000


class Step(NamedTuple):
    """One event of a message: how long after the sending (ms), and its JSON object."""

    after: int
    event: dict[str, Any]


def new_id(random: Random, version: int) -> str:
    """A UUID: of version 4 on HubSpot's SENT events, of version 3 on those that follow."""
    text = random.randbytes(16).hex()
    return f"{text[:8]}-{text[8:12]}-{version}{text[13:16]}-a{text[17:20]}-{text[20:]}"


class Message:
    """One message to one person, and the events that tell of it."""

    def __init__(
        self, random: Random, campaign: Campaign, recipient: str, portal_id: int, sent: int
    ) -> None:
        self.random = random
        self.campaign = campaign
        self.recipient = recipient
        self.portal_id = portal_id
        self.sent = sent
        self.id = new_id(random, 4)

    def steps(self) -> Iterator[Step]:
        """Its events in the order in which they happen."""
        chance = self.random.random()
        if chance < 0.03:
            yield self._dropped()
            return
        yield self._sent()
        at = self._within(SECOND, 5 * SECOND)
        yield Step(at, self._event("PROCESSED", at))
        at += self._within(0, 20 * SECOND)
        if chance < 0.08:
            for attempt in range(1, 1 + self._within(1, 3)):
                at += self._within(5 * MINUTE, 40 * MINUTE)
                response = "451 4.7.1 Greylisting in action, please come back later"
                yield Step(at, self._event("DEFERRED", at, response=response, attempt=attempt))
        if chance < 0.12:
            at += self._within(SECOND, HOUR)
            yield from self._bounced(at)
            return
        response = f"250 2.0.0 OK {self.id[:13]} - gsmtp"
        yield Step(at, self._event("DELIVERED", at, response=response, smtpId=None))
        yield from self._read(at)

    def _read(self, at: int) -> Iterator[Step]:
        chance = self.random.random()
        if chance < 0.04:
            # Scanners of mail gateways follow every link at once; HubSpot marks them as filtered.
            at += self._within(SECOND, 10 * SECOND)
            yield Step(at, self._click(at, BOT, {}, filtered=True))
        if chance > 0.56:
            return
        reader = self.random.choice(PROXIES if chance < 0.25 else READERS)
        where = PROXY_PLACE if chance < 0.25 else self.random.choice(PLACES)
        for _ in range(1 + (chance > 0.45)):
            at += self._within(MINUTE, 20 * HOUR)
            yield Step(at, self._open(at, reader, where))
        if chance < 0.2:
            at += self._within(3 * SECOND, 5 * MINUTE)
            own = self.random.choice(READERS)
            yield Step(at, self._click(at, own, self.random.choice(PLACES), filtered=False))
        if chance > 0.548:
            at += self._within(MINUTE, HOUR)
            yield Step(at, self._event("SPAMREPORT", at))
        elif chance > 0.53:
            at += self._within(MINUTE, HOUR)
            yield Step(at, self._unsubscribed(at))
        elif chance > 0.527:
            at += self._within(MINUTE, HOUR)
            yield Step(at, self._event("FORWARD", at, browser={}, location={}))

    def _within(self, low: int, high: int) -> int:
        return low + int(self.random.random() * (high - low + 1))

    def _event(self, kind: str, after: int, **fields: Any) -> dict[str, Any]:
        campaign = self.campaign
        return {
            "appName": campaign.app_name,
            "created": self.sent + after,
            **fields,
            "appId": campaign.app_id,
            "id": new_id(self.random, 3),
            "portalId": self.portal_id,
            "recipient": self.recipient,
            "sentBy": {"id": self.id, "created": self.sent},
            "type": kind,
            "emailCampaignId": campaign.id,
        }

    def _letter(self, kind: str, **fields: Any) -> Step:
        letter = {
            "subject": self.campaign.subject,
            "from": '"Example Ltd" <hello@example.com>',
            "replyTo": ["hello@example.com"],
            "cc": [],
            "bcc": [],
            "smtpId": None,
        }
        # A message that is sent, or never will be, is its own SENT event.
        return Step(0, self._event(kind, 0, **letter, **fields) | {"id": self.id})

    def _sent(self) -> Step:
        return self._letter("SENT")

    def _dropped(self) -> Step:
        reason = self.random.choice(
            (
                "PREVIOUSLY_BOUNCED",
                "PREVIOUSLY_UNSUBSCRIBED_MESSAGE",
                "RECIPIENT_FATIGUE_SUPPRESSED",
            )
        )
        return self._letter("DROPPED", dropReason=reason, dropMessage="The address is not eligible")

    def _bounced(self, at: int) -> Iterator[Step]:
        category, status, words = self.random.choice(
            (
                ("UNKNOWN_USER", "550", "550 5.1.1 The email account does not exist"),
                ("MAILBOX_FULL", "452", "452 4.2.2 The mailbox is over quota"),
                (None, "450", "450 4.0.0 Try again"),
            )
        )
        fields = {"response": words, "status": status, "smtpId": None}
        bounce = self._event("BOUNCE", at, **({"category": category} if category else {}), **fields)
        if self.random.random() >= 0.1:
            yield Step(at, bounce)
            return
        at_reset = at + self._within(HOUR, 30 * HOUR)
        reset = {"id": new_id(self.random, 3), "created": self.sent + at_reset}
        yield Step(at, bounce | {"obsoletedBy": reset})
        yield Step(at_reset, reset | {"sentBy": {"id": self.id, "created": self.sent}})

    def _open(self, at: int, reader: Reader, where: dict[str, Any]) -> dict[str, Any]:
        duration = self._within(0, 30_000)
        event = self._seen("OPEN", at, reader, where, duration=duration, filteredEvent=False)
        if at % 29 == 0:
            for name in ("browser", "location", "userAgent", "deviceType", "duration"):
                del event[name]
        return event

    def _click(
        self, at: int, reader: Reader, where: dict[str, Any], *, filtered: bool
    ) -> dict[str, Any]:
        page = f"https://www.example.com/{self.campaign.content_id}/read-more"
        fields = {
            "referer": "",
            "linkId": self._within(0, 9),
            "url": f"{page}?utm_campaign=news&utm_source=hs_email&utm_medium=email"
            f"&_hsenc=p2ANqtz-{self.id}&_hsmi={at}",
            "filteredEvent": filtered,
        }
        return self._seen("CLICK", at, reader, where, **fields)

    def _seen(
        self, kind: str, at: int, reader: Reader, where: dict[str, Any], **fields: Any
    ) -> dict[str, Any]:
        client = {
            "browser": reader.browser,
            "location": where,
            "userAgent": reader.user_agent,
            "deviceType": reader.device_type,
        }
        return self._event(kind, at, **client, **fields, smtpId=None)

    def _unsubscribed(self, at: int) -> dict[str, Any]:
        event = self._event(
            "STATUSCHANGE",
            at,
            source="SOURCE_RECIPIENT",
            subscriptions=[{"id": 23704464, "status": "UNSUBSCRIBED"}],
            portalSubscriptionStatus="UNSUBSCRIBED",
            bounced=False,
        )
        if at % 3 == 0:
            # Changed by hand in HubSpot: no message, hence no campaign and no application.
            del event["sentBy"], event["appName"]
            event |= {
                "source": "SOURCE_HUBSPOT_CUSTOMER",
                "sourceId": "Self Service Resubscription",
                "appId": 0,
                "emailCampaignId": 0,
            }
        return event
