from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sandbox.client import Sandbox
    from sandbox_tests.services import Services

REFRESH = {"grant_type": "refresh_token", "refresh_token": "sandbox-refresh-token"}
CAMPAIGNS = "/email/public/v1/campaigns"
BATCH_READ = "/crm/v3/objects/contacts/batch/read"


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
