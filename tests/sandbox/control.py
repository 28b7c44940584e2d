"""The sandbox's own interface, ``/_sandbox/<command>``: what tests ask for and switch on."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar, cast

import msgspec
from starlette.responses import Response
from starlette.routing import Route

from sandbox.amplitude.funnel import funnel, funnel_by_group
from sandbox.amplitude.users import shown
from sandbox.hubspot.campaigns import campaign_counts
from sandbox.hubspot.store import Arrival
from sandbox.hubspot.tokens import FIRST_PORTAL
from sandbox.scenarios.history import arrival
from sandbox.scenarios.steady import Steady, arrivals

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from starlette.requests import Request

    from sandbox.world import World

FUNNEL = ("[HubSpot] EMAIL_DELIVERED", "[HubSpot] EMAIL_OPEN", "[HubSpot] EMAIL_CLICK")

Settings = TypeVar("Settings", bound=msgspec.Struct)


def routes(world: World) -> list[Route]:
    """One route for all commands, which are the public methods of `Commands`.

    The body is an object of arguments, or a pair: those without a name, and such an object.
    """
    commands = Commands(world)

    async def obey(request: Request) -> Response:
        name = request.path_params["command"]
        command = None if name.startswith("_") else getattr(commands, name, None)
        if command is None:
            return Response("There is no such command.", 404)
        given = msgspec.json.decode(await request.body() or b"{}")
        unnamed, named = given if isinstance(given, list) else ((), given)
        try:
            result = command(*unnamed, **named)
        except (TypeError, ValueError, LookupError) as error:
            return Response(f"{type(error).__name__}: {error}", 400)
        return Response(msgspec.json.encode(result) + b"\n", media_type="application/json")

    return [Route("/_sandbox/{command}", obey, methods=["POST"])]


def changed(settings: Settings, changes: dict[str, Any]) -> Settings:
    """Settings with some fields of other values, and only such as there are."""
    return msgspec.convert(msgspec.structs.asdict(settings) | changes, type(settings))


def array(payloads: Iterable[bytes]) -> list[dict[str, Any]]:
    """Encoded values as one JSON array, which is a list once it is decoded."""
    encoded: Any = msgspec.Raw(b"[%b]" % b",".join(payloads))
    return cast("list[dict[str, Any]]", encoded)


class Commands:
    """What can be asked of both services, and done to them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._hubspot = world.hubspot
        self._project = world.project

    def generate(
        self, events: int = 5000, days: float = 30, portal_id: int = FIRST_PORTAL
    ) -> dict[str, int]:
        """Fill an account with whole message histories; returns its events by type."""
        return self._world.histories[portal_id].generate(events, days)

    def arrive(self, events: int = 200, late: float = 0.2) -> dict[str, int]:
        """Add what happened since the last call, a share of it late by up to 110 minutes."""
        return self._world.histories[FIRST_PORTAL].arrive(events, late)

    def add_events(
        self, events: Sequence[dict[str, Any]], *, visible_at: Sequence[float] | None = None
    ) -> None:
        """Add exact events to the account of their ``portalId`` or the first, visible at once or
        later: ``visible_at`` is a moment for each, in seconds since the epoch, by HubSpot's clock.
        """
        for event, at in zip(events, visible_at or [0.0] * len(events), strict=True):
            account = self._hubspot.account(event.get("portalId") or FIRST_PORTAL)
            account.add([arrival(event)], at)

    def add_raw_events(self, events: Sequence[tuple[int, str, bytes]]) -> None:
        """Add events given as ``created``, type and the bytes that HubSpot is to send."""
        # JSON has bytes as base64.
        raw = msgspec.convert(events, list[tuple[int, str, bytes]])
        self._hubspot.account().add(Arrival(*each, 0) for each in raw)

    def delete_events(self, ids: Sequence[str]) -> None:
        """Let events disappear, as with a contact that is deleted for good."""
        self._hubspot.account().remove(set(ids))

    def replace_event(self, event: dict[str, Any]) -> None:
        """Put another event in the place of the one with its id."""
        self.delete_events([event["id"]])
        self.add_events([event])

    def add_steady(self, steady: Steady) -> None:
        """Add a steady stream of events, see ``sandbox.scenarios.steady``."""
        for visible_at, each in arrivals(Steady(*steady)):
            self._hubspot.account().add([each], visible_at)

    def set_hubspot_clock(self, at: float) -> None:
        """Set HubSpot's clock, in seconds since the epoch; it goes on from there."""
        self._hubspot.clock.set(at)

    def hubspot_events(self) -> list[dict[str, Any]]:
        """Every visible event of all accounts."""
        accounts = self._hubspot.accounts.values()
        return array(payload for account in accounts for payload in account.everything())

    def hubspot_counts(self, portal_id: int | None = None) -> dict[str, int]:
        """The visible events by type, of one account or of all."""
        accounts = self._hubspot.accounts
        total: Counter[str] = Counter()
        for account in [accounts[portal_id]] if portal_id else accounts.values():
            total.update(account.counts())
        return total

    def hubspot_stats(self) -> dict[str, Any]:
        """How many requests, by status and path, and how many at once."""
        return self._world.logs["hubspot"].stats()

    def hubspot_requests(self) -> list[dict[str, Any]]:
        """The latest requests: ``path``, ``params``, ``status`` (0: cut), ``at``..."""
        return self._world.logs["hubspot"].requests

    def campaigns(self) -> list[dict[str, Any]]:
        """The campaigns, the one with the most events first."""
        return campaign_counts(self._hubspot.account())

    def contacts(self) -> dict[str, dict[str, str]]:
        """The account's contacts by their address in lower case."""
        return self._hubspot.account().contacts

    def add_contacts(self, contacts: Sequence[dict[str, str]]) -> None:
        """Add contacts, each an object of properties with its ``email``."""
        self.contacts().update({contact["email"].lower(): contact for contact in contacts})

    def set_limits(self, **changes: Any) -> None:
        """Change ``requests_per_10_seconds`` or ``daily_limit``; 0 is without limit."""
        self._hubspot.limits = changed(self._hubspot.limits, changes)

    def set_hubspot(self, **changes: Any) -> None:
        """Let HubSpot differ; see ``sandbox.hubspot.behaviour`` for what can change."""
        self._hubspot.behaviour = changed(self._hubspot.behaviour, changes)

    def spend_requests(self, requests: int) -> None:
        """Let another app of the account spend so many requests."""
        self._hubspot.usage[FIRST_PORTAL].count(requests)

    def set_oauth(self, **changes: Any) -> None:
        """``token_life_seconds``, ``rotate``."""
        tokens = self._hubspot.tokens
        tokens.settings = changed(tokens.settings, changes)

    def set_token(
        self, token: str, scopes: list[str] | None = None, *, revoked: bool = False
    ) -> None:
        """Change what a token was granted, or revoke it."""
        if revoked:
            self._hubspot.tokens.revoke(token)
        elif scopes is not None:
            self._hubspot.tokens.grant(token, scopes)

    def amplitude_counts(self) -> dict[str, int]:
        """The events Amplitude kept, by ``event_type``."""
        return dict(sorted(self._project.counts.items()))

    def amplitude_stats(self) -> dict[str, Any]:
        """How many requests, events and duplicates came."""
        project = self._project
        return self._world.logs["amplitude"].stats() | {
            "events_received": project.received,
            "duplicates": project.duplicates,
        }

    def amplitude_requests(self) -> list[dict[str, Any]]:
        """The latest requests: ``path``, ``status`` (0: cut), ``at``..."""
        return self._world.logs["amplitude"].requests

    def amplitude_events(self, skip: int = 0) -> list[dict[str, Any]]:
        """Every event Amplitude kept, as it was sent, in the order of arrival, from one on."""
        return array(payload for _, payload in islice(self._project.payloads(), skip, None))

    def amplitude_users(self) -> dict[str, Any]:
        """Each user's number of ``events`` and table of ``properties``."""
        users = self._project.users
        return {
            user: {"events": count, "properties": users.properties[user]}
            for user, count in users.events.items()
        }

    def funnel(
        self, campaign_id: int | None = None, steps: Sequence[str] = FUNNEL
    ) -> dict[str, int]:
        """The users who reached each step in order, for one campaign or for all (None)."""
        users = funnel(self._project.events(), campaign_id, steps)
        return dict(zip(steps, map(len, users), strict=True))

    def funnel_by_group(
        self,
        campaign_id: int | None,
        steps: Sequence[str],
        group_type: str,
        where: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """For each group, the number of users at each step, and those ``dropped`` before the last.

        ``where`` are user properties that the events of each step have.
        """
        events = shown(self._project.events())
        return funnel_by_group(events, campaign_id, steps, group_type, where or {})

    def cohort(self, **properties: Any) -> list[str]:
        """The users who have these properties now."""
        users = self._project.users
        return [
            user for user in users.events if properties.items() <= users.properties[user].items()
        ]

    def taxonomy(self) -> dict[str, Any]:
        """The plan: ``category``, ``event``, ``event-property``, each entry by its name."""
        return self._project.plan

    def lookup_tables(self) -> dict[str, Any]:
        """The uploaded tables by name: ``key``, ``property``, ``rows``."""
        return self._project.lookup_tables

    def set_amplitude(self, **changes: Any) -> None:
        """Change how Amplitude behaves; see ``sandbox.amplitude.project`` for what can change."""
        self._project.behaviour = changed(self._project.behaviour, changes)

    def add_foreign_events(self, events: Sequence[dict[str, Any]], hours_ago: float = 3) -> None:
        """Add events that another source brought to Amplitude."""
        self._project.add_foreign(list(events), self._project.now() - hours_ago * 3600)

    def add_other_events(self, count: int, hours_ago: float) -> None:
        """Add so many product events."""
        page = {"event_type": "Page Viewed", "time": int(self._project.now() * 1000)}
        events = [
            page | {"insert_id": f"other-{number}", "user_id": f"user-{number**3}"}
            for number in range(count)
        ]
        self.add_foreign_events(events, hours_ago)

    def remove_amplitude_events(self, insert_ids: Sequence[str]) -> int:
        """Lose events from Amplitude; returns how many."""
        return self._project.remove(set(insert_ids))

    def use_up_quota(self, user: str, seconds: float = 86_400) -> None:
        """Let one user or device be over its daily quota."""
        self._project.rates.over_quota[user] = self._project.now() + seconds

    def pass_time(self, seconds: float) -> None:
        """Move Amplitude's clock ahead."""
        self._project.clock.ahead += seconds

    def set_latency(self, **seconds: float) -> None:
        """Seconds before each answer, for ``hubspot`` and ``amplitude``."""
        self._world.latency.update(seconds)

    def add_fault(self, service: str, **fault: Any) -> None:
        """Put a fault in force; see ``sandbox.faults.Fault`` for its fields."""
        self._world.faults.add({"service": service, **fault})

    def clear_faults(self) -> None:
        """Behave well again."""
        self._world.faults.clear()

    def faults_met(self) -> int:
        """How many requests met a fault since the last reset."""
        return self._world.faults.met

    def forget_amplitude(self) -> None:
        """Empty Amplitude, and let it behave well, while HubSpot keeps what it has."""
        self._world.project.reset()

    def reset(self) -> None:
        """Empty both services, and behave as at the start."""
        self._world.reset()
