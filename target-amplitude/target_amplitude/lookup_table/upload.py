"""Upload campaign records as a lookup table, and acknowledge them."""

from __future__ import annotations

import json
import logging
import time
from typing import TYPE_CHECKING
from urllib.parse import quote

from target_amplitude.amplitude.management_api import (
    UNAUTHORIZED,
    ManagementApi,
    host_of_region,
)
from target_amplitude.delivery.block import Reject
from target_amplitude.errors import RunFailedError
from target_amplitude.lookup_table.campaigns import PROPERTY, CampaignRows
from target_amplitude.mapping.validation import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from target_amplitude.amplitude.delays import Delays
    from target_amplitude.amplitude.management_api import Reply
    from target_amplitude.delivery.block import Campaign
    from target_amplitude.delivery.coordinator import Coordinator
    from target_amplitude.delivery.rejects import RejectsFile
    from target_amplitude.settings import Settings

HOSTS = {"us": "https://data-api.amplitude.com", "eu": "https://data-api.eu.amplitude.com"}
PATH = "/api/3/lookup_table"
TABLE = "hubspot_email_campaigns"

NO_SECRET_KEY = Refusal(
    "no secret_key",
    "set secret_key, and campaigns are uploaded as a lookup table on emailCampaignId",
    counted=False,
)
_TABLE_FULL = (
    "lookup table full",
    "Amplitude takes no lookup table of more than 1,000,000 rows or 100 MB",
)
_REFUSED = "lookup table refused"

_MAY_EXIST = frozenset((400, 409))
_UPLOAD_SECONDS = 300.0
"""The time to upload a table of up to 100 MB, and for the answer."""

logger = logging.getLogger("target-amplitude")


class CampaignUpload:
    """Collects campaigns and uploads them as one table, which replaces that of the last run.

    A table is replaced as a whole, so every upload holds all campaigns of the run so far: once
    when their stream has ended, so that states can go on, and again at the end if more have come.
    """

    def __init__(
        self,
        settings: Settings,
        coordinator: Coordinator,
        rejects: RejectsFile,
        delays: Delays,
        is_interrupted: Callable[[], bool],
    ) -> None:
        """Start without campaigns; `is_interrupted` ends the wait for a retry."""
        self._settings = settings
        self._coordinator = coordinator
        self._rejects = rejects
        self._delays = delays
        self._is_interrupted = is_interrupted
        self._rows = CampaignRows()
        self._pending: list[tuple[Campaign, int]] = []
        self._has_uploaded_early = False

    def add(self, campaigns: Iterable[Campaign], checkpoint: int) -> list[Reject]:
        """Take campaigns, to be acknowledged by an upload; returns those there is no room for."""
        refused = []
        for campaign in campaigns:
            if self._rows.add(campaign.key, campaign.row):
                self._pending.append((campaign, checkpoint))
            else:
                refused.append(
                    Reject(campaign.line, *_TABLE_FULL, counts=campaign.counts, counted=False)
                )
        return refused

    def upload_early(self) -> None:
        """Upload once before the end of the run; a failure is left to the upload at the end."""
        if not self._pending or self._has_uploaded_early:
            return
        self._has_uploaded_early = True
        try:
            reply = self._upload()
        except RunFailedError as failure:
            logger.warning("%s It is tried once more at the end of this run.", failure)
        else:
            self._acknowledge(reply)

    def upload(self) -> None:
        """Upload what is pending and acknowledge it; nothing is acknowledged if interrupted.

        Raises:
            RunFailedError: If Amplitude does not know the keys or the last retry fails, or if
                rejects or the state cannot be written.
        """
        if self._pending:
            self._acknowledge(self._upload())

    def _upload(self) -> Reply | None:
        api = ManagementApi(
            self._settings,
            host_of_region(self._settings, HOSTS),
            self._delays,
            self._is_interrupted,
        )
        try:
            reply = upload_table(api, self._rows.to_csv())
        finally:
            api.close()
        if reply is not None and reply.status == UNAUTHORIZED:
            raise RunFailedError(
                "Amplitude does not know the keys for the lookup table of email campaigns; check "
                "secret_key, and region.",
            )
        return reply

    def _acknowledge(self, reply: Reply | None) -> None:
        if reply is None:
            return
        pending, self._pending = self._pending, []
        campaigns = [campaign for campaign, _ in pending]
        streams = {campaign.counts for campaign in campaigns}
        with self._coordinator.changed:
            if reply.is_success:
                for campaign in campaigns:
                    campaign.counts.delivered += 1
            else:
                self._reject(campaigns, reply)
            for counts in streams:
                counts.requests += reply.requests
                counts.sent_bytes += self._rows.size
                counts.ended = time.monotonic()
            self._coordinator.requests += reply.requests
            self._coordinator.sent_bytes += self._rows.size
            for _, checkpoint in pending:
                self._coordinator.checkpoints.acknowledge(checkpoint)
            self._coordinator.write_true_state()
            self._coordinator.changed.notify_all()

    def _reject(self, campaigns: list[Campaign], reply: Reply) -> None:
        detail = f"status {reply.status}"
        self._rejects.write(
            Reject(campaign.line, _REFUSED, detail, reply.message, campaign.counts, counted=False)
            for campaign in campaigns
        )
        logger.warning(
            "Amplitude refused the lookup table of email campaigns with status %d (%s), so their "
            "records are written to %s; see whether the plan has lookup tables.",
            reply.status,
            reply.message or "no reason given",
            self._settings.rejected_path,
        )


def upload_table(api: ManagementApi, table: bytes) -> Reply | None:
    """Create the table or, where it may exist, replace its content; None if interrupted.

    The reference does not say how a name that is taken is answered, so both are tried. Where the
    update is refused too, the first refusal counts.
    """
    described = json.dumps({"value": PROPERTY, "type": "event"})
    file = (f"{TABLE}.csv", table, "text/csv")
    created = api.send(
        "POST",
        PATH,
        seconds=_UPLOAD_SECONDS,
        files={
            "name": (None, TABLE),
            "key": (None, PROPERTY),
            "property": (None, described, "application/json"),
            "file": file,
        },
    )
    if created is None or created.status not in _MAY_EXIST:
        return created
    updated = api.send(
        "PATCH", f"{PATH}/{quote(TABLE)}", seconds=_UPLOAD_SECONDS, files={"file": file}
    )
    return updated if updated is None or updated.is_success else created
