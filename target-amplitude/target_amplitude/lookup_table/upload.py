"""Delivers campaign records as a lookup table and settles them in the books of the run."""

from __future__ import annotations

import json
import logging
import time
from collections import Counter
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from target_amplitude.amplitude.management_api import UNKNOWN_KEYS, ManagementApi, host_of_region
from target_amplitude.delivery.rejects import Reject
from target_amplitude.errors import RunFailedError
from target_amplitude.lookup_table.campaigns import PROPERTY, CampaignRows
from target_amplitude.mapping import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_amplitude.amplitude.management_api import Reply
    from target_amplitude.delays import Timing
    from target_amplitude.delivery.coordinator import Books
    from target_amplitude.delivery.rejects import RejectsFile
    from target_amplitude.history.counts import StreamTally
    from target_amplitude.settings import Settings

HOSTS = {"us": "https://data-api.amplitude.com", "eu": "https://data-api.eu.amplitude.com"}
PATH = "/api/3/lookup_table"
TABLE = "hubspot_email_campaigns"

NO_SECRET_KEY = Refusal(
    "no secret_key",
    "set secret_key, and campaigns are uploaded as a lookup table on emailCampaignId",
    counted=False,
)
TABLE_FULL = Refusal(
    "lookup table full",
    "Amplitude takes no lookup table of more than 1,000,000 rows or 100 MB",
    counted=False,
)
REFUSED = "lookup table refused"

_MAY_EXIST = frozenset((400, 409))

logger = logging.getLogger("target-amplitude")


class CampaignUpload:
    """Collects campaigns and uploads them as one table, which replaces that of the last run.

    A table is replaced as a whole, so every upload holds all campaigns of the run so far: once
    when their stream is over, so that states can go on, and again at the end if more have come.
    """

    def __init__(
        self,
        settings: Settings,
        books: Books,
        rejects: RejectsFile,
        timing: Timing,
        is_interrupted: Callable[[], bool],
    ) -> None:
        """Prepare; `is_interrupted` ends the wait for another try."""
        self._settings = settings
        self._books = books
        self._rejects = rejects
        self._timing = timing
        self._is_interrupted = is_interrupted
        self._rows = CampaignRows()
        self._waiting: list[tuple[bytes, StreamTally, int]] = []
        self._is_early_over = False
        self._is_named = False

    def take(
        self,
        record: dict[str, Any],
        line: bytes,
        tally: StreamTally,
        epoch: int,
    ) -> Refusal | None:
        """Take a campaign, to be settled by an upload, or say why not."""
        if not self._settings.secret_key:
            if not self._is_named:
                self._is_named = True
                logger.warning(
                    "Stream %s describes emails; its records are kept aside in %s, since only with "
                    "secret_key can they be uploaded as a lookup table.",
                    tally.stream,
                    self._settings.rejected_path,
                )
            return NO_SECRET_KEY
        if not self._rows.add(record):
            return TABLE_FULL
        self._waiting.append((line, tally, epoch))
        return None

    def deliver_early(self) -> None:
        """Upload once before the end, since the next stream begins; what fails waits for the end.

        Raises:
            RunFailedError: If what was delivered cannot be accounted for.
        """
        if not self._waiting or self._is_early_over:
            return
        self._is_early_over = True
        table = self._rows.to_csv()
        try:
            reply = self._upload(table)
        except RunFailedError as failure:
            logger.warning("%s It is tried once more at the end of this run.", failure)
            return
        self._settle(reply, len(table))

    def deliver(self) -> None:
        """Upload what waits and settle it; nothing is settled if a signal comes in between.

        Raises:
            RunFailedError: If Amplitude does not know the keys or gives no answer that counts.
        """
        if self._waiting:
            table = self._rows.to_csv()
            self._settle(self._upload(table), len(table))

    def _upload(self, table: bytes) -> Reply | None:
        api = ManagementApi(
            self._settings,
            host_of_region(self._settings, HOSTS),
            self._timing,
            self._is_interrupted,
        )
        try:
            reply = upload(api, table)
        finally:
            api.close()
        if reply is not None and reply.status == UNKNOWN_KEYS:
            raise RunFailedError(
                "Amplitude does not know the keys for the lookup table of email campaigns; check "
                "secret_key, and region.",
            )
        return reply

    def _settle(self, reply: Reply | None, size: int) -> None:
        if reply is None:
            return
        waiting, self._waiting = self._waiting, []
        tallies = {id(tally): tally for _, tally, _ in waiting}.values()
        with self._books.changed:
            if reply.is_success:
                for _, tally, _ in waiting:
                    tally.delivered += 1
            else:
                self._keep_aside(waiting, reply)
            for tally in tallies:
                tally.requests += reply.requests
                tally.sent_bytes += size
                tally.ended = time.monotonic()
            self._books.requests += reply.requests
            self._books.sent_bytes += size
            for epoch, count in Counter(epoch for _, _, epoch in waiting).items():
                self._books.ledger.settle(epoch, count)
            self._books.advance()
            self._books.changed.notify_all()

    def _keep_aside(self, waiting: list[tuple[bytes, StreamTally, int]], reply: Reply) -> None:
        detail = f"status {reply.status}"
        self._rejects.write(Reject(line, REFUSED, detail, reply.words) for line, _, _ in waiting)
        for _, tally, _ in waiting:
            tally.reject(REFUSED, counted=False)
        logger.warning(
            "Amplitude refused the lookup table of email campaigns with status %d (%s), so their "
            "records are kept aside in %s; see whether the plan has lookup tables.",
            reply.status,
            reply.words or "no reason given",
            self._settings.rejected_path,
        )


def upload(api: ManagementApi, table: bytes) -> Reply | None:
    """Create the table, or, where that is refused and there is one, replace its content.

    The reference leaves open how a name that is taken is answered, so both are tried; where the
    update finds no table, the first refusal is the one that counts. None if interrupted.

    Raises:
        RunFailedError: If there is no answer that counts.
    """
    described = json.dumps({"value": PROPERTY, "type": "event"})
    file = (f"{TABLE}.csv", table, "text/csv")
    created = api.send(
        "POST",
        PATH,
        files={
            "name": (None, TABLE),
            "key": (None, PROPERTY),
            "property": (None, described, "application/json"),
            "file": file,
        },
    )
    if created is None or created.status not in _MAY_EXIST:
        return created
    updated = api.send("PATCH", f"{PATH}/{quote(TABLE)}", files={"file": file})
    return updated if updated is None or updated.is_success else created
