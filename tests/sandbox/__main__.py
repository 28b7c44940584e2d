"""``python -m sandbox``: serve a local HubSpot and a local Amplitude until interrupted."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import os
import socket
import sys
from typing import TYPE_CHECKING

import msgspec
import uvicorn
import uvloop

from sandbox.hubspot.limits import Limits
from sandbox.hubspot.tokens import FIRST_PORTAL
from sandbox.world import World

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

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
    add("--latency-hubspot", type=float, default=0.0, help="seconds before each of its answers")
    add("--requests-per-10-seconds", type=int, default=limits.requests_per_10_seconds)
    add("--daily-limit", type=int, default=limits.daily_limit)
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


async def let_arrive(world: World, events_per_hour: int) -> None:
    """Let events arrive bit by bit for as long as the sandbox runs."""
    owed = 0.0
    while events_per_hour:
        await asyncio.sleep(ARRIVAL_PAUSE)
        owed += events_per_hour * ARRIVAL_PAUSE / 3600
        if owed >= 1:
            world.histories[FIRST_PORTAL].arrive(int(owed), LATE_SHARE)
            owed -= int(owed)


async def serve(world: World, sockets: list[socket.socket], asked: argparse.Namespace) -> None:
    """Serve both, each on its port, until a signal or the end of standard input."""
    ports = [bound.getsockname()[1] for bound in sockets]
    applications = dict(zip(ports, world.applications(), strict=True))

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await applications[scope["server"][1]](scope, receive, send)

    server = uvicorn.Server(
        uvicorn.Config(
            application,
            access_log=False,
            # Each service dates its answers by its own clock.
            date_header=False,
            lifespan="off",
            log_level="error",
            timeout_keep_alive=120,
            timeout_graceful_shutdown=1,
        )
    )
    loop = asyncio.get_running_loop()
    if asked.until_input_ends:

        def read() -> None:
            if not os.read(STANDARD_INPUT, 4096):
                loop.remove_reader(STANDARD_INPUT)
                server.should_exit = True

        loop.add_reader(STANDARD_INPUT, read)
    arriving = loop.create_task(let_arrive(world, asked.arriving_per_hour))
    await server.serve(sockets)
    arriving.cancel()


def main() -> None:
    """Run the command."""
    asked = options()
    limits = Limits(asked.requests_per_10_seconds, asked.daily_limit)
    # Hundreds of thousands of events lie in memory, none of them in a cycle.
    gc.set_threshold(50_000, 50, 1000)
    world = World(asked.seed, limits, asked.latency_hubspot)
    sockets = [listening(asked.hubspot_port), listening(asked.amplitude_port)]
    if asked.events:
        world.histories[FIRST_PORTAL].generate(asked.events, asked.days)
    world.project.behaviour.export_delay_hours = asked.export_delay_hours
    hubspot, amplitude = (f"http://127.0.0.1:{bound.getsockname()[1]}" for bound in sockets)
    urls = {"hubspot_url": hubspot, "amplitude_url": amplitude}
    print(msgspec.json.encode(urls).decode(), flush=True)
    if asked.hints:
        print(HINTS, flush=True)
    # After Ctrl+C the server ends in order, and only then raises this.
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(serve(world, sockets, asked))


if __name__ == "__main__":
    main()
