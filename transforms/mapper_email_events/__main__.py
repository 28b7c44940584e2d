"""`python -m mapper_email_events`."""

from __future__ import annotations

from mapper_email_events.mapper import MapperEmailEvents

MapperEmailEvents.cli()
