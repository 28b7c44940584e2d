"""The summary of a run in words."""

from __future__ import annotations

from typing import Any


def stream_line(summary: dict[str, Any], *, dry_run: bool = False) -> str:
    """Describe one stream of a run in one line of the log."""
    rejected = ", ".join(f"{count} {reason}" for reason, count in summary["rejected"].items())
    users = ""
    if summary["fell_back"]:
        users = f"{summary['matched']} matched, {summary['fell_back']} fell back to the recipient, "
    about = "" if summary["distinct_users_exact"] else "about "
    verb = "would be delivered" if dry_run else "delivered"
    return (
        f"{summary['stream']}: {summary['read']} read, {summary['delivered']} {verb}, "
        f"{summary['skipped']} skipped, {users}"
        f"{sum(summary['rejected'].values())} rejected"
        f"{f' ({rejected})' if rejected else ''}, {summary['not_covered']} left for the next run, "
        f"{summary['retried']} retried, {summary['requests']} requests, {summary['bytes']} bytes, "
        f"{summary['seconds']:.1f} s, {about}{summary['distinct_users']} distinct users"
    )
