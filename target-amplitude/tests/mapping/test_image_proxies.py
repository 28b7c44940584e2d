from __future__ import annotations

import pytest

from loading.mapping import event_of
from loading.messages import email


@pytest.mark.parametrize(
    "agent",
    [
        "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
        "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
        "Mozilla/5.0",
    ],
)
def test_a_mail_proxy_says_nothing_about_the_person(agent: str) -> None:
    location = {"city": "Zürich", "state": "Zürich", "country": "Switzerland"}
    event = event_of(email(userAgent=agent, location=location))
    assert not {"city", "region", "country", "os_name", "os_version"} & set(event)
    assert event["event_properties"]["userAgent"] == agent
    assert event["event_properties"]["location.city"] == "Zürich"
