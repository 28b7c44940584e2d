from __future__ import annotations

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.exceptions import MissingKeyPropertiesError, RecordsWithoutSchemaException
from singer_sdk.singerlib.exceptions import InvalidInputLine

from loading.messages import OPEN, record, run_of, schema, state

if TYPE_CHECKING:
    from loading.loader import Loader
    from sandbox.client import Sandbox


MALFORMED = (
    '{"type": "RECORD", "stream": "email_open", "record": {"id": "secret@exa',
    "not json, secret@example.com",
    '["RECORD", "secret@example.com"]',
    '{"stream": "email_open", "record": {"id": "secret@example.com"}}',
    '{"type": "RECORD", "stream": "email_open"}',
    '{"type": "RECORD", "stream": "email_open", "record": "secret@example.com"}',
    '{"type": "STATE"}',
    '{"type": "SCHEMA", "stream": "email_open"}',
    '{"type": "BATCH", "stream": "email_open", "manifest": ["secret@example.com"]}',
    '{"type": "SECRET"}',
)
WITHOUT_KEY = {"type": "RECORD", "stream": "email_open", "record": {"recipient": "secret@x.com"}}


@pytest.mark.parametrize(
    ("line", "error"),
    [
        *((line, InvalidInputLine) for line in MALFORMED),
        (record(31, stream="email_click"), RecordsWithoutSchemaException),
        (WITHOUT_KEY, MissingKeyPropertiesError),
    ],
)
@pytest.mark.parametrize("blanks", [0, 2])
def test_a_wrong_line_is_named_by_its_number_once_the_rest_is_delivered(
    sandbox: Sandbox, loader: Loader, line: Any, error: type[Exception], blanks: int
) -> None:
    messages: list[Any] = [*run_of(30), *[""] * blanks, line, record(31), state(31)]
    with pytest.raises(error, match=f"Line {33 + blanks} ") as failure:
        loader.load(messages)
    assert "secret" not in str(failure.value)
    assert sandbox.amplitude_counts() == {OPEN: 30}
    assert loader.states == [state(30)["value"]]


def test_a_state_is_passed_on_exactly_as_it_came(loader: Loader) -> None:
    value = '{"a": 1.10, "b": 123456789012345678901234567890, "c":"\\u00e9"}'
    loader.load([schema(), record(1), f'{{"type": "STATE", "value": {value}}}'])
    assert loader.stdout == f"{value}\n"


def test_a_last_line_without_its_newline_counts(sandbox: Sandbox, loader: Loader) -> None:
    text = "\n".join(json.dumps(message) for message in run_of(3))
    loader.load_text(text)
    assert sandbox.amplitude_counts() == {OPEN: 3}
    assert len(loader.states) == 1


def test_changes_of_a_stream_are_taken_whatever_its_name(sandbox: Sandbox, loader: Loader) -> None:
    stream = "events_of_another_tap"
    version = {"type": "ACTIVATE_VERSION", "stream": stream, "version": 5}
    changed = schema(stream, keys=("portalId", "created", "id"))
    records = [record(number, stream) for number in (1, 2)]
    loader.load([schema(stream), records[0], changed, records[1], version, state(2)])
    assert sandbox.amplitude_counts() == {OPEN: 2}


def test_a_state_that_waits_has_a_partial_batch_sent_while_the_input_stays_open(
    sandbox: Sandbox, loader: Loader
) -> None:
    reader, writer = os.pipe()
    with ThreadPoolExecutor(1) as pool, os.fdopen(reader) as source:
        done = pool.submit(loader.load_source, source)
        os.write(writer, "".join(json.dumps(m) + "\n" for m in run_of(10)).encode())
        until = time.monotonic() + 20
        while not sandbox.amplitude_counts() and time.monotonic() < until:
            time.sleep(0.01)
        assert sandbox.amplitude_counts() == {OPEN: 10}
        assert not done.done()
        os.close(writer)
        assert done.result(20) == [state(10)["value"]]
