"""What the Hub shows of a plugin and no code knows."""

from __future__ import annotations

from dataclasses import dataclass

MAINTAINER_LABEL = "Email Event Pipelines"


@dataclass(frozen=True)
class Listing:
    """Words and pictures for a plugin's page.

    `required_settings` are the groups of settings of which one has to be complete.
    `logo` is the picture's path in the Hub's repository.
    """

    plugin_type: str
    description: str
    domain_url: str
    logo: str
    required_settings: list[list[str]]
    prerequisites: str
    next_steps: str
    usage: str


LISTINGS = {
    "tap-hubspot-email-events": Listing(
        plugin_type="extractors",
        description="HubSpot's email events (sent, delivered, open, click, ...), a stream each",
        domain_url="https://developers.hubspot.com/docs/api-reference/overview",
        logo="static/assets/logos/extractors/hubspot-email-events.svg",
        required_settings=[["access_token"], ["client_id", "client_secret", "refresh_token"]],
        prerequisites=(
            "A HubSpot service key with the scope `content`, or an app of your own (the repository "
            "has one to upload). "
            "`contact_properties` needs the scope `crm.objects.contacts.read` as well."
        ),
        next_steps="",
        usage=(
            "The ten event types that Amplitude's own integration carries are selected; "
            "`meltano select tap-hubspot-email-events --list --all` shows the others. "
            "Runs read `lookback_minutes` again, because events may appear late, and send what "
            "is new. What a killed run had sent comes again, with the same keys."
        ),
    ),
    "target-amplitude": Listing(
        plugin_type="loaders",
        description="Amplitude, a product analytics platform",
        domain_url="https://amplitude.com/docs/apis/analytics/batch-event-upload",
        logo="static/assets/logos/loaders/amplitude.svg",
        required_settings=[["api_key"]],
        prerequisites="An Amplitude project, its API key and its data region.",
        next_steps=(
            "An import cannot be undone. `TARGET_AMPLITUDE_DRY_RUN=true` maps, checks and counts, "
            "and sends nothing."
        ),
        usage=(
            "HubSpot email events become Amplitude events whichever tap read them. Records of "
            "other taps need an `event_type` and a `user_id` or `device_id`, which stream maps "
            "can give them; without these they are kept in `rejected_path`, with the reason."
        ),
    ),
}
