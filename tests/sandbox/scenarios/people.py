"""The recipients, some of whom HubSpot knows as contacts."""

from __future__ import annotations

FIRST = (
    *("ada", "brian", "chidi", "dana", "elif", "fiona", "goran", "hana", "ines", "jose"),
    *("kofi", "li.na", "mairead", "noor", "o'neill", "Petra", "quentin", "rosa", "sami", "tom"),
)
LAST = (
    *("lovelace", "byrne", "okafor", "novak", "yilmaz", "walsh", "ito", "silva", "mensah"),
    *("chen", "kelly", "haddad", "petrova", "garcia", "olsen", "murphy", "weber"),
)
DOMAINS = ("example.com", "example.org", "example.net", "mail.example.com", "corp.example.org")


def address(number: int) -> str:
    """The email address of a person, the same for a number always."""
    first = FIRST[number % len(FIRST)]
    last = LAST[number // len(FIRST) % len(LAST)]
    tag = "+news" if number % 41 == 0 else ""
    return f"{first}.{last}{number}{tag}@{DOMAINS[number % len(DOMAINS)]}"


def contact(number: int) -> dict[str, str] | None:
    """The person as a HubSpot contact: three quarters of those have a product user id."""
    if number % 9 == 4:
        return None
    properties = {
        "email": address(number).lower(),
        "firstname": FIRST[number % len(FIRST)].strip(".").title(),
        "lastname": LAST[number // len(FIRST) % len(LAST)].title(),
        "lifecyclestage": ("lead", "customer", "subscriber")[number % 3],
        "plan": ("free", "team", "enterprise")[number // 3 % 3],
        "hubspot_owner_id": str(9000 + number % 7),
        "associatedcompanyid": str(70_000 + number % 12),
    }
    if number % 4:
        properties["product_user_id"] = f"user-{number:06d}"
    return properties
