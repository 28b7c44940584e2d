"""The emails of an account; most of all one newsletter that goes to everybody."""

from __future__ import annotations

from typing import NamedTuple


class Campaign(NamedTuple):
    """One email: its ids, names, share of all messages, and how many sendings it has a month."""

    id: int
    app_id: int
    app_name: str
    name: str
    subject: str
    type: str
    content_id: int
    share: float
    sendings: int


BATCH = (113, "Batch")
AUTOMATION = (2286, "Automation")

CAMPAIGNS = (
    Campaign(
        *(243851494, *BATCH, "Monthly newsletter", "What is new this month", "BATCH_EMAIL"),
        *(100523515217, 0.46, 4),
    ),
    Campaign(
        *(243851777, *BATCH, "Product update", "Funnels, now with names", "BATCH_EMAIL"),
        *(100523515891, 0.2, 2),
    ),
    Campaign(
        *(3_155_692_814, *AUTOMATION, "Welcome, day one", "Welcome aboard", "AUTOMATED_EMAIL"),
        *(100523516003, 0.14, 0),
    ),
    Campaign(
        *(9_007_199_254_741_113, *AUTOMATION, "Trial ends", "Your trial ends", "AUTOMATED_EMAIL"),
        *(100523516444, 0.09, 0),
    ),
    Campaign(
        *(243852310, 20185, "AbBatch", "Été à Zürich, 夏", "Un été à Zürich", "BATCH_EMAIL"),
        *(100523517120, 0.07, 1),
    ),
    Campaign(
        *(198114233, *BATCH, "Survey of last spring", "Three questions", "FEEDBACK_NPS_EMAIL"),
        *(98411300021, 0.04, 1),
    ),
)
DELETED_CAMPAIGN_ID = 198114233
