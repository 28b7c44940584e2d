"""Histories of an account: a past of so many days, and what arrives after it."""

from __future__ import annotations

import random
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import msgspec

from sandbox.hubspot.store import Arrival
from sandbox.scenarios.campaigns import CAMPAIGNS
from sandbox.scenarios.messages import HOUR, MINUTE, SECOND, Message
from sandbox.scenarios.people import address, contact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.hubspot.store import Account
    from sandbox.scenarios.campaigns import Campaign

DAY = 24 * HOUR
# The newest that an event which arrives late may be; two hours is what the tap looks back.
LATE_MOST = 110 * MINUTE
EVENTS_PER_PERSON = 12
ENCODER = msgspec.json.Encoder()


def arrival(event: dict[str, Any]) -> Arrival:
    """An event of HubSpot's JSON as it comes in; UNBOUNCE is what has no type."""
    return Arrival(
        event["created"],
        event.get("type") or "UNBOUNCE",
        ENCODER.encode(event),
        event.get("emailCampaignId") or 0,
    )


def hastened(sent: int, span: int, after: int) -> int:
    """When an event happens if a whole message has so little time (all in ms)."""
    return sent + span * after // (after + HOUR)


class History:
    """The events of one account, the same for a seed; only their dates follow the clock."""

    def __init__(self, seed: int, account: Account) -> None:
        self.random = random.Random(f"{seed}/{account.portal_id}")
        self.account = account
        self.people = 50
        self.introduced = 0
        self.told_until: int | None = None

    def generate(self, events: int, days: float) -> dict[str, int]:
        """Fill the account with a past; returns its events by type."""
        now = int(self.account.clock.now() * 1000)
        return self._tell(now, self.past(events, days, now))

    def arrive(self, events: int, late: float) -> dict[str, int]:
        """Add what happened since the last call, a share of it late; returns as `generate`."""
        now = int(self.account.clock.now() * 1000)
        start = now - HOUR if self.told_until is None else self.told_until
        return self._tell(now, self.increment(events, start, now, late))

    def _tell(self, now: int, arrivals: Iterator[Arrival]) -> dict[str, int]:
        self.account.add(arrivals)
        self.told_until = now
        self.account.campaigns = {campaign.id: campaign for campaign in CAMPAIGNS}
        for number in range(self.introduced, self.people):
            properties = contact(number)
            if properties:
                self.account.contacts[properties["email"]] = properties
        self.introduced = self.people
        return self.account.counts()

    def past(self, events: int, days: float, now: int) -> Iterator[Arrival]:
        """Exactly so many events, spread over the days before now."""
        self.people = max(self.people, events // EVENTS_PER_PERSON)
        span = int(days * DAY)
        # Every campaign's sendings start at the same ages whatever the number of events.
        sendings = [
            [int(span * (0.03 + 0.96 * self.random.random())) for _ in range(campaign.sendings)]
            for campaign in CAMPAIGNS
        ]
        shares = list(accumulate(campaign.share for campaign in CAMPAIGNS))
        indexes = range(len(CAMPAIGNS))
        left = events
        while left:
            index = self.random.choices(indexes, cum_weights=shares)[0]
            if sendings[index]:
                age = self.random.choice(sendings[index])
                age -= int(min(age, 3 * HOUR) * self.random.random())
            else:
                age = int(span * self.random.random())
            message = self._message(CAMPAIGNS[index], now - age)
            for step in message.steps():
                if step.after <= age and left:
                    left -= 1
                    yield arrival(step.event)

    def increment(self, events: int, start: int, now: int, late: float) -> Iterator[Arrival]:
        """So many events of between two moments, a share of them older: they arrive late."""
        left = events
        while left:
            oldest, newest = start, now
            if self.random.random() < late:
                oldest, newest = now - LATE_MOST, min(start, now - SECOND)
            span = max(newest - oldest, 1)
            sent = oldest + int(span * self.random.random() / 2)
            message = self._message(self.random.choice(CAMPAIGNS), sent)
            # All of a message happens faster than in life, so that it fits between the two moments.
            available = max(newest - sent, 1)
            for after, event in message.steps():
                if not left:
                    break
                left -= 1
                event["created"] = hastened(sent, available, after)
                later = event.get("obsoletedBy")
                if later:
                    later["created"] = hastened(sent, available, later["created"] - sent)
                yield arrival(event)

    def _message(self, campaign: Campaign, sent: int) -> Message:
        # Some people are on many lists, most on few.
        recipient = address(int(self.people * self.random.random() ** 1.5))
        return Message(self.random, campaign, recipient, self.account.portal_id, sent)
