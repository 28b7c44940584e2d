"""The sandbox's own interface, ``/_sandbox/<command>``: what tests ask for and switch on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.responses import Response
from starlette.routing import Route

from sandbox.amplitude.funnel import funnel
from sandbox.amplitude.project import Behaviour
from sandbox.hubspot.campaigns import campaign_counts

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from sandbox.world import World

FIRST_PORTAL = 4711


def routes(world: World) -> list[BaseRoute]:
    """One route for all commands."""
    commands = {**hubspot_commands(world), **amplitude_commands(world), **common_commands(world)}

    async def obey(request: Request) -> Response:
        command = commands.get(request.path_params["command"])
        if command is None:
            return Response("There is no such command.", 404)
        body = await request.body()
        try:
            result = command(**(msgspec.json.decode(body) if body else {}))
        except (TypeError, ValueError, LookupError, msgspec.ValidationError) as error:
            return Response(f"{type(error).__name__}: {error}", 400)
        content = result if isinstance(result, bytes) else msgspec.json.encode(result)
        return Response(content, media_type="application/json")

    return [Route("/_sandbox/{command}", obey, methods=["POST"])]


def changed(settings: Any, changes: dict[str, Any]) -> None:
    """Change some fields of settings, and only such as there are."""
    for name, value in changes.items():
        if not hasattr(settings, name):
            raise ValueError(f"there is no setting {name}")
        setattr(settings, name, value)


def array(payloads: Any) -> bytes:
    """Encoded values as one JSON array."""
    return b"[%b]" % b",".join(payloads)


def hubspot_commands(world: World) -> dict[str, Callable[..., Any]]:
    """What can be asked of the local HubSpot, and done to it."""
    hubspot = world.hubspot

    def generate(
        events: int = 5000, days: float = 30, portal_id: int = FIRST_PORTAL
    ) -> dict[str, int]:
        return world.generate(events, days, portal_id)

    def arrive(
        events: int = 200, late: float = 0.2, portal_id: int = FIRST_PORTAL
    ) -> dict[str, int]:
        return world.arrive(events, late, portal_id)

    def add_events(
        events: list[dict[str, Any]],
        visible_after_seconds: float = 0,
        portal_id: int = FIRST_PORTAL,
    ) -> int:
        visible_at = time.time() + visible_after_seconds if visible_after_seconds else None
        return world.add_events(events, visible_at, portal_id)

    def events(portal_id: int | None = None) -> bytes:
        portals = [portal_id] if portal_id else list(hubspot.accounts)
        return array(
            payload for portal in portals for payload in hubspot.account(portal).everything()
        )

    def counts(portal_id: int | None = None) -> dict[str, int]:
        portals = [portal_id] if portal_id else list(hubspot.accounts)
        total: dict[str, int] = {}
        for portal in portals:
            for kind, count in hubspot.account(portal).counts().items():
                total[kind] = total.get(kind, 0) + count
        return total

    def stats() -> dict[str, Any]:
        accounts = hubspot.accounts.values()
        on_their_way = sum(account.on_their_way for account in accounts)
        return world.hubspot_gate.log.stats() | {"on_their_way": on_their_way}

    def set_limits(**changes: Any) -> None:
        changed(hubspot.limits, changes)

    def neighbour(requests: int, portal_id: int = FIRST_PORTAL) -> None:
        hubspot.usage[portal_id].count(requests)

    def set_oauth(**changes: Any) -> None:
        changed(hubspot.tokens.settings, changes)

    def set_token(token: str, scopes: list[str] | None = None, *, revoked: bool = False) -> None:
        if revoked:
            hubspot.tokens.access.pop(token, None)
            hubspot.tokens.refresh.pop(token, None)
        elif scopes is not None:
            hubspot.tokens.grant(token, scopes)

    return {
        "generate": generate,
        "arrive": arrive,
        "add_events": add_events,
        "hubspot_events": events,
        "hubspot_counts": counts,
        "hubspot_stats": stats,
        "hubspot_requests": lambda: list(world.hubspot_gate.log.requests),
        "set_limits": set_limits,
        "neighbour_requests": neighbour,
        "set_oauth": set_oauth,
        "set_token": set_token,
        "expire_tokens": hubspot.tokens.expire_all,
        "campaigns": lambda portal_id=FIRST_PORTAL: campaign_counts(hubspot.account(portal_id)),
    }


def amplitude_commands(world: World) -> dict[str, Callable[..., Any]]:
    """What can be asked of the local Amplitude, and done to it."""
    project = world.project

    def stats() -> dict[str, Any]:
        return world.amplitude_gate.log.stats() | {
            "events_received": project.received,
            "events_kept": project.counts.total(),
            "duplicates": project.duplicates,
            "bytes": project.bytes,
            "users": len(project.users.events),
        }

    def users() -> dict[str, Any]:
        return {
            user: {"events": count, "properties": project.users.properties.get(user, {})}
            for user, count in project.users.events.items()
        }

    def reached(steps: list[str], campaign_id: int | None = None) -> list[int]:
        return funnel(project.storage.events(), campaign_id, steps)

    def set_amplitude(**changes: Any) -> None:
        now = msgspec.structs.asdict(project.behaviour)
        project.behaviour = msgspec.convert(now | changes, Behaviour)

    def throttle(user: str, seconds: float = 30) -> None:
        project.rates.throttled[user] = project.now() + seconds

    def use_up_quota(user: str) -> None:
        project.rates.over_quota.add(user)

    def pass_time(seconds: float) -> None:
        project.seconds_ahead += seconds

    return {
        "amplitude_counts": lambda: dict(sorted(project.counts.items())),
        "amplitude_stats": stats,
        "amplitude_requests": lambda: list(world.amplitude_gate.log.requests),
        "amplitude_events": lambda: array(project.storage.events()),
        "amplitude_users": users,
        "funnel": reached,
        "set_amplitude": set_amplitude,
        "throttle": throttle,
        "use_up_quota": use_up_quota,
        "pass_time": pass_time,
    }


def common_commands(world: World) -> dict[str, Callable[..., Any]]:
    """What concerns both services."""

    def set_latency(**seconds: float) -> None:
        for service, value in seconds.items():
            if service not in world.latency:
                raise ValueError(f"there is no service {service}")
            world.latency[service] = value

    return {
        "set_latency": set_latency,
        "add_fault": lambda **fault: world.faults.add(fault),
        "clear_faults": world.faults.clear,
        "faults_met": lambda: world.faults.met,
        "reset": world.reset,
    }
