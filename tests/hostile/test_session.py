"""What holds for every request of both plugins, whatever the server or a proxy before it does."""

from __future__ import annotations

import gc
import gzip
import resource
import time
import zlib
from typing import TYPE_CHECKING, Any

import pytest

from hostile.server import (
    CLOSE,
    CONNECTED,
    END,
    HEAD,
    RESET,
    Repeat,
    Routes,
    Script,
    Server,
    Wait,
    answer,
    bomb,
    zipped,
)
from tap_hubspot_email_events.common import session as module
from tap_hubspot_email_events.common.session import ERROR_BYTES, Session, UnansweredError

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = 0.3
LATEST = 5.0
"""On a busy machine."""
TOO_LATE = "no complete answer came within 0.3 s"
MOST = 1_000_000
MEGABYTES = 60
DIGITS = b"9" * 5000
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
GZIP: dict[str, Any] = {"Content_Encoding": "gzip"}
SLOWLY = Repeat(b"1", every=0.05)

LATE: dict[str, Script] = {
    "nothing at all": (Wait(60),),
    "a status line, a byte at a time": (b"HTTP/1.1 200 ", SLOWLY),
    "a header, a byte at a time": (HEAD + b"Date: ", SLOWLY),
    "100 Continue without an end": (Repeat(CONTINUE),),
    "a chunk's size, a byte at a time": (CHUNKED, SLOWLY),
    "headers of 100 Continue without an end": (CONTINUE[:-2], Repeat(b"X: y\r\n", every=0.05)),
    "a body of a length, a byte at a time": (HEAD + b"Content-Length: 999\r\n\r\n", SLOWLY),
    "a body without a length, a byte at a time": (HEAD + END, SLOWLY),
    "chunks, a byte at a time": (CHUNKED, Repeat(b"1\r\nx\r\n", every=0.05)),
    "trailers without an end": (CHUNKED + b"0\r\n", Repeat(b"X: y\r\n")),
    "a gzip of nothing without an end": (
        HEAD + b"Content-Encoding: gzip\r\n\r\n",
        Repeat(zipped(0)),
    ),
    "an error, a byte at a time": (b"HTTP/1.1 500 No\r\n\r\n", SLOWLY),
}

LARGE: dict[str, Script] = {
    "a body without an end": (HEAD + END, Repeat(b" ")),
    "a length beyond the limit": (HEAD + b"Content-Length: 9999999999\r\n\r\n", Repeat(b" ")),
    "a length of thousands of digits": (
        HEAD + b"Content-Length: " + DIGITS[:4000] + b"\r\n\r\n",
        Repeat(b" "),
    ),
    "chunks without an end": (CHUNKED, Repeat(b"20\r\n" + b"x" * 32 + b"\r\n")),
    "a chunk of thousands of digits": (CHUNKED + DIGITS + END, Repeat(b" ")),
    "a gzip": bomb(300_000_000),
    "a deflate": answer(zlib.compress(b" " * 300_000_000, 9), Content_Encoding="deflate"),
    "a gzip of a gzip": answer(gzip.compress(zipped(300_000_000)), Content_Encoding="gzip, gzip"),
}

BROKEN: dict[str, Script] = {
    "closed": (CLOSE,),
    "reset": (RESET,),
    "no HTTP": (b"220 mail.example.com ESMTP\r\n", CLOSE),
    "a version of thousands of digits": (b"HTTP/" + DIGITS + b" 200 OK\r\n\r\n", CLOSE),
    "a status of thousands of digits": (b"HTTP/1.1 " + DIGITS + b" OK\r\n\r\n", CLOSE),
    "a status below zero": (b"HTTP/1.1 -200 OK\r\n\r\n", CLOSE),
    "a header of a megabyte": (HEAD + b"X: " + b"x" * 1_000_000, CLOSE),
    "headers without an end": (HEAD, Repeat(b"X: y\r\n")),
    "a chunk below zero": (CHUNKED + b"-5\r\nxxxxx\r\n0\r\n\r\n", CLOSE),
    "a chunk of minus one": (CHUNKED + b"-1\r\nxxxxx\r\n0\r\n\r\n", CLOSE),
    "a chunk without a number": (CHUNKED + b"x\r\n", CLOSE),
    "a body that is cut": (HEAD + b"Content-Length: 9\r\n\r\nx", CLOSE),
    "chunks that are cut": (CHUNKED + b"9\r\nx", CLOSE),
    "a gzip that is none": answer(b"none", Content_Encoding="gzip"),
    "another protocol": (b"HTTP/1.1 101 No\r\nUpgrade: x\r\n\r\n", *answer({})),
    "HTTP/0.9": (b"{}", CLOSE),
    "a gzip that is damaged": answer(gzip.compress(b"{}" * 99)[:-8] + b"x" * 8, **GZIP),
    "many encodings": answer(b"x", Content_Encoding=", ".join(["gzip"] * 200)),
}

