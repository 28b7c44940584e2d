"""The display names and descriptions of HubSpot's email event types.

Meanings follow HubSpot's Email Analytics API reference. UNBOUNCE has no recipient, so it is never
sent.
"""

from __future__ import annotations

EVENT_TYPES: dict[str, tuple[str, str]] = {
    "SENT": (
        "Email Sent",
        "HubSpot handed the email to the mail delivery service.",
    ),
    "DROPPED": (
        "Email Dropped",
        "The email was held back before it left; dropReason says why. It is not tried again.",
    ),
    "PROCESSED": (
        "Email Processed",
        "The mail delivery service took the email on and will try to deliver it.",
    ),
    "DELIVERED": (
        "Email Delivered",
        "The recipient's mail server accepted the email.",
    ),
    "DEFERRED": (
        "Email Deferred",
        "The recipient's mail server turned the email away for now; delivery is tried again.",
    ),
    "BOUNCE": (
        "Email Bounced",
        "The recipient's mail server turned the email away for good; category says why.",
    ),
    "OPEN": (
        "Email Opened",
        "The email was opened, by a person or by a mail service that loads images for them.",
    ),
    "CLICK": (
        "Email Clicked",
        "A link in the email was followed; url says which.",
    ),
    "STATUSCHANGE": (
        "Email Subscription Changed",
        "The recipient's email subscriptions changed, by their own choice or by somebody else's.",
    ),
    "SPAMREPORT": (
        "Email Reported as Spam",
        "The recipient marked the email as spam.",
    ),
    "FORWARD": ("Email Forwarded", "The recipient passed the email on."),
    "PRINT": ("Email Printed", "The recipient printed the email."),
    "REPLY": ("Email Replied", "The recipient answered the email."),
    "UNSUBSCRIBED": ("Email Unsubscribed", "The recipient unsubscribed."),
    "SUPPRESSED": (
        "Email Suppressed",
        "HubSpot did not send the email, to protect the sender; suppressedReason says why.",
    ),
    "MTA_DROPPED": (
        "Email Dropped by Mail Server",
        "The sending mail server gave the email up.",
    ),
}
