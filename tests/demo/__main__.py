"""Run the pipeline twice between local services and compare both sides event by event."""

from __future__ import annotations

import argparse
import sys
from datetime import datetime, timezone
from pathlib import Path

from demo.picture import Funnel, draw_funnels
from demo.pipeline import PipelineError, run_pipeline
from demo.reconcile import EVENT_NAMES, balance_table, funnel_table, reconcile
from demo.repair import REPAIR_JOB_LOG, show_repair
from sandbox.client import Sandbox
from target_amplitude.history.job_log import read_job_log
from target_amplitude.history.page import make_page


def main() -> int:
    """Return 0 if Amplitude holds each of HubSpot's events once, else 1."""
    parser = argparse.ArgumentParser(prog="demo", description=__doc__)
    parser.add_argument("--meltano", type=Path, required=True)
    meltano: Path = parser.parse_args().meltano
    output = Path("output/demo")
    output.mkdir(parents=True, exist_ok=True)
    for job_log in output.glob("*jobs.jsonl*"):
        job_log.unlink()
    with Sandbox(seed=7) as sandbox:
        sandbox.generate(events=60_000, days=29)
        try:
            return _demonstrate(sandbox, meltano, output)
        except PipelineError as error:
            print(error, file=sys.stderr)
            return 1


def _demonstrate(sandbox: Sandbox, meltano: Path, output: Path) -> int:
    backfill = _in_hubspot(sandbox)
    print(f"HubSpot holds {backfill:,} email events of the last 29 days.")
    print("First run, the backfill: meltano run tap-hubspot-email-events target-amplitude")
    seconds = run_pipeline(meltano, sandbox, output / "backfill.log", backfill, "--full-refresh")
    print(f"  done in {seconds:.1f} s, the start of Meltano and both plugins included")

    sandbox.arrive()
    everything = _in_hubspot(sandbox)
    print(f"{everything - backfill:,} events arrived meanwhile, some late; a few go out again.")
    print("Second run, the increment: the same command")
    seconds = run_pipeline(meltano, sandbox, output / "increment.log", everything)
    print(f"  done in {seconds:.1f} s\n")

    balances = reconcile(sandbox.hubspot_events(), sandbox.amplitude_events())
    print(balance_table(balances))
    campaign = sandbox.campaigns()[0]
    steps = sandbox.funnel(campaign["id"])
    print(f'\nFunnel of "{campaign["name"]}" (emailCampaignId {campaign["id"]})')
    print(funnel_table(steps.items()))
    picture = output / "funnel.svg"
    picture.write_text(draw_funnels(["Delivered", "Open", "Click"], _funnels(sandbox)), "utf-8")
    print(f"The same of every campaign, as a picture: {picture}")

    missing = sum(balance.missing for balance in balances)
    doubled = sum(balance.doubled for balance in balances)
    if missing or doubled or sum(balance.in_hubspot for balance in balances) == 0:
        print(f"\nFAILED: {missing:,} events missing, {doubled:,} doubled")
        return 1
    if not show_repair(meltano, sandbox, output):
        print("\nFAILED: the report did not find exactly the event that was taken out")
        return 1
    page = output / "history.html"
    runs = [*read_job_log(output / "jobs.jsonl")[0], *read_job_log(output / REPAIR_JOB_LOG)[0]]
    page.write_text(make_page(runs, datetime.now(timezone.utc)), "utf-8")
    print(f"The history of these runs, as a page: {page}")
    print("\nEvery event arrived, each once.")
    return 0


def _funnels(sandbox: Sandbox) -> list[Funnel]:
    return [
        Funnel(each["name"], each["id"], tuple(sandbox.funnel(each["id"]).values()))
        for each in sandbox.campaigns()
        if each["id"]
    ]


def _in_hubspot(sandbox: Sandbox) -> int:
    return sum(count for name, count in sandbox.hubspot_counts().items() if name in EVENT_NAMES)


if __name__ == "__main__":
    sys.exit(main())
