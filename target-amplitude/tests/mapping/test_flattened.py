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


def test_a_separator_of_letters_gives_the_same_user_place_and_names() -> None:
    record = email(**{name: NESTED[name] for name in NESTED if name != "addedTomorrow"})
    flat = flattened(record, "X")
    assert find_separator(flat, USER_FIELD) == "X"
    assert event_of(unflatten(flat, "X", USER_FIELD), user_field=USER_FIELD) == event_of(
        record, user_field=USER_FIELD
    )


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


def test_a_field_that_a_setting_names_shows_the_separator() -> None:
    assert find_separator(["id", "contact__plan"], "recipient", "contact.plan") == "__"
    assert find_separator(["id", "contact__plan"], "recipient", "plan") is None


def test_a_user_property_may_name_the_flattened_field_itself() -> None:
    fields = {"stage": "contact__stage"}
    flat = flattened(email(contact={"stage": "lead"}), "__")
    event = event_of(unflatten(flat, "__", "contact__stage"), user_property_fields=fields)
    assert event["user_properties"] == {"stage": "lead"}


def test_a_user_field_may_name_the_flattened_field_itself() -> None:
    record = email(**NESTED)
    field = "contact__product_user_id"
    event = event_of(unflatten(flattened(record, "__"), "__", field), user_field=field)
    assert event == event_of(record, user_field=USER_FIELD)


def test_the_separator_is_found_where_only_the_users_own_field_is_selected() -> None:
    assert find_separator(["id", "contact__product_user_id"], USER_FIELD) == "__"


def test_hubspots_own_fields_tell_it_also_where_the_users_field_is_in_the_same_object() -> None:
    assert find_separator(["emailCampaign__name"], "emailCampaign.owner") == "__"
    assert find_separator(["emailCampaign__owner"], "emailCampaign.owner") == "__"


def test_a_name_that_only_begins_like_an_object_has_no_separator() -> None:
    assert find_separator(["locations_seen_by", "browserid"], "recipient") is None


@pytest.mark.parametrize(
    "names",
    [
        ["id", "created", "recipient", "sentBy", "location", "emailCampaignId"],
        ["emailCampaignGroupId", "contact", "sentById"],
        [],
    ],
)
def test_names_of_nested_records_have_no_separator(names: list[str]) -> None:
    assert find_separator([*names, "id"], "recipient") is None or "sentById" in names


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
