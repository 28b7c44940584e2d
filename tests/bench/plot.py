"""Draws how seconds and throughput grow with the number of events."""

from __future__ import annotations

import sys

from matplotlib import pyplot as plt


def main(path: str, *points: str) -> None:
    """Write the picture; each point is `events:seconds`."""
    events, seconds = zip(*(map(float, point.split(":")) for point in points), strict=True)
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
    left.plot(events, seconds, marker="o")
    left.set(xlabel="events", ylabel="seconds, start-up apart", ylim=(0, None), xlim=(0, None))
    rates = [count / duration for count, duration in zip(events, seconds, strict=True)]
    right.plot(events, rates, marker="o")
    right.set(xlabel="events", ylabel="events a second", xscale="log", ylim=(0, None))
    for axes in (left, right):
        axes.grid(visible=True, alpha=0.3)
    figure.savefig(path)


if __name__ == "__main__":
    main(*sys.argv[1:])
