from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
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
