"""Passes opens and clicks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mapper_email_events.email_event import event_type

if TYPE_CHECKING:
    from mapper_email_events.email_event import Record


def engagement_only(record: Record) -> Record | None:
    """The record if it is an open or a click."""
    return record if event_type(record) in {"OPEN", "CLICK"} else None
