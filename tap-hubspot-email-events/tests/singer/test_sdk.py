"""What this tap needs of the SDK's private side is still there."""

from __future__ import annotations

import inspect

import pytest
from singer_sdk import Stream, Tap
from singer_sdk.mapper import SameRecordTransform


@pytest.mark.parametrize(
    ("owner", "name", "parameters"),
    [
        (Stream, "_sync_records", ["self", "context", "write_messages"]),
        (Stream, "_write_schema_message", ["self"]),
        (Stream, "_generate_record_messages", ["self", "record"]),
        (Tap, "_reset_state_progress_markers", ["self"]),
    ],
)
def test_the_sdk_still_has_the_private_members_in_use(
    owner: type, name: str, parameters: list[str]
) -> None:
    assert list(inspect.signature(getattr(owner, name)).parameters) == parameters


def test_the_sdk_still_syncs_by_way_of_them() -> None:
    sync = inspect.getsource(Stream.sync)
    assert "self._sync_records(" in sync
    assert "self._write_schema_message(" in sync
    begun = inspect.getsource(Tap.sync_all).index("self._reset_state_progress_markers()")
    assert begun < inspect.getsource(Tap.sync_all).index("write_state")
    assert "log_sync_costs" in inspect.getsource(Tap.sync_all)
    assert isinstance(inspect.getattr_static(SameRecordTransform, "flattening_enabled"), property)
    assert hasattr(Stream, "ABORT_AT_RECORD_COUNT")
