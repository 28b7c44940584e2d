"""A flattened email event becomes the same Amplitude event as the nested one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from singer_sdk.helpers._flattening import flatten_record, flatten_schema

from loading.mapping import event_of
from loading.messages import email
from target_amplitude.mapping.flattened import find_separator, unflatten

NESTED: dict[str, Any] = {
    "sentBy": {"id": "s-1", "created": 1_790_000_000_000},
    "location": {"city": "Zürich", "state": "zh", "country": "SWITZERLAND"},
    "browser": {"name": "Firefox", "version": ["Firefox 127.0", "Firefox"]},
    "userAgent": "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
    "contact": {"product_user_id": "product-7", "life__cycle": "lead"},
    "emailCampaign": {"name": "Spring", "subject": "Hi", "type": None, "contentId": 7},
    "replyTo": ["a@example.com"],
    "addedTomorrow": {"deep": {"deeper": 1}},
}
USER_FIELD = "contact.product_user_id"
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "sentBy": {"type": "object", "properties": {"id": {"type": "string"}}},
        "contact": {"type": "object", "properties": {"product_user_id": {"type": "string"}}},
    },
}


def flattened(record: dict[str, Any], separator: str, depth: int = 10) -> dict[str, Any]:
    """What the SDK makes of a record whose schema it has flattened."""
    schema = flatten_schema(SCHEMA, separator=separator, max_level=depth)
    flat: dict[str, Any] = flatten_record(
        record, flattened_schema=schema, separator=separator, max_level=depth
    )
    return flat


@pytest.mark.parametrize("separator", ["__", "_", ".", "-", "::", "/", " "])
@pytest.mark.parametrize("user_field", [USER_FIELD, "recipient"])
def test_any_separator_gives_the_event_of_the_nested_record(
    separator: str, user_field: str
) -> None:
    record = email(**NESTED)
    flat = flattened(record, separator)
    assert find_separator(flat, user_field) == separator
    event = event_of(unflatten(flat, separator, user_field), user_field=user_field)
    assert event == event_of(record, user_field=user_field)
    assert event["city"] == "Zürich"
    assert event["os_name"] == "Ubuntu"


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_objects_beyond_the_depth_of_flattening_are_read_from_their_text(depth: int) -> None:
    record = email(location=NESTED["location"], sentBy=NESTED["sentBy"])
    flat = flattened(record, "__", depth)
    assert event_of(unflatten(flat, "__", "recipient")) == event_of(record)


TRAITS: dict[str, Any] = {
    "user_property_fields": {"stage": "contact.life__cycle", "browsers": "browser.version"},
    "group_fields": {"company": "contact.companies"},
}
FIELDS = ("contact.life__cycle", "browser.version", "contact.companies")


@pytest.mark.parametrize("separator", ["__", ".", "-", "X"])
def test_user_properties_and_groups_are_those_of_the_nested_record(separator: str) -> None:
    contact = {"life__cycle": "lead", "companies": ["a", "b"]}
    record = email(contact=contact, browser={"version": ["Firefox 127.0", "Firefox"]})
    event = event_of(unflatten(flattened(record, separator), separator, *FIELDS), **TRAITS)
    assert event == event_of(record, **TRAITS)
    assert event["groups"] == {"company": ["a", "b"]}
    assert event["user_properties"]["browsers"] == ["Firefox 127.0", "Firefox"]


@pytest.mark.parametrize("field", ["contact__product_user_id", "contact.product_user_id"])
def test_settings_may_name_the_nested_field_and_the_flattened_one(field: str) -> None:
    record = email(**NESTED)
    settings: dict[str, Any] = {"user_field": field, "user_property_fields": {"product": field}}
    event = event_of(unflatten(flattened(record, "__"), "__", field), **settings)
    assert event["user_id"] == "product-7"
    assert event["user_properties"] == {"product": "product-7"}


@pytest.mark.parametrize(
    ("names", "wanted", "separator"),
    [
        (["id", "contact__plan"], "contact.plan", "__"),
        (["id", "contact__plan"], "plan", None),
        # HubSpot's own fields tell it, also where the user's field is in the same object.
        (["emailCampaign__name"], "emailCampaign.owner", "__"),
        (["emailCampaign__owner"], "emailCampaign.owner", "__"),
        (
            ["id", "created", "recipient", "sentBy", "location", "emailCampaignId"],
            "recipient",
            None,
        ),
        (["locations_seen_by", "browserid", "contact"], "recipient", None),
        ([], "recipient", None),
    ],
)
def test_the_separator_is_seen_in_the_names(
    names: list[str], wanted: str, separator: str | None
) -> None:
    assert find_separator(names, wanted) == separator


@pytest.mark.parametrize(
    ("flat", "nested"),
    [
        ({"a__b": 1, "a__c__d": 2}, {"a": {"b": 1, "c": {"d": 2}}}),
        ({"a": None, "a__b": 1}, {"a": {"b": 1}}),
        ({"a__b": 1, "a": None}, {"a": {"b": 1}}),
        ({"a": "text", "a__b": 1}, {"a": {"b": 1}}),
        ({"a__b": 5, "a__b__c": 1}, {"a": {"b": {"c": 1}}}),
        ({"__a": 1, "b__": 2, "__": 3}, {"": {"a": 1}, "b__": 2, "__": 3}),
        ({"contact__life__cycle": "lead"}, {"contact": {"life__cycle": "lead"}}),
        ({"replyTo": '["a"]', "cc": "[", "bcc": "x"}, {"replyTo": ["a"], "cc": "[", "bcc": "x"}),
        (
            {"subject": '["a"]', "response": '{"a": 1}'},
            {"subject": '["a"]', "response": '{"a": 1}'},
        ),
        (
            {"location": '{"city": "x"}', "replyTo": '{"a": 1}'},
            {"location": {"city": "x"}, "replyTo": '{"a": 1}'},
        ),
        ({"location": "[1]"}, {"location": "[1]"}),
        (
            {"browser__version": '["1"]', "browser__name": '["1"]'},
            {"browser": {"version": ["1"], "name": '["1"]'}},
        ),
        ({"user__id": "u", "a__b": 1}, {"user__id": "u", "a": {"b": 1}}),
    ],
)
def test_flat_names_become_nested_ones(flat: dict[str, Any], nested: dict[str, Any]) -> None:
    assert unflatten(flat, "__", "user__id") == nested


def test_a_separator_of_letters_splits_hubspots_objects_alone() -> None:
    flat = {"sentByXid": "s", "taXi": "t", "contactXaXb": 1, "browserXnameX": 2}
    assert unflatten(flat, "X", "recipient") == {
        "sentBy": {"id": "s"},
        "taXi": "t",
        "contact": {"aXb": 1},
        "browser": {"nameX": 2},
    }


@given(
    record=st.dictionaries(
        st.sampled_from(["subject", "url", "newObject", "response"]),
        st.recursive(
            st.one_of(st.text(max_size=5), st.integers(), st.booleans()),
            lambda children: st.dictionaries(
                st.sampled_from(["a", "b", "c"]), children, min_size=1, max_size=3
            ),
            max_leaves=6,
        ),
        max_size=4,
    ),
    separator=st.sampled_from(["__", ".", "-", "|"]),
)
def test_whatever_hubspot_nests_comes_back(record: dict[str, Any], separator: str) -> None:
    whole = email(sentBy=NESTED["sentBy"]) | record
    flat = flattened(whole, separator)
    assert event_of(unflatten(flat, separator, "recipient")) == event_of(whole)
