"""A chart over time as inline SVG: bars or marks, axes, and a legend.

What is horizontal is in per cent of the width, so that text and marks keep their size on every
screen; what is vertical is in pixels. Colours come from the page's style.
"""

from __future__ import annotations

import html
import math
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from target_amplitude.common.text import LONGEST_LINE, fit
from target_amplitude.history.runs import DAY, HOUR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_HEIGHT = 180
_BELOW = 40
_MOST_TICKS = 6
_TIME_STEPS = (
    *(HOUR * hours for hours in (1 / 6, 1 / 2, 1, 2, 3, 6, 12)),
    *(DAY * days for days in (1, 2, 3, 7, 14, 28, 91, 182, 364)),
    *(DAY * 364 * years for years in (2, 5, 10, 50, 100, 500, 2000)),
)
_MONDAY = datetime(2024, 1, 1, tzinfo=timezone.utc)
_MOST_STEPS = 5
_FEWEST_POINTS = 5
_MOST_OUTLIERS = 3
_FAR = 10
_MILLION = 1_000_000
_LEAST = 1e-3

SHAPES = {
    "good": "<circle r=3.5 />",
    "failed": "<path d='M-5-5 5 5M-5 5 5-5'/>",
    "apart": "<path d='M0-5 5 0 0 5-5 0Z'/>",
    "dry": "<rect x=-4 y=-4 width=8 height=8 />",
    "missing": "<path d='M-5-4H5L0 5Z'/>",
    "doubled": "<path d='M-5 0H5M0-5V5'/>",
}


@dataclass(frozen=True, slots=True)
class Mark:
    """A value at a moment; `shape` is one of `SHAPES`, `label` says all of it in words."""

    moment: datetime
    value: float
    shape: str
    label: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A stack of values from one moment to another; `parts` are style class and value."""

    start: datetime
    end: datetime
    parts: Sequence[tuple[str, int]]
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart of bars or of marks.

    Attributes:
        legend: The style class or shape of each series, and its name.
        whole: Whether values are counts.
        span: What the axis covers at least.
    """

    title: str
    note: str
    unit: str
    legend: Sequence[tuple[str, str]]
    bars: Sequence[Bar] = ()
    marks: Sequence[Mark] = ()
    whole: bool = True
    span: tuple[datetime, datetime] | None = None

    def draw(self) -> str:
        """Return the chart as HTML."""
        values = [mark.value for mark in self.marks]
        usual = without_outliers(values)
        heights = [sum(value for _, value in bar.parts) for bar in self.bars]
        most = max([*usual, *heights])
        steps = value_steps(most, whole=self.whole)
        start, end = self._range()

        def x(moment: datetime) -> float:
            return round(100 * ((moment - start) / (end - start)), 3)

        def y(value: float) -> float:
            return round(_HEIGHT * (1 - min(1.0, value / steps[-1])), 1)

        plot = [
            *(f"<line class=grid x2=100% y1={y(step)} y2={y(step)} />" for step in steps),
            *_time_axis(start, end, x),
            *(_draw_bar(bar, x, y) for bar in self.bars),
            *(_draw_mark(mark, x, y, is_beyond=mark.value > most) for mark in self.marks),
        ]
        scale = (
            f"<text x=100% dx=-8 y={y(step) + 4} text-anchor=end>{number(step)}</text>"
            for step in steps
        )
        legend = [f"<li>{_sign(sign)} {show(name)}</li>" for sign, name in self.legend]
        if beyond := sorted(values)[len(usual) :]:
            legend.append(
                f"<li><b>▲</b> beyond the scale ({show(self.unit)}): "
                f"{', '.join(map(number, beyond))}</li>"
            )
        height = _HEIGHT + _BELOW
        return (
            f"<section class=chart><h2>{show(self.title)}</h2>"
            f"<p class=note>{show(self.note)}</p>"
            f"<ul class=legend>{''.join(legend)}</ul><figure role=img "
            f"aria-label='{show(f'{self.title}. {self.note}')}'>"
            f"<figcaption>{show(self.unit)}</figcaption>"
            f"<svg class=scale height={height}>{''.join(scale)}</svg>"
            f"<svg class=plot height={height}>{''.join(plot)}</svg></figure></section>"
        )

    def _range(self) -> tuple[datetime, datetime]:
        moments = [mark.moment for mark in self.marks]
        moments += [moment for bar in self.bars for moment in (bar.start, bar.end)]
        moments += self.span or ()
        start, end = min(moments), max(moments)
        # A single run has no range of its own.
        rest = max(HOUR - (end - start), timedelta(0))
        return start - rest / 2, end + rest / 2


