"""The sandbox's own interface, ``/_sandbox/<command>``: what tests ask for and switch on."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from starlette.responses import Response
from starlette.routing import Route

from sandbox.amplitude.export import OtherEvents
from sandbox.amplitude.funnel import funnel
from sandbox.hubspot.campaigns import campaign_counts
from sandbox.hubspot.store import Arrival
from sandbox.scenarios.steady import Steady, arrivals

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from sandbox.hubspot.store import Account
    from sandbox.world import World

FIRST_PORTAL = 4711

Behaviour = TypeVar("Behaviour", bound=msgspec.Struct)


def routes(world: World) -> list[BaseRoute]:
    """One route for all commands, which are the public methods of the classes below."""
    commands = {
        name: getattr(part, name)
        for part in (HubSpotCommands(world), AmplitudeCommands(world), CommonCommands(world))
        for name in dir(part)
        if not name.startswith("_")
    }

    async def obey(request: Request) -> Response:
        command = commands.get(request.path_params["command"])
        if command is None:
            return Response("There is no such command.", 404)
        body = await request.body()
        try:
            result = command(**(msgspec.json.decode(body) if body else {}))
        except (TypeError, ValueError, LookupError) as error:
            return Response(f"{type(error).__name__}: {error}", 400)
        content = result if isinstance(result, bytes) else msgspec.json.encode(result)
        return Response(content, media_type="application/json")

    return [Route("/_sandbox/{command}", obey, methods=["POST"])]


def change(settings: Any, changes: dict[str, Any]) -> None:
    """Change some fields of settings, and only such as there are."""
    for name, value in changes.items():
        if not hasattr(settings, name):
            raise ValueError(f"there is no setting {name}")
        setattr(settings, name, value)


def changed(behaviour: Behaviour, changes: dict[str, Any]) -> Behaviour:
    """Behaviour with some fields of other values, and only such as there are."""
    return msgspec.convert(msgspec.structs.asdict(behaviour) | changes, type(behaviour))


def array(payloads: Iterable[bytes]) -> bytes:
    """Encoded values as one JSON array."""
    return b"[%b]" % b",".join(payloads)


class HubSpotCommands:
    """What can be asked of the local HubSpot, and done to it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._hubspot = world.hubspot

    def _accounts(self, portal_id: int | None) -> list[Account]:
        accounts = self._hubspot.accounts
        return [accounts[portal_id]] if portal_id else list(accounts.values())

    def generate(
        self, events: int = 5000, days: float = 30, portal_id: int = FIRST_PORTAL
    ) -> dict[str, int]:
        """Fill an account with a past."""
        return self._world.generate(events, days, portal_id)

    def arrive(
        self, events: int = 200, late: float = 0.2, portal_id: int = FIRST_PORTAL
    ) -> dict[str, int]:
        """Add what happened since the last call."""
        return self._world.arrive(events, late, portal_id)

    def add_events(
        self,
        events: list[dict[str, Any]],
        visible_after_seconds: float = 0,
        visible_at: list[float] | None = None,
        portal_id: int = FIRST_PORTAL,
    ) -> int:
        """Add exact events."""
        now = self._hubspot.clock.now()
        at = now + visible_after_seconds if visible_after_seconds else None
        moments = [at] * len(events) if visible_at is None else visible_at
        return self._world.add_events(events, moments, portal_id)

    def add_raw_events(self, events: list[dict[str, Any]], portal_id: int = FIRST_PORTAL) -> int:
        """Add events of any content, given as text of which each character is a byte."""
        arrivals = [
            Arrival(each["created"], each["type"], each["payload"].encode("latin-1"), 0)
            for each in events
        ]
        return self._hubspot.account(portal_id).add(arrivals)

    def delete_events(self, ids: list[str], portal_id: int = FIRST_PORTAL) -> int:
        """Let events disappear, as with a contact that is deleted for good."""
        return self._hubspot.account(portal_id).remove(set(ids))

    def replace_event(self, event: dict[str, Any], portal_id: int = FIRST_PORTAL) -> None:
        """Put another event in the place of the one with its id."""
        self._hubspot.account(portal_id).remove({event["id"]})
        self._world.add_events([event], [None], portal_id)

    def add_steady(self, steady: list[Any]) -> int:
        """Add a steady stream of events."""
        account = self._hubspot.account(FIRST_PORTAL)
        count = 0
        for visible_at, arrival in arrivals(Steady(*steady)):
            count += account.add([arrival], visible_at=visible_at)
        return count

    def set_hubspot_clock(self, at: float) -> None:
        """Set HubSpot's clock, in seconds since the epoch."""
        self._hubspot.clock.set(at)

    def hubspot_clock(self) -> float:
        """HubSpot's time, in seconds since the epoch."""
        return self._hubspot.clock.now()

    def hubspot_events(self, portal_id: int | None = None) -> bytes:
        """Every visible event."""
        return array(
            payload for account in self._accounts(portal_id) for payload in account.everything()
        )

    def hubspot_counts(self, portal_id: int | None = None) -> dict[str, int]:
        """The visible events by type."""
        total: dict[str, int] = {}
        for account in self._accounts(portal_id):
            for kind, count in account.counts().items():
                total[kind] = total.get(kind, 0) + count
        return total

    def hubspot_stats(self) -> dict[str, Any]:
        """Counts of the requests, and of events that are not visible yet."""
        on_their_way = sum(account.on_their_way for account in self._accounts(None))
        return self._world.logs["hubspot"].stats() | {"on_their_way": on_their_way}

    def hubspot_requests(self) -> list[dict[str, Any]]:
        """The latest requests."""
        return list(self._world.logs["hubspot"].requests)

    def campaigns(self, portal_id: int = FIRST_PORTAL) -> list[dict[str, Any]]:
        """The campaigns, the one with the most events first."""
        return campaign_counts(self._hubspot.account(portal_id))

    def contacts(self, portal_id: int = FIRST_PORTAL) -> dict[str, dict[str, str]]:
        """The contacts by their address."""
        return self._hubspot.account(portal_id).contacts

    def add_contacts(self, contacts: list[dict[str, str]], portal_id: int = FIRST_PORTAL) -> None:
        """Add contacts, each with its ``email``."""
        known = self._hubspot.account(portal_id).contacts
        known.update({contact["email"].lower(): contact for contact in contacts})

    def set_limits(self, **changes: Any) -> None:
        """Change the limits."""
        change(self._hubspot.limits, changes)

    def set_hubspot(self, **changes: Any) -> None:
        """Change how HubSpot behaves."""
        self._hubspot.behaviour = changed(self._hubspot.behaviour, changes)

    def neighbour_requests(self, requests: int, portal_id: int = FIRST_PORTAL) -> None:
        """Use up requests of an account."""
        self._hubspot.usage[portal_id].count(requests)

    def set_oauth(self, **changes: Any) -> None:
        """Change how the token endpoints behave."""
        change(self._hubspot.tokens.settings, changes)

    def set_token(
        self, token: str, scopes: list[str] | None = None, *, revoked: bool = False
    ) -> None:
        """Change what a token was granted, or revoke it."""
        if revoked:
            self._hubspot.tokens.revoke(token)
        elif scopes is not None:
            self._hubspot.tokens.grant(token, scopes)

    def expire_tokens(self) -> None:
        """Make the access tokens that OAuth gave too old."""
        self._hubspot.tokens.expire_all()


