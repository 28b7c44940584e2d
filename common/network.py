"""Proxies and certificates as the environment names them, and why a request had no answer."""

from __future__ import annotations

import os
import re
import socket
import ssl
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.utils import get_auth_from_url, get_environ_proxies

from .http import is_loopback

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    proxies = {} if is_loopback(url) else get_environ_proxies(url)
    bundle = _bundle(os.environ)
    return {"proxies": proxies, "verify": bundle[1] if bundle else True}


def explain(error: BaseException, url: str, environment: Mapping[str, str]) -> Obstacle:
    """Return why a request to `url` failed, by one of `FAILURES`."""
    causes = _causes(error)
    return (
        _in_bundle(causes, _bundle(environment))
        or _in_proxy(causes, url, environment)
        or _in_certificate(causes, urlsplit(url).hostname or "the server", environment)
        or Obstacle(_passing(causes))
    )


def _bundle(environment: Mapping[str, str]) -> tuple[str, str] | None:
    """Return the variable that names a file of certificates, and the file, as requests does."""
    return next(((name, environment[name]) for name in _BUNDLES if environment.get(name)), None)


def _in_bundle(causes: list[BaseException], bundle: tuple[str, str] | None) -> Obstacle | None:
    if bundle is None:
        return None
    variable, path = bundle
    advice = "give it the path of a PEM file of CA certificates, or take it away"
    if any(str(cause).startswith("Could not find a suitable TLS CA") for cause in causes):
        return Obstacle(f"{variable} names {path}, which does not exist", advice)
    if any(getattr(cause, "library", "") == "X509" for cause in causes):
        return Obstacle(f"{variable} names {path}, which holds no certificate", advice)
    # Without a TLS error around it, it is a connection's that a firewall of this machine forbids.
    kinds = {type(cause) for cause in causes}
    if {PermissionError, urllib3.exceptions.SSLError} <= kinds:
        return Obstacle(f"{variable} names {path}, which may not be read", advice)
    return None


def _in_certificate(
    causes: list[BaseException], host: str, environment: Mapping[str, str]
) -> Obstacle | None:
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            problem = getattr(cause, "verify_message", "") or "verification failed"
            if bundle := _bundle(environment):
                advice = f"{bundle[0]} names {bundle[1]}: add the CA that signed it to that file"
            else:
                advice = (
                    "if a proxy or firewall inspects TLS, let REQUESTS_CA_BUNDLE name a file with "
                    "its root certificate"
                )
                if environment.get("SSL_CERT_FILE"):
                    advice += " (SSL_CERT_FILE has no effect here)"
            return Obstacle(f"the TLS certificate of {host} is not trusted ({problem})", advice)
    return None


def _in_proxy(
    causes: list[BaseException], url: str, environment: Mapping[str, str]
) -> Obstacle | None:
    proxy = _proxy(url, environment)
    if proxy is None:
        return None
    variable, value = proxy
    address = _address(value)
    if address is None:
        return _in_address(causes, variable)
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
        return _in_certificate(causes, named, environment) or Obstacle(
            f"{named} cannot be used: {_passing(causes)}"
        )
    return None


def _in_address(causes: list[BaseException], variable: str) -> Obstacle | None:
    of_addresses = (
        requests.exceptions.InvalidURL,
        requests.exceptions.ProxyError,
        urllib3.exceptions.LocationValueError,
        UnicodeError,
    )
    # Where NO_PROXY names the host, the failure has nothing to do with the proxy.
    if not any(isinstance(cause, of_addresses) for cause in causes):
        return None
    return Obstacle(
        f"the address of a proxy in {variable} cannot be read",
        "write it as http://proxy.example.com:3128, with %XX for special characters in a user name "
        "or password",
    )


def _in_answer(status: int, named: str, variable: str, host: str) -> Obstacle:
    reason = f"{named} answered with status {status}"
    if status in _TRANSIENT or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Obstacle(reason)
    if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        advice = f"let {variable} begin with http://USER:PASSWORD@, of a user that it knows"
    else:
        advice = f"let it allow connections to {host}, or add {host} to NO_PROXY if none is needed"
    return Obstacle(reason, advice)


def _proxy(url: str, environment: Mapping[str, str]) -> tuple[str, str] | None:
    """Return the variable of the proxy for a URL and its value, as `urllib` chooses them."""
    for key in (urlsplit(url).scheme, "all"):
        lower = f"{key}_proxy"
        names = [name for name in environment if name.lower() == lower and environment[name]]
        if names and environment.get(lower) != "":
            name = lower if lower in names else names[-1]
            return name, environment[name]
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
