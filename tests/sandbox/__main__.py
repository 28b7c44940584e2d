"""``python -m sandbox``: serve a local HubSpot and a local Amplitude until interrupted."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
from typing import TYPE_CHECKING, Any

import msgspec
import uvicorn
from typing_extensions import override

from sandbox.hubspot.limits import Limits
from sandbox.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import ASGIApp

STANDARD_INPUT = 0
ARRIVAL_PAUSE = 4
LATE_SHARE = 0.1
HINTS = """
Both services are up, until Ctrl+C. HubSpot has the mailings of 30 days, and three more events
arrive each second, one in ten of them late. In another terminal, in the project's folder:

export PATH="$PWD/.venv-meltano/bin:$PATH" MELTANO_ENVIRONMENT=demo

# What is true of the account, and of the project:
meltano invoke tap-hubspot-email-events:check
meltano invoke target-amplitude:check
# A backfill, as this sandbox is new; a minute later, what has arrived meanwhile:
meltano run --full-refresh tap-hubspot-email-events target-amplitude
meltano run tap-hubspot-email-events target-amplitude
# What each run delivered, in the terminal and as a page:
meltano invoke target-amplitude:jobs
meltano invoke target-amplitude:jobs --html output/demo/history.html
# The emails, and how many people got one of them, opened it and clicked:
curl -s -X POST http://127.0.0.1:8701/_sandbox/campaigns
curl -s -X POST http://127.0.0.1:8701/_sandbox/funnel -d '{"campaign_id": 243851494}'
# Both sides compared, sending nothing; `missing` should be 0, the newest count as `too early`:
TARGET_AMPLITUDE_RECONCILE=report MELTANO_RUN_STATE_ID_SUFFIX=compare \\
  meltano run tap-hubspot-email-events target-amplitude

The environment `demo` takes no credentials, addresses or files from .env or the shell, and this
HubSpot has forgotten one campaign on purpose. Go live in a terminal of its own.
"""


class Server(uvicorn.Server):
    """One of two servers in a process; the process itself listens to signals."""

    @override
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def options() -> argparse.Namespace:
    """What the command line asks for."""
    limits = Limits()
    parser = argparse.ArgumentParser(prog="sandbox", description=__doc__)
    add = parser.add_argument
    add("--hubspot-port", type=int, default=0, help="0 for a free one (default)")
    add("--amplitude-port", type=int, default=0, help="0 for a free one (default)")
    add("--seed", type=int, default=7, help="the same seed gives the same events")
    add("--events", type=int, default=0, help="generate so many events of the past")
    add("--days", type=float, default=30, help="over so many days")
    add("--arriving-per-hour", type=int, default=0, help="let so many more arrive, some late")
    add("--export-delay-hours", type=float, default=2, help="how late Amplitude exports what came")
    add("--latency-hubspot", type=float, default=0.0, help="seconds before each answer")
    add("--latency-amplitude", type=float, default=0.0, help="seconds before each answer")
    add("--requests-per-10-seconds", type=int, default=limits.requests_per_10_seconds)
    add("--daily-limit", type=int, default=limits.daily_limit)
    add("--fault", action="append", default=[], type=msgspec.json.decode, help="one as JSON")
    add("--until-input-ends", action="store_true", help="stop when standard input is closed")
    add("--hints", action="store_true", help="say what can be tried in the environment `demo`")
    return parser.parse_args()


def listening(port: int) -> socket.socket:
    """A socket on a loopback port, a free one for 0."""
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind(("127.0.0.1", port))
    except OSError as error:
        sys.exit(f"Port {port} cannot be used ({error.strerror}); does another sandbox run?")
    bound.listen(1024)
    return bound


def server(app: ASGIApp) -> Server:
    """A quiet server for one application."""
    return Server(
        uvicorn.Config(
            app,
            access_log=False,
            # Each service dates its answers by its own clock.
            date_header=False,
            lifespan="off",
            log_level="error",
            timeout_keep_alive=120,
            timeout_graceful_shutdown=1,
        )
    )


async def let_arrive(world: World, events_per_hour: int) -> None:
    """Let events arrive bit by bit for as long as the sandbox runs."""
    owed = 0.0
    while events_per_hour:
        await asyncio.sleep(ARRIVAL_PAUSE)
        owed += events_per_hour * ARRIVAL_PAUSE / 3600
        if owed >= 1:
            world.arrive(int(owed), LATE_SHARE, next(iter(world.hubspot.accounts)))
            owed -= int(owed)


async def serve(world: World, sockets: list[socket.socket], asked: argparse.Namespace) -> None:
    """Serve both until a signal, or the end of standard input."""
    servers = [server(application) for application in world.applications()]

    def stop() -> None:
        for each in servers:
            each.should_exit = True

    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop)
    if asked.until_input_ends:

        def read() -> None:
            if not os.read(STANDARD_INPUT, 4096):
                loop.remove_reader(STANDARD_INPUT)
                stop()

        loop.add_reader(STANDARD_INPUT, read)
    arriving = loop.create_task(let_arrive(world, asked.arriving_per_hour))
    await asyncio.gather(
        *(each.serve([bound]) for each, bound in zip(servers, sockets, strict=True))
    )
    arriving.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await arriving


def announcement(sockets: list[socket.socket]) -> bytes:
    """The line that says where the services are."""
    urls: list[Any] = [f"http://127.0.0.1:{bound.getsockname()[1]}" for bound in sockets]
    return msgspec.json.encode({"hubspot_url": urls[0], "amplitude_url": urls[1]})


def main() -> int:
    """Run the command."""
    asked = options()
    limits = Limits(asked.requests_per_10_seconds, asked.daily_limit)
    latency = {"hubspot": asked.latency_hubspot, "amplitude": asked.latency_amplitude}
    # Hundreds of thousands of events lie in memory, none of them in a cycle.
    gc.set_threshold(50_000, 50, 1000)
    try:
        world = World(asked.seed, limits, latency, asked.fault)
        sockets = [listening(asked.hubspot_port), listening(asked.amplitude_port)]
    except (OSError, msgspec.ValidationError) as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 1
    portal_id = next(iter(world.hubspot.accounts))
    if asked.events:
        world.generate(asked.events, asked.days, portal_id)
    world.project.behaviour.export_delay_hours = asked.export_delay_hours
    print(announcement(sockets).decode(), flush=True)
    if asked.hints:
        print(HINTS, flush=True)
    serving = serve(world, sockets, asked)
    new_loop = uvicorn.Config("").get_loop_factory() or asyncio.new_event_loop
    loop = new_loop()
    try:
        loop.run_until_complete(serving)
    finally:
        loop.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
