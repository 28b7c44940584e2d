"""The job log as one page with plots, without anything from the network."""

from __future__ import annotations

import html
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from target_amplitude.history.plots import PLOTS, draw
from target_amplitude.history.runs import (
    is_delivery,
    is_good,
    lag,
    last_good_end,
    rejected,
    total,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST_ROWS = 500
_TITLES = (
    "Started",
    "Read",
    "Delivered",
    "Skipped",
    "Rejected",
    "Lag",
    "Took",
    "Outcome",
)
_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .3rem; }
p.note { margin: 0 0 .5rem; opacity: .8; }
figure { margin: 0; background: #fff; border-radius: 6px; }
figure { overflow-x: auto; }
figure svg { width: 100%; min-width: 36rem; height: auto; display: block; }
.facts { display: flex; flex-wrap: wrap; gap: .5rem 2rem; padding: 0; list-style: none; }
.facts b { display: block; font-size: 1.3rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .85rem; white-space: nowrap; width: 100%; }
th, td { padding: .2rem .7rem .2rem 0; text-align: right; border-bottom: 1px solid #8884; }
th:first-child, td:first-child, td:last-child, th:last-child { text-align: left; }
td:last-child { white-space: normal; min-width: 12rem; }
.good { color: #1a7f37; } .bad { color: #c62828; } .other { color: #1f5fbf; }
@media (prefers-color-scheme: dark) {
  .good { color: #4cc36a; } .bad { color: #ff7b72; } .other { color: #79b8ff; } }
@media print { body { max-width: none; font-size: 11px; } h2 { break-after: avoid; }
  figure svg { min-width: 0; } figure, tr { break-inside: avoid; }
  .scroll, figure { overflow: visible; } }
"""


def make_page(runs: Sequence[dict[str, Any]], now: datetime) -> str:
    """Return the page as HTML."""
    body = "".join(
        f"<section><h2>{plot.title}</h2><p class=note>{plot.note}</p>"
        f"<figure>{svg}</figure></section>"
        for plot in PLOTS
        if (svg := draw(plot, runs))
    )
    return (
        "<!doctype html><html lang=en><head><meta charset=utf-8>"
        "<meta name=viewport content='width=device-width, initial-scale=1'>"
        f"<title>HubSpot email events in Amplitude</title><style>{_STYLE}</style></head><body>"
        "<h1>HubSpot email events in Amplitude</h1>"
        f"{_facts(runs, now)}{body}{_table(runs)}</body></html>\n"
    )


def _facts(runs: Sequence[dict[str, Any]], now: datetime) -> str:
    end = last_good_end(runs)
    age = "never" if end is None else f"{int((now - end) / timedelta(minutes=1)):,} min ago"
    deliveries = [run for run in runs if is_delivery(run)]
    facts = {
        "last good run": age,
        "runs": f"{len(runs):,}",
        "failed": f"{sum(not is_good(run) for run in deliveries):,}",
        "delivered": f"{sum(total(run, 'delivered') for run in deliveries):,}",
        "rejected": f"{sum(rejected(run).total() for run in deliveries):,}",
    }
    items = "".join(f"<li><b>{value}</b>{name}</li>" for name, value in facts.items())
    as_of = f"As of {now:%Y-%m-%d %H:%M} UTC; all times are UTC."
    return f"<ul class=facts>{items}</ul><p class=note>{as_of}</p>"


def _table(runs: Sequence[dict[str, Any]]) -> str:
    rows = []
    for run in list(runs)[-_MOST_ROWS:][::-1]:
        newest = lag(run)
        kind = "good" if is_good(run) else "bad" if run.get("exit_code", 1) else "other"
        cells = (
            str(run.get("started", ""))[:16].replace("T", " "),
            *(f"{total(run, name):,}" for name in ("read", "delivered", "skipped")),
            f"{rejected(run).total():,}",
            "-" if newest is None else f"{int(newest / timedelta(minutes=1)):,} min",
            f"{float(run.get('seconds') or 0):,.1f} s",
        )
        outcome = f"<td class={kind}>{html.escape(str(run.get('outcome', '')))}</td>"
        figures = "".join(f"<td>{html.escape(cell)}</td>" for cell in cells)
        rows.append(f"<tr>{figures}{outcome}</tr>")
    head = "".join(f"<th>{title}</th>" for title in _TITLES)
    return (
        f"<h2>Runs</h2><div class=scroll><table><thead><tr>{head}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )
