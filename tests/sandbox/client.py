"""The sandbox from Python: starts it in its own process, asks it, and switches faults on."""

from __future__ import annotations

import http.client
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec
from typing_extensions import Self

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from sandbox.scenarios.steady import Steady

TESTS = Path(__file__).parents[1]
PATIENCE = 180
STOP_PATIENCE = 10


class SandboxError(Exception):
    """The sandbox did not start, or refused a command."""


class Sandbox:
    """A running sandbox; the keyword arguments are the command line's options."""

    def __init__(self, **options: Any) -> None:
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self.hubspot_url = self.amplitude_url = ""

    def __enter__(self) -> Self:
        """Start it and wait until it answers."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it."""
        self.stop()

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            SandboxError: It ended instead.
        """
        command = [sys.executable, "-m", "sandbox", "--until-input-ends"]
        for name, value in self._options.items():
            option = "--" + name.replace("_", "-")
            for each in value if isinstance(value, list) else [value]:
                if each is True:
                    command.append(option)
                elif isinstance(each, dict):
                    command += [option, msgspec.json.encode(each).decode()]
                elif each is not False and each is not None:
                    command += [option, str(each)]
        self._process = subprocess.Popen(
            command, cwd=TESTS, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        ready = self._process.stdout.readline() if self._process.stdout else b""
        if not ready:
            self.stop()
            raise SandboxError("the sandbox did not start; its own words are above")
        urls = msgspec.json.decode(ready)
        self.hubspot_url, self.amplitude_url = urls["hubspot_url"], urls["amplitude_url"]

    def stop(self) -> None:
        """Stop it and wait for its end."""
        process, self._process = self._process, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()
        try:
            process.wait(STOP_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    @property
    def pid(self) -> int:
        """The process of the running sandbox."""
        if self._process is None:
            raise SandboxError("the sandbox is not running")
        return self._process.pid

    def command(self, name: str, /, **arguments: Any) -> Any:
        """Give one command of the control interface and return its result.

        Raises:
            SandboxError: The sandbox refused it.
        """
        connection = http.client.HTTPConnection(urlsplit(self.hubspot_url).netloc, timeout=PATIENCE)
        try:
            connection.request("POST", f"/_sandbox/{name}", msgspec.json.encode(arguments))
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        if response.status != http.HTTPStatus.OK:
            raise SandboxError(f"{name}: {content.decode()}")
        return msgspec.json.decode(content)

    def generate(
        self, events: int = 5000, days: float = 30, portal_id: int = 4711
    ) -> dict[str, int]:
        """Fill an account with whole stories; returns its events by type."""
        return self._counts("generate", events=events, days=days, portal_id=portal_id)

    def arrive(self, events: int = 200, late: float = 0.2, portal_id: int = 4711) -> dict[str, int]:
        """Add what happened since the last call, a share of it late by up to 110 minutes."""
        return self._counts("arrive", events=events, late=late, portal_id=portal_id)

    def add_events(
        self,
        events: Sequence[dict[str, Any]],
        visible_after_seconds: float = 0,
        *,
        visible_at: Sequence[float] | None = None,
        portal_id: int = 4711,
    ) -> int:
        """Add exact events, visible at once or later; an event's ``portalId`` goes first.

        ``visible_at`` is a moment for each, in seconds since the epoch, by HubSpot's clock.
        """
        count: int = self.command(
            "add_events",
            events=events,
            visible_after_seconds=visible_after_seconds,
            visible_at=visible_at,
            portal_id=portal_id,
        )
        return count

    def add_raw_events(self, events: Sequence[tuple[int, str, bytes]]) -> None:
        """Add events given as ``created``, type and the bytes that HubSpot is to send."""
        raw = [
            {"created": created, "type": kind, "payload": payload.decode("latin-1")}
            for created, kind, payload in events
        ]
        self.command("add_raw_events", events=raw)

    def delete_events(self, ids: Sequence[str]) -> int:
        """Let events disappear from HubSpot; returns how many there were."""
        count: int = self.command("delete_events", ids=list(ids))
        return count

    def replace_event(self, event: dict[str, Any]) -> None:
        """Put another event in the place of the one with its id."""
        self.command("replace_event", event=event)

    def add_steady(self, steady: Steady) -> None:
        """Add a steady stream of events, see ``sandbox.scenarios.steady``."""
        self.command("add_steady", steady=list(steady))

    def set_hubspot_clock(self, at: float) -> None:
        """Set HubSpot's clock, in seconds since the epoch; it goes on from there."""
        self.command("set_hubspot_clock", at=at)

    def hubspot_clock(self) -> float:
        """HubSpot's time, in seconds since the epoch."""
        now: float = self.command("hubspot_clock")
        return now

    def hubspot_events(self, portal_id: int | None = None) -> list[dict[str, Any]]:
        """Every visible event of one account, or of all."""
        return self._list("hubspot_events", portal_id=portal_id)

    def hubspot_counts(self, portal_id: int | None = None) -> dict[str, int]:
        """The visible events by type, of one account or of all."""
        return self._counts("hubspot_counts", portal_id=portal_id)

    def hubspot_requests(self) -> list[dict[str, Any]]:
        """The requests HubSpot got: ``path``, ``params``, ``status`` (0: cut), ``at``..."""
        return self._list("hubspot_requests")

    def hubspot_stats(self) -> dict[str, Any]:
        """How many requests, by status and path, and how many at once."""
        return self._object("hubspot_stats")

    def campaigns(self, portal_id: int = 4711) -> list[dict[str, Any]]:
        """The account's campaigns and their events by type, the largest first."""
        return self._list("campaigns", portal_id=portal_id)

    def largest_campaign(self, portal_id: int = 4711) -> dict[str, Any]:
        """The campaign with the most events."""
        return self.campaigns(portal_id)[0]

    def contacts(self, portal_id: int = 4711) -> dict[str, dict[str, str]]:
        """The account's contacts by their address in lower case."""
        return msgspec.convert(
            self.command("contacts", portal_id=portal_id), dict[str, dict[str, str]]
        )

    def add_contacts(self, contacts: Sequence[dict[str, str]], portal_id: int = 4711) -> None:
        """Add contacts, each an object of properties with its ``email``."""
        self.command("add_contacts", contacts=contacts, portal_id=portal_id)

    def amplitude_counts(self) -> dict[str, int]:
        """The events Amplitude kept, by ``event_type``."""
        return self._counts("amplitude_counts")

    def amplitude_stats(self) -> dict[str, Any]:
        """How many requests, events, duplicates and bytes came."""
        return self._object("amplitude_stats")

    def amplitude_requests(self) -> list[dict[str, Any]]:
        """The requests Amplitude got: ``path``, ``status``, ``events``, ``duplicates``..."""
        return self._list("amplitude_requests")

    def amplitude_events(self, skip: int = 0) -> list[dict[str, Any]]:
        """Every event Amplitude kept, as it was sent, in the order of arrival, from one on."""
        return self._list("amplitude_events", skip=skip)

    def amplitude_users(self) -> dict[str, Any]:
        """Each user's number of ``events`` and table of ``properties``."""
        return self._object("amplitude_users")

    def funnel(self, campaign_id: int | None, steps: Sequence[str]) -> list[int]:
        """The users who reached each step in order, for one campaign or for all (None)."""
        reached: list[int] = self.command("funnel", campaign_id=campaign_id, steps=list(steps))
        return reached

    def set_limits(self, **changes: Any) -> None:
        """Change HubSpot's limits; 0 is none.

        ``requests_per_10_seconds``, ``requests_per_second``, ``daily_limit``, ``retry_after``.
        """
        self.command("set_limits", **changes)

    def set_hubspot(self, **changes: Any) -> None:
        """Let HubSpot differ; see ``sandbox.hubspot.behaviour`` for what can change."""
        self.command("set_hubspot", **changes)

    def neighbour_requests(self, requests: int, portal_id: int = 4711) -> None:
        """Let somebody else use up so many requests of the account."""
        self.command("neighbour_requests", requests=requests, portal_id=portal_id)

    def set_oauth(self, **changes: Any) -> None:
        """``token_life_seconds``, ``rotate``, ``dated_endpoint``, ``v1_endpoint``."""
        self.command("set_oauth", **changes)

    def set_token(
        self, token: str, scopes: list[str] | None = None, *, revoked: bool = False
    ) -> None:
        """Change what a token was granted, or revoke it."""
        self.command("set_token", token=token, scopes=scopes, revoked=revoked)

    def expire_tokens(self) -> None:
        """Make every access token that OAuth gave too old."""
        self.command("expire_tokens")

    def set_amplitude(self, **changes: Any) -> None:
        """Change how Amplitude behaves.

        ``index_style`` all | first, ``short_ids`` refuse | drop, ``eps_threshold``,
        ``forbidden`` (texts that get 403), ``silenced_devices``, ``api_key``,
        ``taxonomy`` (whether the plan has that API).
        """
        self.command("set_amplitude", **changes)

    def add_foreign_events(self, events: Sequence[dict[str, Any]], hours_ago: float = 3) -> None:
        """Add events that another source brought to Amplitude."""
        self.command("add_foreign_events", events=list(events), hours_ago=hours_ago)

    def add_other_events(self, count: int, hours: float) -> None:
        """Add so many product events, uploaded over the last hours; only the export has them."""
        self.command("add_other_events", count=count, hours=hours)

    def remove_amplitude_events(self, insert_ids: Sequence[str]) -> int:
        """Lose events from Amplitude; returns how many."""
        count: int = self.command("remove_amplitude_events", insert_ids=list(insert_ids))
        return count

    def throttle(self, user: str, seconds: float = 30) -> None:
        """Hold one user or device back with 429 for some time."""
        self.command("throttle", user=user, seconds=seconds)

    def use_up_quota(self, user: str, seconds: float = 86_400) -> None:
        """Let one user or device be over its daily quota."""
        self.command("use_up_quota", user=user, seconds=seconds)

    def taxonomy(self) -> dict[str, Any]:
        """The plan: ``category``, ``event``, ``event-property``, each entry by its name."""
        return self._object("taxonomy")

    def lookup_tables(self) -> dict[str, Any]:
        """The uploaded tables by name: ``key``, ``property``, ``rows``."""
        return self._object("lookup_tables")

    def pass_time(self, seconds: float) -> None:
        """Move Amplitude's clock ahead."""
        self.command("pass_time", seconds=seconds)

    def set_latency(self, **seconds: float) -> None:
        """Seconds before each answer, for ``hubspot`` and ``amplitude``."""
        self.command("set_latency", **seconds)

    def add_fault(self, service: str, **fault: Any) -> None:
        """Put a fault in force; see ``sandbox.faults.Fault`` for its fields."""
        self.command("add_fault", service=service, **fault)

    def clear_faults(self) -> None:
        """Behave well again."""
        self.command("clear_faults")

    def faults_met(self) -> int:
        """How many requests met a fault since the last reset."""
        count: int = self.command("faults_met")
        return count

    def forget_amplitude(self) -> None:
        """Empty Amplitude, and let it behave well, while HubSpot keeps what it has."""
        self.command("forget_amplitude")

    def reset(self) -> None:
        """Empty both services, and behave as at the start."""
        self.command("reset")

    def _counts(self, name: str, **arguments: Any) -> dict[str, int]:
        return msgspec.convert(self.command(name, **arguments), dict[str, int])

    def _list(self, name: str, **arguments: Any) -> list[dict[str, Any]]:
        return msgspec.convert(self.command(name, **arguments), list[dict[str, Any]])

    def _object(self, name: str) -> dict[str, Any]:
        return msgspec.convert(self.command(name), dict[str, Any])