class AmplitudeCommands:
    """What can be asked of the local Amplitude, and done to it."""

    def __init__(self, world: World) -> None:
        self._log = world.logs["amplitude"]
        self._project = world.project

    def amplitude_counts(self) -> dict[str, int]:
        """The kept events by type."""
        return dict(sorted(self._project.counts.items()))

    def amplitude_stats(self) -> dict[str, Any]:
        """Counts of requests, events and bytes."""
        project = self._project
        return self._log.stats() | {
            "events_received": project.received,
            "events_kept": project.counts.total(),
            "duplicates": project.duplicates,
            "bytes": project.bytes,
            "users": len(project.users.events),
        }

    def amplitude_requests(self) -> list[dict[str, Any]]:
        """The latest requests."""
        return list(self._log.requests)

    def amplitude_events(self, skip: int = 0) -> bytes:
        """Every kept event as it was sent."""
        return array(islice(self._project.storage.events(), skip, None))

    def amplitude_users(self) -> dict[str, Any]:
        """Each user's events and properties."""
        users = self._project.users
        return {
            user: {"events": count, "properties": users.properties(user)}
            for user, count in users.events.items()
        }

    def funnel(self, steps: list[str], campaign_id: int | None = None) -> list[int]:
        """The users who reached each step."""
        return funnel(self._project.storage.events(), campaign_id, steps)

    def taxonomy(self) -> dict[str, Any]:
        """The plan."""
        return self._project.plan

    def lookup_tables(self) -> dict[str, Any]:
        """The lookup tables by name."""
        return self._project.lookup_tables

    def set_amplitude(self, **changes: Any) -> None:
        """Change how Amplitude behaves."""
        self._project.behaviour = changed(self._project.behaviour, changes)

    def add_foreign_events(self, events: list[dict[str, Any]], hours_ago: float = 3) -> None:
        """Add events that another source brought."""
        self._project.add_foreign(events, self._project.now() - hours_ago * 3600)

    def add_other_events(self, count: int, hours: float) -> None:
        """Add product events, uploaded over the last hours."""
        begin = self._project.now() - hours * 3600
        self._project.others.append(OtherEvents(count, begin, hours))

    def remove_amplitude_events(self, insert_ids: list[str]) -> int:
        """Lose events."""
        return self._project.remove(set(insert_ids))

    def throttle(self, user: str, seconds: float = 30) -> None:
        """Hold one user or device back."""
        self._project.rates.throttled[user] = self._project.now() + seconds

    def use_up_quota(self, user: str, seconds: float = 86_400) -> None:
        """Let one user or device be over its daily quota."""
        self._project.rates.over_quota[user] = self._project.now() + seconds

    def pass_time(self, seconds: float) -> None:
        """Move the clock ahead."""
        self._project.seconds_ahead += seconds


class CommonCommands:
    """What concerns both services."""

    def __init__(self, world: World) -> None:
        self._world = world

    def set_latency(self, **seconds: float) -> None:
        """Seconds before each answer of a service."""
        for service, value in seconds.items():
            if service not in self._world.latency:
                raise ValueError(f"there is no service {service}")
            self._world.latency[service] = value

    def add_fault(self, **fault: Any) -> None:
        """Put a fault in force."""
        self._world.faults.add(fault)

    def clear_faults(self) -> None:
        """Take all faults out of force."""
        self._world.faults.clear()

    def faults_met(self) -> int:
        """How many requests met a fault."""
        return self._world.faults.met

    def forget_amplitude(self) -> None:
        """Begin anew with Amplitude alone."""
        self._world.project.reset()

    def reset(self) -> None:
        """Begin anew."""
        self._world.reset()
