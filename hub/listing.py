"""What the Hub shows of a plugin and no code knows."""

from __future__ import annotations

from typing import Any

MAINTAINER_LABEL = "Email Event Pipelines"

LISTINGS: dict[str, dict[str, Any]] = {
    "tap-hubspot-email-events": {
        "description": "HubSpot's email events (sent, delivered, open, click, ...), a stream each",
        "domain_url": "https://developers.hubspot.com/docs/api-reference/overview",
        "logo_url": "/assets/logos/extractors/hubspot-email-events.svg",
        "settings_group_validation": [
            ["access_token"],
            ["client_id", "client_secret", "refresh_token"],
        ],
        "prereq": (
            "A HubSpot service key with the scope `content`, or an app of your own (the repository "
            "has one to upload). "
            "`contact_properties` needs the scope `crm.objects.contacts.read` as well."
        ),
        "next_steps": "",
        "usage": (
            "The ten event types that Amplitude's own integration carries are selected; "
            "`meltano select tap-hubspot-email-events --list --all` shows the others. "
            "Runs read `lookback_minutes` again, because events may appear late, and send what "
            "is new. What a killed run had sent comes again, with the same keys."
        ),
    },
    "target-amplitude": {
        "description": "Amplitude, a product analytics platform",
        "domain_url": "https://amplitude.com/docs/apis/analytics/batch-event-upload",
        "logo_url": "/assets/logos/loaders/amplitude.svg",
        "settings_group_validation": [["api_key"]],
        "prereq": "An Amplitude project, its API key and its data region.",
        "next_steps": (
            "An import cannot be undone. `TARGET_AMPLITUDE_DRY_RUN=true` maps, checks and counts, "
            "and sends nothing."
        ),
        "usage": (
            "HubSpot email events become Amplitude events whichever tap read them. Records of "
            "other taps need an `event_type` and a `user_id` or `device_id`, which stream maps "
            "can give them; without these they are kept in `rejected_path`, with the reason."
        ),
    },
}
"""Fields of the definition files by plugin."""
