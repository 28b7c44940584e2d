"""The funnel of each campaign as a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WIDTH = 880
MARGIN = 32
HEADER = 108
ROW = 104
FOOTER = 52
LONGEST_NAME = 27
BARS_FROM = 296
BARS_TO = 728
BAR = 20
GAP = 6
COLOURS = ("#9db7d5", "#3f7cbf", "#143d6b")
INK, FAINT, RULE, PAPER = "#1c2733", "#667380", "#e3e8ed", "#ffffff"
FONTS = "system-ui, -apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif"
TITLE = f'font-size="21" font-weight="600" fill="{INK}"'
NAME = f'font-size="16" font-weight="600" fill="{INK}"'
LABEL = f'font-size="14" fill="{INK}"'
NOTE = f'font-size="13" fill="{FAINT}"'


@dataclass(frozen=True)
class Funnel:
    """One campaign: its name, its id, and the people of each step."""

    name: str
    campaign_id: int
    people: tuple[int, ...]


def draw_funnels(steps: Sequence[str], funnels: Sequence[Funnel]) -> str:
    """Return an SVG with a bar for each step of each campaign, and its share of the first step."""
    height = HEADER + ROW * len(funnels) + FOOTER
    longest = max((max(funnel.people, default=0) for funnel in funnels), default=0) or 1
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}"',
        f' height="{height}" role="img" aria-labelledby="title" font-family="{FONTS}">',
        '<title id="title">Funnels of email campaigns: ' + escape(", ".join(steps)) + "</title>",
        f'<rect width="{WIDTH}" height="{height}" rx="8" fill="{PAPER}" stroke="{RULE}"/>',
        _text(MARGIN, 46, "Who got an email, opened it and clicked", TITLE),
        *_legend(steps),
    ]
    for number, funnel in enumerate(funnels):
        lines += _row(HEADER + ROW * number, funnel, longest)
    note = "People who reached each step, in this order; per cent of the first step."
    lines += [_text(MARGIN, height - 22, note, NOTE), "</svg>"]
    return "\n".join(lines) + "\n"


def _legend(steps: Sequence[str]) -> Iterator[str]:
    left = MARGIN
    for step, colour in zip(steps, COLOURS, strict=True):
        yield f'<rect x="{left}" y="68" width="14" height="14" rx="3" fill="{colour}"/>'
        yield _text(left + 22, 80, step, LABEL)
        left += 22 + 9 * len(step) + 24


def _row(top: int, funnel: Funnel, longest: int) -> Iterator[str]:
    yield f'<path d="M{MARGIN} {top}H{WIDTH - MARGIN}" stroke="{RULE}"/>'
    yield _text(MARGIN, top + 44, _shortened(funnel.name), NAME)
    yield _text(MARGIN, top + 66, f"emailCampaignId {funnel.campaign_id}", NOTE)
    first = funnel.people[0] if funnel.people else 0
    for number, (people, colour) in enumerate(zip(funnel.people, COLOURS, strict=True)):
        y = top + 16 + number * (BAR + GAP)
        width = round((BARS_TO - BARS_FROM) * people / longest, 1)
        yield (
            f'<rect x="{BARS_FROM}" y="{y}" width="{width}" height="{BAR}" rx="3" fill="{colour}"/>'
        )
        share = f"{100 * people / first:.1f} %" if number and first else ""
        yield (
            f'<text x="{BARS_FROM + width + 8}" y="{y + 15}" {LABEL}>'
            f'<tspan font-weight="600">{people:,}</tspan>'
            f'<tspan dx="8" fill="{FAINT}">{share}</tspan></text>'
        )


def _shortened(name: str) -> str:
    printable = "".join(letter for letter in name if letter.isprintable())
    return printable if len(printable) <= LONGEST_NAME else f"{printable[: LONGEST_NAME - 1]}…"


def _text(x: int, y: int, words: str, style: str) -> str:
    return f'<text x="{x}" y="{y}" {style}>{escape(words)}</text>'
