from __future__ import annotations

from typing import Any

import pytest

from loading.mapping import NOW, event_of, mapped
from loading.messages import email
from target_amplitude.mapping.validation import Refusal, Skip


def test_the_user_id_comes_from_the_user_field() -> None:
    known = email(contact={"product_user_id": 123456, "plan": "pro"})
    event = event_of(known, user_field="contact.product_user_id")
    assert event["user_id"] == "123456"
    assert event["event_properties"]["recipient"] == known["recipient"]
    assert event["event_properties"]["contact.plan"] == "pro"
    assert "contact.product_user_id" not in event["event_properties"]


@pytest.mark.parametrize("contact", [None, {}, {"product_user_id": None}, {"product_user_id": ""}])
def test_unknown_users_are_the_recipient_or_skipped(contact: Any) -> None:
    record = email(contact=contact)
    event = event_of(record, user_field="contact.product_user_id")
    assert event["user_id"] == record["recipient"]
    assert "recipient" not in event["event_properties"]
    skipped = mapped(record, user_field="contact.product_user_id", unknown_users="skip")
    assert isinstance(skipped, Skip)


@pytest.mark.parametrize("created", [5, NOW + 400 * 86_400_000])
def test_an_event_left_out_by_a_setting_is_not_refused_for_its_time(created: int) -> None:
    record = email(1, created=created)
    skipped = mapped(record, user_field="contact.product_user_id", unknown_users="skip")
    assert isinstance(skipped, Skip)
    assert isinstance(mapped(record), Refusal)
