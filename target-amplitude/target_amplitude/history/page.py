"""The job log as one page, without anything from the network: a sentence, charts, a table."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

from target_amplitude.history.chart import number, shapes, show
from target_amplitude.history.job_table import COLUMNS
from target_amplitude.history.plots import charts
from target_amplitude.history.runs import DAY, at
from target_amplitude.history.verdict import judge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_amplitude.history.runs import LoggedRun

_MOST_RUNS = 500
"""As many marks fit into a chart."""

_MOST_ROWS = 100
_EARLIEST = datetime(2020, 1, 1, tzinfo=timezone.utc)
"""A run before that, or after tomorrow, is damage, and would stretch every axis."""

_STYLE = """
:root { --ink: #1c2733; --faint: #5d6b78; --rule: #d5dbe1; --paper: #fff; --good: #1f5fbf;
  --bad: #c62828; --apart: #7a3e9d; --warning: #8a5a00; --well: #1a7f37; color-scheme: light; }
@media screen and (prefers-color-scheme: dark) { :root { --ink: #e4e9ee; --faint: #a3b0bc;
  --rule: #3a444e; --paper: #14191e; --good: #79b8ff; --bad: #ff7b72; --apart: #d2a8ff;
  --warning: #e3b341; --well: #4cc36a; color-scheme: dark; } }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1rem;
  color: var(--ink); background: var(--paper); overflow-wrap: anywhere; }
h1 { font-size: 1.1rem; margin: 0 0 .5rem; } h2 { font-size: 1.1rem; margin: 2rem 0 0; }
.finding { border-left: .4rem solid; padding: .2rem 0 .2rem .8rem; margin: 0 0 1rem; }
.finding strong { display: block; font-size: 1.25rem; line-height: 1.35; }
.finding span { color: var(--ink); }
.finding.good { color: var(--well); } .finding.bad { color: var(--bad); }
.finding.warning { color: var(--warning); }
.note { margin: 0; color: var(--faint); font-size: .9rem; }
.facts, .legend { display: flex; flex-wrap: wrap; gap: .3rem 2rem; padding: 0; list-style: none; }
.facts b { display: block; font-size: 1.3rem; }
.legend { gap: 0 1rem; margin: .3rem 0; font-size: .85rem; }
figure { display: grid; grid-template-columns: 4rem 1fr; margin: 0; padding-right: 1.5rem;
  break-inside: avoid; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
figcaption { grid-column: 1 / 3; font-size: .85rem; color: var(--faint); padding-bottom: .4rem; }
svg { overflow: visible; font-size: 12px; fill: var(--ink); }
figure svg { width: 100%; }
svg.sign { width: 16px; height: 16px; vertical-align: -3px; }
svg.shapes { position: absolute; width: 0; height: 0; }
.grid { stroke: var(--rule); } .tick { stroke: var(--faint); }
.good { fill: var(--good); } .failed { stroke: var(--bad); stroke-width: 2.2; }
.missing { fill: var(--bad); } .beyond { fill: var(--ink); }
.apart, .dry { fill: var(--paper); stroke: var(--apart); stroke-width: 1.6; }
.dry { stroke: var(--faint); } .doubled { stroke: var(--apart); stroke-width: 2.2; }
[class^=stream] { stroke: var(--paper); stroke-width: .4; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .85rem; width: 100%; white-space: nowrap; }
th, td { padding: .2rem .7rem .2rem 0; text-align: right; vertical-align: top;
  border-bottom: 1px solid var(--rule); }
th:first-child, td:first-child, td:last-child, th:last-child { text-align: left; }
td:last-child { min-width: 9rem; white-space: normal; }
td.failed { color: var(--bad); } tr { break-inside: avoid; }
@media (max-width: 40rem) { thead, td.wide { display: none; }
  tr { display: flex; flex-wrap: wrap; gap: 0 1rem; padding: .3rem 0; }
  tr { border-bottom: 1px solid var(--rule); } td { padding: 0; border: 0; }
  td[data-name]::before { content: attr(data-name) " "; color: var(--faint); }
  td:last-child { flex-basis: 100%; }
  figure { grid-template-columns: 3.2rem 1fr; } }
@media print { html { font-size: 70%; } body { max-width: none; font-size: 1rem; }
  .chart { break-inside: avoid; } h2 { break-after: avoid; } }
"""
_STREAM_COLOURS = (
    *("#1f5fbf", "#f2711c", "#21a366", "#8e44ad", "#c0392b", "#16a2b8"),
    *("#7f8c8d", "#d4a017", "#e377c2", "#4f6d9e", "#9acd32", "#8c564b"),
)
_SIGNS = {"good": "✓", "apart": "✓", "failed": "✕", "dry": "○", "warning": "!", "bad": "✕"}


def make_page(runs: Sequence[LoggedRun], now: datetime, unreadable: int = 0) -> str:
    """Return the page as HTML; `unreadable` lines of the job log are told of."""
    dated = sorted(
        (run for run in runs if _EARLIEST <= run.ended <= now + DAY),
        key=lambda run: run.started,
    )
    recent = dated[-_MOST_RUNS:]
    drawn = "".join(chart.draw() for chart in charts(dated, recent))
    streams = "".join(
        f".stream{place} {{ fill: {colour}; }}" for place, colour in enumerate(_STREAM_COLOURS)
    )
    return (
        "<!doctype html>\n<html lang=en><head><meta charset=utf-8>"
        "<meta name=viewport content='width=device-width, initial-scale=1'>"
        f"<title>HubSpot email events in Amplitude</title><style>{_STYLE}{streams}</style></head>"
        f"<body>{shapes()}<h1>HubSpot email events in Amplitude</h1>{_findings(dated, now)}"
        f"{_facts(dated, now, unreadable + len(runs) - len(dated))}"
        f"{drawn}{_table(dated[-_MOST_ROWS:], len(dated))}</body></html>\n"
    )


def _findings(runs: Sequence[LoggedRun], now: datetime) -> str:
    return "".join(
        f"<p class='finding {found.level}'><strong>{_SIGNS[found.level]} {show(found.text)}"
        f"</strong> <span>{show(found.advice)}</span></p>"
        for found in judge(runs, now)
    )


def _facts(runs: Sequence[LoggedRun], now: datetime, unreadable: int) -> str:
    deliveries = [run for run in runs if run.is_delivery]
    facts = {
        "run" if len(runs) == 1 else "runs": f"{len(runs):,}",
        "failed": f"{sum(run.is_failed for run in runs):,}",
        "delivered": number(sum(run.delivered for run in deliveries)),
        "rejected": number(sum(run.rejected.total() for run in deliveries)),
    }
    if unreadable:
        facts["unreadable lines of the job log"] = f"{unreadable:,}"
    items = "".join(f"<li><b>{value}</b>{name}</li>" for name, value in facts.items())
    as_of = f"As of {at(now)}; all times are UTC."
    return f"<ul class=facts>{items}</ul><p class=note>{as_of}</p>"


def _table(runs: Sequence[LoggedRun], of: int) -> str:
    if not runs:
        return ""
    is_shown = {
        "State id": len({run.state for run in runs}) > 1,
        "Suffix": any(run.suffix for run in runs),
    }
    titles = [title for title in _COLUMNS if is_shown.get(title, True)]
    head = "".join(f"<th>{title}</th>" for title in titles)
    rows = "".join(
        "<tr>"
        + "".join(f"<td{_COLUMNS[title]}>{show(_cell(title, run))}</td>" for title in titles)
        + f"<td class={run.kind}>{show(_outcome(run))}</td></tr>"
        for run in reversed(runs)
    )
    newest = f"<p class=note>The newest {len(runs):,} of {of:,}.</p>" if len(runs) < of else ""
    return (
        f"<section><h2>Runs</h2>{newest}<div class=scroll><table><thead><tr>{head}<th>Outcome</th>"
        f"</tr></thead><tbody>{rows}</tbody></table></div></section>"
    )


def _cell(title: str, run: LoggedRun) -> str:
    # What a report would have sent is not delivered.
    return "-" if title == "Delivered" and not run.is_delivery else COLUMNS[title](run)


def _outcome(run: LoggedRun) -> str:
    return f"{_SIGNS[run.kind]} {'failed: ' if run.is_failed else ''}{run.outcome}"


_COLUMNS = {
    "Started": "",
    "State id": " data-name='State id'",
    "Suffix": " data-name=Suffix",
    "Read": " class=wide",
    "Delivered": " data-name=Delivered",
    "Skipped": " class=wide",
    "Rejected": " data-name=Rejected",
    "Lag": " class=wide",
    "Took": " class=wide",
}
"""The columns of the table, each with what a cell needs on a narrow screen."""