def show(text: str) -> str:
    """Return text as HTML, fit for the page, on which some of it is of others."""
    return html.escape(fit(text, LONGEST_LINE))


def without_outliers(values: Iterable[float]) -> list[float]:
    """Return values in order, without the few that would flatten all others.

    These are at most three, the smallest of them ten times the largest of the rest.
    """
    found = sorted(values)
    for outliers in range(_MOST_OUTLIERS, 0, -1):
        rest = found[:-outliers]
        if len(rest) >= _FEWEST_POINTS and 0 < _FAR * rest[-1] <= found[-outliers]:
            return rest
    return found


def value_steps(most: float, *, whole: bool) -> list[float]:
    """Return round values from 0 to at least `most`, at most six; `whole` ones for counts."""
    if most < _LEAST:
        return [0, 1]
    power = 10.0 ** math.floor(math.log10(most / _MOST_STEPS))
    if whole:
        power = max(power, 1.0)
    size = next(
        size for size in (power, 2 * power, 5 * power, 10 * power) if size * _MOST_STEPS >= most
    )
    return [size * step for step in range(math.ceil(round(most / size, 6)) + 1)]


def number(value: float) -> str:
    """Return a number as it stands at an axis or in a text."""
    if value >= _MILLION:
        return f"{value / _MILLION:,.4g}\N{NO-BREAK SPACE}M"
    return f"{value:,.0f}" if value == round(value) else f"{value:,.3g}"


def time_ticks(start: datetime, end: datetime) -> list[tuple[datetime, str, str]]:
    """Return the ticks of an axis of time, at most six: moment, label, and what it belongs to.

    The latter is the day of an hour and the year of a day, only where it changes.
    """
    step = next(step for step in _TIME_STEPS if (end - start) / step < _MOST_TICKS)
    form, part_of = ("%H:%M", "%d %b") if step < DAY else ("%d %b", "%Y")
    first = start + (_MONDAY - start) % step
    ticks, before = [], ""
    for place in range((end - first) // step + 1):
        moment = first + place * step
        whole = f"{moment:{part_of}}"
        ticks.append((moment, f"{moment:{form}}", whole if whole != before else ""))
        before = whole
    return ticks


def _time_axis(start: datetime, end: datetime, x: Callable[[datetime], float]) -> Iterable[str]:
    for moment, label, whole in time_ticks(start, end):
        yield f"<line class=tick x1={x(moment)}% x2={x(moment)}% y1={_HEIGHT} y2={_HEIGHT + 5} />"
        for text, line in ((label, 18), (whole, 33)):
            if text:
                yield f"<text x={x(moment)}% y={_HEIGHT + line} text-anchor=middle>{text}</text>"


def _draw_bar(bar: Bar, x: Callable[[datetime], float], y: Callable[[float], float]) -> str:
    drawn, low = [], 0
    for style, value in bar.parts:
        top, bottom = y(low + value), y(low)
        width = round(x(bar.end) - x(bar.start), 3)
        drawn.append(
            f"<rect class={style} x={x(bar.start)}% width={width}% y={top} "
            f"height={round(bottom - top, 1)} />"
        )
        low += value
    return f"<g><title>{show(bar.label)}</title>{''.join(drawn)}</g>"


def _draw_mark(
    mark: Mark, x: Callable[[datetime], float], y: Callable[[float], float], *, is_beyond: bool
) -> str:
    title = f"<title>{show(mark.label)}</title>"
    if is_beyond:
        return f"<text class=beyond x={x(mark.moment)}% y=10 text-anchor=middle>▲{title}</text>"
    place = f"x={x(mark.moment)}% y={y(mark.value)}"
    return f"<use href=#{mark.shape} class={mark.shape} {place}>{title}</use>"


def _sign(sign: str) -> str:
    if sign in SHAPES:
        return f"<svg class=sign><use href=#{sign} class={sign} x=8 y=8 /></svg>"
    return f"<svg class=sign><rect class={sign} width=14 height=14 x=1 y=1 /></svg>"


def shapes() -> str:
    """Return the definitions of the marks, which a page needs once."""
    defined = "".join(f"<g id={name}>{drawn}</g>" for name, drawn in SHAPES.items())
    return f"<svg class=shapes><defs>{defined}</defs></svg>"
