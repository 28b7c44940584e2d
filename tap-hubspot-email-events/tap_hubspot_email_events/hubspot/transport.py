"""One HTTP exchange, and the reason when there is no answer."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
import requests.adapters

from tap_hubspot_email_events.common.network import FAILURES, explain, proxies_and_certificates
from tap_hubspot_email_events.errors import AccountError

if TYPE_CHECKING:
    from collections.abc import Mapping

CONNECT_SECONDS = 10
READ_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class UnansweredError(Exception):
    """No complete answer came; the text says why, without the address."""


class Transport:
    """Sends requests over a pool of open connections; safe to share by threads."""

    def __init__(self, connections: int, user_agent: str) -> None:
        """Allow at most `connections` requests in flight; further ones wait."""
        self._free = threading.Semaphore(connections)
        self._environments: dict[str, Mapping[str, Any]] = {}
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["User-Agent"] = user_agent
        adapter = requests.adapters.HTTPAdapter(
            pool_connections=connections, pool_maxsize=connections
        )
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def send(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, Any] | None = None,
        data: Mapping[str, str] | bytes | None = None,
        token: str | None = None,
    ) -> Answer:
        """Send one request, its data a form or JSON as bytes, and receive the complete answer.

        Redirects are not followed, since they could carry the token to another host.

        Raises:
            UnansweredError: The connection failed, timed out or ended before the answer did.
            AccountError: Proxy or certificates of this machine let no request through.
        """
        headers = {}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if isinstance(data, bytes):
            headers["Content-Type"] = "application/json"
        request = requests.Request(method, url, headers, params=params, data=data)
        try:
            with (
                self._free,
                self._session.send(
                    self._session.prepare_request(request),
                    timeout=(CONNECT_SECONDS, READ_SECONDS),
                    allow_redirects=False,
                    stream=True,
                    **self._environment(url),
                ) as response,
            ):
                # In one piece: requests itself reads 10 KB at a time, and a page has a megabyte.
                body = response.raw.read(decode_content=True)
                return Answer(response.status_code, response.headers, body)
        except FAILURES as error:
            obstacle = explain(error, url, os.environ)
        if obstacle.advice:
            raise AccountError(obstacle.sentence)
        raise UnansweredError(obstacle.reason)

    def _environment(self, url: str) -> Mapping[str, Any]:
        """Look up proxies and certificates, once per host."""
        host = urlsplit(url).netloc
        if host not in self._environments:
            self._environments[host] = proxies_and_certificates(url)
        return self._environments[host]

    def close(self) -> None:
        """Close all connections."""
        self._session.close()