READ: dict[str, tuple[Script, int, bytes]] = {
    "a length below zero": ((HEAD + b"Content-Length: -5\r\n\r\nhere", CLOSE), 200, b"here"),
    "a length of too many digits": (
        (HEAD + b"Content-Length: " + DIGITS + b"\r\n\r\nhere", CLOSE),
        200,
        b"here",
    ),
    "an error of 100 MB": (bomb(100_000_000, 500), 500, b" " * ERROR_BYTES),
    "an error without an end": (
        (b"HTTP/1.1 503 No\r\n\r\n", Repeat(b" ")),
        503,
        b" " * ERROR_BYTES,
    ),
    "a redirect of 100 MB": (
        answer(zipped(100_000_000), 302, Location="/x", Content_Encoding="gzip"),
        302,
        b" " * ERROR_BYTES,
    ),
    "a redirect to no address": (answer(b"", 302, Location="http://["), 302, b""),
    "a redirect to bytes": (answer(b"", 302, Location="\udcff\udcfe"), 302, b""),
    "103 before it": ((b"HTTP/1.1 103 Hints\r\nX: y\r\n\r\n", *answer(b"here")), 200, b"here"),
    "102 before it": ((b"HTTP/1.1 102 Wait\r\n\r\n" * 9, *answer(b"here")), 200, b"here"),
    "a gzip of several": (
        answer(gzip.compress(b"he") + gzip.compress(b"re"), **GZIP),
        200,
        b"here",
    ),
    "an unknown encoding": (answer(b"here", Content_Encoding="zstd"), 200, b"here"),
    "cookies": (answer(b"here", Set_Cookie="a=b"), 200, b"here"),
}


def fetch(url: str, seconds: float = 5.0, **content: Any) -> tuple[int, bytes]:
    with Session("agent") as session:
        received = session.fetch("POST", url, seconds=seconds, most_bytes=MOST, **content)
    return received.status, received.body


def assert_unanswered(url: str, seconds: float = 5.0, **content: Any) -> str:
    """There is no answer, and this is said in time."""
    started = time.monotonic()
    with pytest.raises(UnansweredError) as raised:
        fetch(url, seconds, **content)
    assert time.monotonic() - started < LATEST
    assert raised.value.obstacle.advice == ""
    return str(raised.value)


@pytest.fixture
def _bounded() -> Any:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert (after - before) / 1024 < MEGABYTES


@pytest.mark.parametrize("script", LATE.values(), ids=LATE)
def test_an_answer_that_takes_too_long_is_none(script: Script) -> None:
    with Server({"/": script}) as server:
        assert assert_unanswered(server.url, SECONDS) == TOO_LATE


@pytest.mark.usefixtures("_bounded")
@pytest.mark.parametrize("script", LARGE.values(), ids=LARGE)
def test_an_answer_that_is_too_large_is_none(script: Script) -> None:
    with Server({"/": script}) as server:
        assert assert_unanswered(server.url) == "the answer has more than 1 MB"


@pytest.mark.usefixtures("_bounded")
@pytest.mark.parametrize("script", BROKEN.values(), ids=BROKEN)
def test_an_answer_outside_the_protocol_is_none(script: Script) -> None:
    with Server({"/": script}) as server:
        assert_unanswered(server.url)


