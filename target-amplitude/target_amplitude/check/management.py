"""The secret key, and what it opens: the Export API and the Taxonomy API."""

from __future__ import annotations

import tempfile
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from target_amplitude.amplitude.export_api import ExportApi, RangeTooLargeError
from target_amplitude.amplitude.management_api import UNAUTHORIZED, ManagementApi, host_of_region
from target_amplitude.common.findings import FAILED, OK, UNKNOWN, Finding
from target_amplitude.errors import RunFailedError
from target_amplitude.taxonomy.plan import make_plan
from target_amplitude.taxonomy.registration import HOSTS, PATH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_amplitude.amplitude.delays import Delays
    from target_amplitude.amplitude.management_api import Reply
    from target_amplitude.settings import Settings

# Before there was an Amplitude, so nothing is downloaded.
EMPTY_HOUR = datetime(2010, 1, 1, tzinfo=timezone.utc)
FORBIDDEN = 403
NEEDED_FOR = "only the taxonomy command, lookup tables and reconcile need it"


def check_management(settings: Settings, delays: Delays) -> Iterator[Finding]:
    """Yield whether the secret key is good, and for what."""
    if settings.secret_key is None:
        yield Finding("secret key", UNKNOWN, f"not set; {NEEDED_FOR}")
        return
    export = Finding("export", *_export(settings, delays))
    taxonomy = list(_taxonomy(settings, delays))
    results = {export.result, taxonomy[0].result}
    if OK in results:
        yield Finding("secret key", OK, "known together with the key")
    elif results == {FAILED}:
        yield Finding("secret key", FAILED, "taken by no API; check secret_key, api_key and region")
    else:
        yield Finding("secret key", UNKNOWN, "no API has taken it")
    yield export
    yield from taxonomy


def _export(settings: Settings, delays: Delays) -> tuple[str, str]:
    api = ExportApi(settings, delays, Path(tempfile.gettempdir()))
    try:
        file = api.download(EMPTY_HOUR, EMPTY_HOUR)
        if file is not None:
            file.close()
    except RangeTooLargeError:
        return UNKNOWN, "the Export API takes no question about an hour without events"
    except RunFailedError as error:
        return FAILED, str(error)
    finally:
        api.close()
    return OK, "allowed"


def _taxonomy(settings: Settings, delays: Delays) -> Iterator[Finding]:
    """The Taxonomy API, and whether the plan has our event types as they can arrive."""
    api = ManagementApi(settings, host_of_region(settings, HOSTS), delays)
    try:
        reply = api.send("GET", f"{PATH}/event", params={"showDeleted": "true"})
    except RunFailedError as error:
        yield Finding("taxonomy", FAILED, str(error))
        return
    finally:
        api.close()
    if reply is not None and reply.is_success:
        yield Finding("taxonomy", OK, "allowed")
        yield Finding("event types", *_event_types(settings, reply))
        return
    status = 0 if reply is None else reply.status
    if status == UNAUTHORIZED:
        yield Finding("taxonomy", FAILED, "the keys are refused (HTTP 401)")
    elif status == FORBIDDEN:
        words = "not for this project; some plans only have it, and only the taxonomy command asks"
        yield Finding("taxonomy", UNKNOWN, words)
    else:
        yield Finding("taxonomy", UNKNOWN, f"HTTP {status}")


def _event_types(settings: Settings, reply: Reply) -> tuple[str, str]:
    """Whether the plan keeps some of our event types out.

    Amplitude takes an event of a blocked or deleted type with a 200, and drops it.
    """
    listed = reply.content.get("data")
    if not isinstance(listed, list):
        return UNKNOWN, "the answer is no list of events"
    entries = {
        each["event_type"]: each
        for each in listed
        if isinstance(each, dict) and isinstance(each.get("event_type"), str)
    }
    ours = [event.event_type for event in make_plan(settings, every_type=True).events]
    planned = [name for name in ours if name in entries]
    shut = [name for name in planned if _is_shut(entries[name])]
    if shut:
        words = "inactive, blocked or deleted in Amplitude, which drops such events: "
        return FAILED, words + ", ".join(shut)
    return OK, f"{len(planned)} of ours in the plan, none of them blocked"


def _is_shut(entry: dict[str, Any]) -> bool:
    marked = any(entry.get(name) in (True, "true") for name in ("is_deleted", "deleted", "blocked"))
    return marked or entry.get("is_active") in (False, "false")
