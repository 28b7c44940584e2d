from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from sandbox_tests.services import EVENTS

if TYPE_CHECKING:
    from sandbox.client import Sandbox
    from sandbox_tests.services import Services

REFRESH = {"grant_type": "refresh_token", "refresh_token": "sandbox-refresh-token"}
CAMPAIGNS = "/email/public/v1/campaigns"
BATCH_READ = "/crm/v3/objects/contacts/batch/read"


def test_the_ten_second_limit_refuses_what_is_above_it(
    services: Services, sandbox: Sandbox
) -> None:
    sandbox.set_limits(requests_per_10_seconds=3, retry_after=True)

    answers = [services.get(EVENTS) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    left = [answer.headers["X-HubSpot-RateLimit-Remaining"] for answer in answers]
    assert left == ["2", "1", "0", "0"]
    assert answers[3].json()["policyName"] == "TEN_SECONDLY_ROLLING"
    assert 1 <= int(answers[3].headers["Retry-After"]) <= 10


def test_another_app_spends_the_same_limit(services: Services, sandbox: Sandbox) -> None:
    sandbox.spend_requests(100)

    assert services.get(EVENTS).headers["X-HubSpot-RateLimit-Remaining"] == "89"


@pytest.mark.parametrize(
    ("limits", "policy"),
    [({"daily_limit": 1}, "DAILY"), ({"requests_per_second": 1}, "SECONDLY")],
)
def test_other_limits_name_their_policy(
    services: Services, sandbox: Sandbox, limits: dict[str, int], policy: str
) -> None:
    sandbox.set_limits(**limits)
    services.get(EVENTS)

    answer = services.get(EVENTS)

    assert (answer.status_code, answer.json()["policyName"]) == (429, policy)
    assert "Retry-After" not in answer.headers


def test_a_refreshed_token_works_without_a_daily_limit_until_it_is_too_old(
    services: Services, sandbox: Sandbox
) -> None:
    answer = services.token(REFRESH).json()

    page = services.get(EVENTS, token=answer["access_token"])
    sandbox.expire_tokens()
    late = services.get(EVENTS, token=answer["access_token"])

    assert page.status_code == 200
    assert "X-HubSpot-RateLimit-Daily" not in page.headers
    assert (answer["hub_id"], answer["expires_in"]) == (4711, 1800)
    assert answer["refresh_token"] == "sandbox-refresh-token"
    assert (late.status_code, late.json()["category"]) == (401, "EXPIRED_AUTHENTICATION")


def test_a_rotated_refresh_token_replaces_the_old_one(services: Services, sandbox: Sandbox) -> None:
    sandbox.set_oauth(rotate=True)
    fresh = services.token(REFRESH).json()["refresh_token"]

    assert services.token(REFRESH).json()["error"] == "invalid_grant"
    assert services.token(REFRESH | {"refresh_token": fresh}).status_code == 200


@pytest.mark.parametrize(
    ("wrong", "status", "error"),
    [
        ({"client_id": "x"}, 401, "invalid_client"),
        ({"client_secret": "x"}, 401, "invalid_client"),
        ({"refresh_token": "x"}, 400, "invalid_grant"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": "authorization_code", "code": "x"}, 400, "invalid_grant"),
    ],
)
def test_token_errors_are_those_of_the_rfc(
    services: Services, wrong: dict[str, str], status: int, error: str
) -> None:
    answer = services.token(REFRESH | wrong)

    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_consent_leads_back_with_a_code_that_is_good_once(services: Services) -> None:
    back = "http://127.0.0.1:9/callback"
    page = (
        f"/oauth/authorize?client_id=sandbox-client&redirect_uri={back}&state=s&scope=oauth+content"
    )
    shown = services.get(page)

    answer = services.token({"decision": "grant", "portal_id": "4712"}, page)

    assert 'id="connect"' in shown.text
    assert answer.status_code == 302
    found = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert found["state"] == ["s"]
    form = {"grant_type": "authorization_code", "code": found["code"][0], "redirect_uri": back}
    tokens = services.token(form).json()
    assert (tokens["hub_id"], tokens["scopes"]) == (4712, ["oauth", "content"])
    assert services.token(form).json()["error"] == "invalid_grant"


def test_a_campaign_has_its_names_and_a_deleted_one_is_gone(
    services: Services, sandbox: Sandbox
) -> None:
    sandbox.generate(events=300)
    largest = sandbox.campaigns()[0]
    deleted = next(item for item in sandbox.campaigns() if item["deleted"])

    found = services.get(f"{CAMPAIGNS}/{largest['id']}").json()

    assert (found["name"], found["subject"]) == (largest["name"], largest["subject"])
    assert found["counters"]["sent"] == largest["events"]["SENT"]
    assert services.get(f"{CAMPAIGNS}/{deleted['id']}").status_code == 404


def test_contacts_are_read_by_address_and_unknown_ones_are_missing(
    services: Services, sandbox: Sandbox
) -> None:
    sandbox.add_contacts([{"email": "Ada@example.com", "product_user_id": "user-1"}])
    question = {
        "idProperty": "email",
        "properties": ["product_user_id", "city"],
        "inputs": [{"id": "ADA@example.com"}, {"id": "nobody@example.com"}],
    }

    answer = services.post(BATCH_READ, question)
    all_known = services.post(BATCH_READ, question | {"inputs": [{"id": "ada@example.com"}]})

    assert (answer.status_code, all_known.status_code) == (207, 200)
    (found,) = answer.json()["results"]
    assert found["properties"]["product_user_id"] == "user-1"
    assert found["properties"]["city"] is None
    assert answer.json()["errors"][0]["context"]["ids"] == ["nobody@example.com"]


@pytest.mark.parametrize(
    "inputs",
    [
        [{"id": f"{n}@example.com"} for n in range(101)],
        [{"id": "a@example.com"}, {"id": "A@example.com"}],
        [{"email": "a@example.com"}],
    ],
)
def test_contacts_refuse_bad_batches(services: Services, inputs: list[dict[str, str]]) -> None:
    answer = services.post(BATCH_READ, {"idProperty": "email", "inputs": inputs})

    assert answer.status_code == 400
