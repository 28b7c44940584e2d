"""The loopback address to which HubSpot's consent page redirects the browser."""

from __future__ import annotations

import hmac
import html
import queue
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from typing_extensions import override

from tap_hubspot_email_events.errors import TapError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from typing_extensions import Self

CALLBACK_PATH = "/callback"
_LOOPBACK = ("localhost", "127.0.0.1")
_IDLE_SECONDS = 10
_MOST_SECONDS = 86_400.0
_POLL_SECONDS = 0.05
_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>
<body><h1>{title}</h1><p>{text}</p></body></html>
"""


def redirect_address(port: int) -> str:
    """The redirect URL, which must be registered in the app's settings exactly so."""
    # HubSpot requires https, except on this host name.
    return f"http://localhost:{port}{CALLBACK_PATH}"


class ConsentListener(ThreadingHTTPServer):
    """Receives the browser on a loopback port, once, with the user's decision."""

    def __init__(self, port: int, state: str, redeem: Callable[[str], str]) -> None:
        """Start listening.

        Args:
            port: The port, on 127.0.0.1.
            state: What the right browser brings back; other requests are refused.
            redeem: Trades the code and returns a sentence for the page; called once, in a thread.

        Raises:
            TapError: The port cannot be used.
        """
        self.state = state
        self.redeem = redeem
        self.used = threading.Lock()
        self.outcome: queue.Queue[Exception | None] = queue.Queue()
        try:
            super().__init__(("127.0.0.1", port), _Handler)
        except OSError:
            raise TapError(
                f"Port {port} on this machine cannot be used, another program may have it; give "
                "another one with `--port`, registered as redirect URL in the HubSpot app."
            ) from None

    @override
    def __enter__(self) -> Self:
        """Start answering requests."""
        threading.Thread(target=self.serve_forever, args=[_POLL_SECONDS], daemon=True).start()
        return self

    @override
    def __exit__(self, *_: object) -> None:
        """Stop listening."""
        self.shutdown()
        self.server_close()

    def wait(self, seconds: float) -> None:
        """Wait for the user's decision and its outcome.

        Raises:
            TapError: The time ran out, the user refused, or the code could not be traded.
        """
        seconds = min(_MOST_SECONDS, max(0.0, seconds))  # 0 also for what is not a number
        try:
            failure = self.outcome.get(timeout=seconds)
        except queue.Empty:
            raise TapError(
                f"Nobody came back from HubSpot's consent page within {seconds:g} seconds; run "
                "the command again, and check that the redirect URL is registered in the app."
            ) from None
        if failure is not None:
            raise failure


class _Handler(BaseHTTPRequestHandler):
    # Browsers open connections in advance and may never use them.
    timeout = _IDLE_SECONDS
    server: ConsentListener

    def do_GET(self) -> None:
        """Handle the redirect from HubSpot."""
        address = urlsplit(self.path)
        query = dict(parse_qsl(address.query))
        host = self.headers.get("Host", "").lower()
        if host.removesuffix(f":{self.server.server_port}") not in _LOOPBACK:
            # A page of any site can have its name lead here, and would be of the same origin.
            self._page(HTTPStatus.MISDIRECTED_REQUEST, "Nothing here", "No such host.")
        elif address.path != CALLBACK_PATH:
            self._page(HTTPStatus.NOT_FOUND, "Nothing here", "This is not HubSpot's way back.")
        elif not hmac.compare_digest(query.get("state", "").encode(), self.server.state.encode()):
            self._page(
                HTTPStatus.BAD_REQUEST,
                "Not connected",
                "This does not belong to the connection that is under way.",
            )
        elif not self.server.used.acquire(blocking=False):
            self._page(HTTPStatus.CONFLICT, "Nothing to do", "This address was used before.")
        else:
            self.server.outcome.put(self._finish(query))

    def _finish(self, query: Mapping[str, str]) -> Exception | None:
        try:
            sentence = self.server.redeem(_code(query))
        except TapError as error:
            self._page(HTTPStatus.OK, "Not connected", str(error))
            return error
        except Exception as error:  # noqa: BLE001 - raised again where the outcome is awaited
            self._page(HTTPStatus.INTERNAL_SERVER_ERROR, "Not connected", "Something went wrong.")
            return error
        self._page(HTTPStatus.OK, "Connected", f"{sentence} This page can be closed.")
        return None

    def _page(self, status: HTTPStatus, title: str, text: str) -> None:
        content = _PAGE.format(title=html.escape(title), text=html.escape(text)).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        # The URL holds the code, so keep it out of caches and referrers.
        self.send_header("Cache-Control", "no-store")
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()
        self.wfile.write(content)

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing, since the URL holds the code."""


def _code(query: Mapping[str, str]) -> str:
    if "code" not in query:
        raise TapError(
            "HubSpot gave no access, because it was refused on the consent page or the app may not "
            "have it; run the command again and choose to connect the app."
        )
    return query["code"]
