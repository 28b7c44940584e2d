"""Download what Amplitude received, through its Export API, which needs the secret key.

Source: Amplitude's documentation, "Export API". Hours are UTC and those of the upload, not of the
event; both bounds are inclusive; an hour can be exported within two hours after it ended.
"""

from __future__ import annotations

import tempfile
import time
from contextlib import ExitStack, suppress
from typing import IO, TYPE_CHECKING

import requests

from target_amplitude import LIBRARY
from target_amplitude.amplitude.answers import Retry
from target_amplitude.amplitude.http import LONGEST_WAIT, Retries, reason_or_raise
from target_amplitude.amplitude.management_api import host_of_region
from target_amplitude.common.http import retry_after
from target_amplitude.common.output import explained
from target_amplitude.common.session import Session, UnansweredError, pieces
from target_amplitude.errors import RunFailedError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path

    from target_amplitude.amplitude.delays import Delays
    from target_amplitude.settings import Settings

HOSTS = {"us": "https://amplitude.com", "eu": "https://analytics.eu.amplitude.com"}
PATH = "/api/2/export"

REQUEST_SECONDS = 900.0
"""The time for an export, after which a smaller range is asked for."""

MOST_BYTES = 4 << 30
"""Amplitude exports no more than 4 GB at once."""

_IDLE_SECONDS = 300.0


class RangeTooLargeError(Exception):
    """The range has to be split: more than 4 GB (400), or too slow to export (504)."""


class ExportApi:
    """Downloads exports to files that nobody but this process can see."""

    def __init__(
        self,
        settings: Settings,
        delays: Delays,
        folder: Path,
    ) -> None:
        """Prepare connections; files go into `folder`."""
        self._keys = (settings.api_key, settings.secret_key or "")
        self._base = host_of_region(settings, HOSTS)
        self._max_retries = settings.max_retries
        self._delays = delays
        self._folder = folder
        self._session = Session(LIBRARY)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def download(self, start: datetime, end: datetime) -> IO[bytes] | None:
        """Download what was received from the hour `start` to the hour `end`, both in UTC.

        Returns:
            A temporary file with the zip, without a name on disk; None where there is nothing.

        Raises:
            RangeTooLargeError: If a smaller range is to be asked for.
            RunFailedError: If there is no access, or the last retry fails too.
        """
        retries = Retries(f"{self._base}{PATH}", self._max_retries, self._delays)
        while True:
            outcome = self._download_once(start, end)
            if not isinstance(outcome, Retry):
                return outcome
            retries.wait(outcome.reason, outcome.retry_after)

    def _download_once(self, start: datetime, end: datetime) -> IO[bytes] | Retry | None:
        until = time.monotonic() + REQUEST_SECONDS
        hours = {"start": f"{start:%Y%m%dT%H}", "end": f"{end:%Y%m%dT%H}"}
        try:
            with self._session.exchange(
                "GET",
                self._base + PATH,
                seconds=REQUEST_SECONDS,
                idle=_IDLE_SECONDS,
                params=hours,
                auth=self._keys,
            ) as response:
                return self._receive(response)
        except UnansweredError as error:
            if time.monotonic() >= until:
                raise RangeTooLargeError from None
            return Retry(reason_or_raise(error))

    def _receive(self, response: requests.Response) -> IO[bytes] | Retry | None:
        match response.status_code:
            case 200:
                return self._store(response)
            case 404:
                return None
            case 400 | 504:
                raise RangeTooLargeError
            case 401 | 403:
                raise RunFailedError(
                    f"Amplitude's Export API refuses the keys (HTTP {response.status_code}): check "
                    "api_key, secret_key (Settings > Projects) and region.",
                )
            case status if status == requests.codes.too_many or status >= 500:  # noqa: PLR2004
                return Retry(f"status {status}", retry_after(response.headers, LONGEST_WAIT))
            case status:
                raise RunFailedError(
                    f"Amplitude's Export API answered with status {status}; check region and "
                    "api_url, and whether a proxy stands between.",
                )

    def _store(self, response: requests.Response) -> IO[bytes]:
        with self._kept():
            # Without a name on disk, so that nothing is left behind, not even by a kill.
            file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 - the caller closes it
        with ExitStack() as closing:
            closing.callback(_close, file)
            size = 0
            for piece in pieces(response):
                with self._kept():
                    file.write(piece)
                size += len(piece)
                if size > MOST_BYTES:
                    raise RunFailedError(
                        f"Amplitude's Export API sends more than {MOST_BYTES:,} bytes, the most "
                        "that it exports at once; check api_url and whether a proxy stands "
                        "between.",
                    )
            with self._kept():  # what was still to be written may not fit
                file.seek(0)
            closing.pop_all()
        return file

    def _kept(self) -> AbstractContextManager[None]:
        return explained(
            f"The export of Amplitude cannot be kept in {self._folder}",
            "make room there, or read a shorter range of dates",
            RunFailedError,
        )


def _close(file: IO[bytes]) -> None:
    with suppress(OSError):  # on a full disk
        file.close()
