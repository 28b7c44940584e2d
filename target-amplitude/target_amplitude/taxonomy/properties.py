"""The properties of email events and of users: meaning, type, and whether they are personal data.

Names are HubSpot's, dotted for nested objects, as the mapping sends them. Contact properties are
missing, since they are chosen in the tap, unless a user property is made of one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from itertools import chain

STRING, NUMBER, BOOLEAN, ANY = "string", "number", "boolean", "any"


@dataclass(frozen=True, slots=True)
class PlannedProperty:
    """One property; for a list, `value_type` is the type of its members."""

    name: str
    description: str
    value_type: str = STRING
    is_list: bool = False
    is_personal: bool = False


_text = PlannedProperty
_personal = partial(PlannedProperty, is_personal=True)
_number = partial(PlannedProperty, value_type=NUMBER)
_flag = partial(PlannedProperty, value_type=BOOLEAN)
_addresses = partial(PlannedProperty, is_list=True, is_personal=True)

_COMMON = (
    _personal("recipient", "Email address the email was meant for."),
    _text("id", "HubSpot's id of the event, unique together with its time."),
    _number("portalId", "HubSpot account the event comes from."),
    _number("appId", "HubSpot tool that sent the email, such as batch or automation."),
    _text("appName", "Name of the HubSpot tool that sent the email."),
    _number("emailCampaignId", "HubSpot's number of the email, the same for all its recipients."),
    _number("emailCampaignGroupId", "Shared by emails that are one, sent by time zone."),
    _text("emailCampaign.name", "Name of the email in HubSpot."),
    _text("emailCampaign.subject", "Subject line of the email."),
    _text("emailCampaign.type", "Kind of email, such as BATCH_EMAIL or AUTOMATED_EMAIL."),
    _number("emailCampaign.contentId", "Marketing email in HubSpot that the campaign sends."),
    _text("sentBy.id", "Event with which this message was sent; ties its events together."),
    _number("sentBy.created", "When the message was sent, in milliseconds since 1970."),
    _text("obsoletedBy.id", "Later event that makes this one void."),
    _number("obsoletedBy.created", "When the event that makes this one void happened, in ms."),
    _text("causedBy.id", "Earlier event that led to this one."),
    _number("causedBy.created", "When the event that led to this one happened, in ms."),
    _text("hmid", "HubSpot's id in the header of the message."),
    _text("smtpId", "Id of the message on its mail server."),
    _text("sendId", "HubSpot's id of the sending."),
    _flag("filteredEvent", "Whether HubSpot takes the event for a machine's."),
)

_MESSAGE = (
    _text("subject", "Subject line of this message."),
    _personal("from", "Sender of the message."),
    _addresses("replyTo", "Addresses that answers go to."),
    _addresses("cc", "Addresses in copy."),
    _addresses("bcc", "Addresses in blind copy."),
)

_CLIENT = (
    _text("userAgent", "How the browser or mail program names itself."),
    _text("browser.name", "Browser or mail program."),
    _text("browser.family", "Family of the browser or mail program."),
    _text("browser.producer", "Maker of the browser or mail program."),
    _text("browser.producerUrl", "Web page of the maker."),
    _text("browser.type", "Kind of program, such as browser or email client."),
    _text("browser.url", "Web page of the program."),
    _text("browser.version", "Versions of the program.", is_list=True),
    _text("location.country", "Country of the IP address; of a mail proxy it is the proxy's."),
    _text("location.state", "State or region of the IP address."),
    _text("location.city", "City of the IP address."),
    _personal("location.zipcode", "Postal code of the IP address."),
    _personal("location.latitude", "Latitude of the IP address in degrees.", NUMBER),
    _personal("location.longitude", "Longitude of the IP address in degrees.", NUMBER),
    _personal("ipAddress", "IP address; HubSpot has not sent it since 2019."),
)

_DEVICE = (_text("deviceType", "Kind of device, such as COMPUTER or MOBILE."),)

_RESPONSE = (_personal("response", "Answer of the recipient's mail server; may name the address."),)

_DROPPED = (
    _text("dropReason", "Why the email was held back."),
    _text("dropMessage", "Why the email was held back, in words."),
)

_DEFERRED = (_number("attempt", "Number of the attempt to deliver."),)

_BOUNCE = (
    _text("category", "HubSpot's guess at the cause of the bounce."),
    _text("status", "Status code of the mail server's answer."),
)

_OPEN = (_number("duration", "About how long the email was open, in milliseconds."),)

_CLICK = (
    _text("url", "Link that was followed."),
    _text("referer", "Page the click came from."),
    _number("linkId", "Position of the link in the email."),
)

_STATUS_CHANGE = (
    _text("source", "Where the change of subscriptions came from."),
    _text("sourceId", "Where the change came from, more closely."),
    _text(
        "subscriptions",
        "Subscriptions that changed, each with its id and new status.",
        ANY,
        is_list=True,
    ),
    _text("portalSubscriptionStatus", "Standing of the recipient in the whole account."),
    _personal("requestedBy", "Who asked for the change."),
    _number("requestedByUserId", "HubSpot user who asked for the change."),
    _flag("bounced", "Whether a bounce led to the change."),
)

_SUPPRESSED = (
    _text("suppressedReason", "Why HubSpot did not send."),
    _text("suppressedMessage", "Why HubSpot did not send, in words."),
)

_OF_TYPE: dict[str, tuple[tuple[PlannedProperty, ...], ...]] = {
    "SENT": (_MESSAGE,),
    "DROPPED": (_MESSAGE, _DROPPED),
    "DELIVERED": (_RESPONSE,),
    "DEFERRED": (_RESPONSE, _DEFERRED),
    "BOUNCE": (_RESPONSE, _BOUNCE),
    "OPEN": (_CLIENT, _DEVICE, _OPEN),
    "CLICK": (_CLIENT, _DEVICE, _CLICK),
    "STATUSCHANGE": (_STATUS_CHANGE,),
    "SPAMREPORT": (_CLIENT,),
    "FORWARD": (_CLIENT,),
    "PRINT": (_CLIENT,),
    "SUPPRESSED": (_SUPPRESSED,),
}


_PERSONAL_OF_CONTACT = frozenset(
    (
        *("email", "work_email", "firstname", "lastname", "phone", "mobilephone", "fax"),
        *("address", "zip", "date_of_birth", "twitterhandle"),
    )
)
"""HubSpot's own contact properties that say who a person is or where they live."""


def properties_of(kind: str, user_field: str) -> tuple[PlannedProperty, ...]:
    """Return the properties of a HubSpot event type, without the field of the user id."""
    planned = chain(_COMMON, *_OF_TYPE.get(kind, ()))
    return tuple(each for each in planned if each.name != user_field)


def user_properties_of(fields: dict[str, str]) -> tuple[PlannedProperty, ...]:
    """Return the user properties that are made of fields, by their names in Amplitude."""
    known = {each.name: each for each in chain(_COMMON, *chain.from_iterable(_OF_TYPE.values()))}
    return tuple(
        replace(known.get(field) or _of_other_field(field), name=name)
        for name, field in fields.items()
    )


def _of_other_field(field: str) -> PlannedProperty:
    parent, _, name = field.partition(".")
    if parent != "contact":
        return PlannedProperty(field, f"Field {field} of the email event.", ANY)
    return PlannedProperty(
        field,
        f"Property {name} of the contact in HubSpot, as it was when the event was read.",
        is_personal=name in _PERSONAL_OF_CONTACT,
    )
