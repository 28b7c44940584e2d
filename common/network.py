"""Proxies and certificates as the environment names them, and why a request had no answer."""

from __future__ import annotations

import os
import re
import socket
import ssl
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.utils import get_auth_from_url, get_environ_proxies

from .http import is_loopback

FAILURES = (
    *(requests.RequestException, urllib3.exceptions.HTTPError, HTTPException, OSError),
    *(ValueError, ArithmeticError),
)
"""What is raised where no answer comes: also a `UnicodeError`, of a proxy's address that is no
host's name or of a password that a header cannot carry, and what is wrong with a chunk's size."""

_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_SCHEMES = ("http", "https", "socks4", "socks4a", "socks5", "socks5h")
_REFUSED_TUNNEL = re.compile(r"Tunnel connection failed: (\d{3})\b")
"""How `http.client` words the answer of a proxy that opens no connection."""

_TRANSIENT = frozenset((HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, 429))


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a request had no answer.

    Attributes:
        reason: The reason, without a user's name or password.
        advice: What to do where another attempt would be no use; empty where it may succeed.
    """

    reason: str
    advice: str = ""

    @property
    def sentence(self) -> str:
        """Reason and advice."""
        return f"{self.reason[:1].upper()}{self.reason[1:]}; {self.advice}."


def proxies_and_certificates(url: str) -> dict[str, Any]:
    """Return `proxies` and `verify` for requests to a URL, as the environment has them.

    It is for sessions that do not read the environment themselves (`trust_env`): these would send
    what is for this machine through a proxy, and take passwords from a .netrc.
    """
    bundle = _bundle()
    return {"proxies": _proxies(url), "verify": bundle[1] if bundle else True}


def explain(error: BaseException, url: str) -> Obstacle:
    """Return why a request to `url` failed, by one of `FAILURES`."""
    causes = _causes(error)
    return (
        _in_bundle(url)
        or _in_proxy(causes, url)
        or _in_certificate(causes, urlsplit(url).hostname or "the server")
        or Obstacle(_passing(causes))
    )


def _bundle() -> tuple[str, str] | None:
    """Return the variable that names a file of certificates, and the file, as requests does."""
    return next(((name, os.environ[name]) for name in _BUNDLES if os.environ.get(name)), None)


def _in_bundle(url: str) -> Obstacle | None:
    bundle = _bundle()
    if bundle is None or not url.startswith("https:"):
        return None
    variable, path = bundle
    if os.path.isdir(path):  # noqa: PTH112 - `Path` raises where its folder may not be read
        return None
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except FileNotFoundError:
        fault = "does not exist"
    except ssl.SSLError:
        fault = "holds no certificate"
    except OSError:
        fault = "may not be read"
    else:
        return None
    return Obstacle(
        f"{variable} names {path}, which {fault}",
        "give it the path of a PEM file of CA certificates, or take it away",
    )


def _in_certificate(causes: list[BaseException], host: str) -> Obstacle | None:
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            problem = getattr(cause, "verify_message", "") or "verification failed"
            if bundle := _bundle():
                advice = f"{bundle[0]} names {bundle[1]}: add the CA that signed it to that file"
            else:
                advice = (
                    "if a proxy or firewall inspects TLS, let REQUESTS_CA_BUNDLE name a file with "
                    "its root certificate"
                )
                if os.environ.get("SSL_CERT_FILE"):
                    advice += " (SSL_CERT_FILE has no effect here)"
            return Obstacle(f"the TLS certificate of {host} is not trusted ({problem})", advice)
    return None


def _in_proxy(causes: list[BaseException], url: str) -> Obstacle | None:
    proxy = _proxy(url)
    if proxy is None:
        return None
    variable, value = proxy
    address = _address(value)
    if address is None:
        return Obstacle(
            f"the address of a proxy in {variable} cannot be read",
            "write it as http://proxy.example.com:3128, with %XX for special characters in a user "
            "name or password",
        )
    if any(isinstance(cause, requests.exceptions.InvalidSchema) for cause in causes):
        return Obstacle(
            f"{variable} names a SOCKS proxy, for which the Python package PySocks is missing",
            "install it beside this plugin (pip install pysocks), or name an HTTP proxy",
        )
    named = f"the proxy {address} of {variable}"
    for cause in causes:
        if refusal := _REFUSED_TUNNEL.match(str(cause)):
            return _in_answer(int(refusal[1]), named, variable, urlsplit(url).hostname or "")
    of_proxies = (requests.exceptions.ProxyError, urllib3.exceptions.ProxyError)
    if any(isinstance(cause, of_proxies) for cause in causes):
        return _in_certificate(causes, named) or Obstacle(
            f"{named} cannot be used: {_passing(causes)}"
        )
    return None


def _in_answer(status: int, named: str, variable: str, host: str) -> Obstacle:
    reason = f"{named} answered with status {status}"
    if status in _TRANSIENT or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Obstacle(reason)
    if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        advice = f"let {variable} begin with http://USER:PASSWORD@, of a user that it knows"
    else:
        advice = f"let it allow connections to {host}, or add {host} to NO_PROXY if none is needed"
    return Obstacle(reason, advice)


def _proxies(url: str) -> dict[str, str]:
    """Return the proxies by scheme; none where NO_PROXY names the host."""
    return {} if is_loopback(url) else get_environ_proxies(url)


def _proxy(url: str) -> tuple[str, str] | None:
    """Return the variable of the proxy for a URL and its value, as `urllib` chooses them."""
    if not _proxies(url):
        return None
    for key in (urlsplit(url).scheme, "all"):
        lower = f"{key}_proxy"
        names = [name for name in os.environ if name.lower() == lower and os.environ[name]]
        if names and os.environ.get(lower) != "":
            name = lower if lower in names else names[-1]
            return name, os.environ[name]
    return None


def _address(proxy: str) -> str | None:
    """Return host and port of a proxy without its password; None where they cannot be read."""
    try:
        whole = proxy if "://" in proxy else f"http://{proxy}"
        parts = urllib3.util.parse_url(whole)
        host = parts.host or ""
        host.encode("idna")
        for secret in get_auth_from_url(whole):
            secret.encode("latin-1")
    except (urllib3.exceptions.LocationValueError, ValueError):
        return None
    # What seems to be the host is part of a password then, as in http://user:a@b/c@host.
    is_cut_short = whole.count("@") > (parts.auth or "").count("@") + bool(parts.auth)
    if not host or is_cut_short or parts.scheme not in _SCHEMES:
        return None
    return host if parts.port is None else f"{host}:{parts.port}"


def _passing(causes: list[BaseException]) -> str:
    for kinds, reason in _REASONS:
        if any(isinstance(cause, kinds) for cause in causes):
            return reason
    return "the connection was cut"


_REASONS: tuple[tuple[tuple[type[BaseException], ...], str], ...] = (
    (
        (socket.gaierror, urllib3.exceptions.NameResolutionError),
        "the host's name could not be resolved",
    ),
    ((ConnectionRefusedError,), "the connection was refused"),
    ((ssl.SSLEOFError, ssl.SSLZeroReturnError), "the connection was cut"),
    ((ssl.SSLError, requests.exceptions.SSLError), "the TLS connection failed"),
    # Last, because urllib3 reports every failure to connect as a time-out too.
    (
        (TimeoutError, requests.Timeout, urllib3.exceptions.TimeoutError),
        "the time for an answer ran out",
    ),
)


def _causes(error: BaseException) -> list[BaseException]:
    """Return the error and all its causes, which requests and urllib3 keep in three places."""
    found: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        current = waiting.pop(0)
        if isinstance(current, BaseException) and current not in found:
            found.append(current)
            waiting += [current.__cause__, current.__context__, getattr(current, "reason", None)]
            waiting += current.args
    return found