@pytest.mark.usefixtures("_bounded")
@pytest.mark.parametrize(("script", "status", "body"), READ.values(), ids=READ)
def test_what_is_odd_but_clear_is_read(script: Script, status: int, body: bytes) -> None:
    with Server({"/": script}) as server:
        assert fetch(server.url) == (status, body)


def test_a_server_that_takes_nothing_is_left() -> None:
    with Server({CONNECTED: (Wait(60),)}) as server:
        assert assert_unanswered(server.url, SECONDS, data=b"x" * 50_000_000) == TOO_LATE


@pytest.mark.parametrize(
    "name",
    ["nothing at all", "a body without a length, a byte at a time", "100 Continue without an end"],
)
def test_with_tls_an_answer_that_takes_too_long_is_none(
    name: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with Server({"/": LATE[name]}, certificate) as server:
        assert assert_unanswered(server.url, SECONDS) == TOO_LATE


HANDSHAKES: dict[str, Script] = {
    "silent": (Wait(60),),
    "a byte at a time": (b"\x16\x03\x03\x40\x00", SLOWLY),
}
PROXIES: dict[str, Script] = {
    "silent": (Wait(60),),
    "headers without an end": (HEAD, Repeat(b"X: y\r\n", every=0.05)),
    **{f"a handshake, {name}": (HEAD + END, *steps) for name, steps in HANDSHAKES.items()},
}


@pytest.fixture
def _connects_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CONNECT_SECONDS", SECONDS)


@pytest.mark.usefixtures("_connects_soon")
@pytest.mark.parametrize("script", HANDSHAKES.values(), ids=HANDSHAKES)
def test_a_handshake_ends(script: Script) -> None:
    with Server({CONNECTED: script}) as server:
        assert_unanswered(server.url.replace("http", "https"), SECONDS)


# urllib3 leaves it to the garbage collection to close a socket whose handshake failed.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.usefixtures("_connects_soon")
@pytest.mark.parametrize("script", PROXIES.values(), ids=PROXIES)
def test_a_proxy_is_left_too(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    with Server({"": script}) as server:
        monkeypatch.setenv("HTTPS_PROXY", server.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        assert_unanswered("https://api.email-events.example", SECONDS)
    assert server.requests[:1] == ["CONNECT api.email-events.example:443"]
    gc.collect()


def whole(script: Script) -> bytes:
    return b"".join(step for step in script if isinstance(step, bytes))


@pytest.mark.parametrize("has_tls", [False, True])
@pytest.mark.parametrize("beginning", [100, 8192, 12_000])
def test_what_comes_unasked_is_no_answer_to_the_next_request(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, beginning: int, has_tls: object
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    head = len(whole(answer(b"1" * 8000))) - 8000
    # One read of `http.client` ends with the first answer, so that TLS keeps the second.
    both = whole(answer(b"1" * max(1, beginning - head))) + whole(answer(b"unasked"))
    routes: Routes = {"/": [(both,), answer(b"asked")]}
    with Server(routes, certificate if has_tls else None) as server, Session("agent") as session:
        session.fetch("GET", server.url, seconds=5, most_bytes=MOST)
        time.sleep(0.05)
        assert session.fetch("GET", server.url, seconds=5, most_bytes=MOST).body == b"asked"


def test_an_answer_before_the_whole_request_counts() -> None:
    refusal = answer({"code": 413}, 413)
    with Server({CONNECTED: (*refusal, Wait(0.1), CLOSE)}) as server:
        assert fetch(server.url, data=b"x" * 20_000_000) == (413, b'{"code": 413}')


def test_connections_are_kept_and_cookies_are_not() -> None:
    with Server({"/": answer({}, Set_Cookie="a=b; Path=/")}) as server, Session("agent") as session:
        for _ in range(3):
            session.fetch("GET", server.url, seconds=5, most_bytes=MOST)
        assert not session.cookies
    assert server.connections == 1
    assert len(server.requests) == 3
