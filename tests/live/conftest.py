from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from live.accounts import IS_LIVE, TAP, TARGET, Accounts
from sandbox.client import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Accounts]:
    folder = tmp_path_factory.mktemp("live")
    if IS_LIVE:
        yield Accounts(folder)
        return
    with Sandbox(seed=11) as sandbox:
        sandbox.generate(events=7_000, days=60)
        yield Accounts(
            folder,
            {
                f"{TAP}_API_URL": sandbox.hubspot_url,
                f"{TAP}_CLIENT_ID": "sandbox-client",
                f"{TAP}_CLIENT_SECRET": "sandbox-client-secret",
                f"{TAP}_REFRESH_TOKEN": "sandbox-refresh-token",
                f"{TAP}_CONTACT_PROPERTIES": "product_user_id",
                f"{TARGET}_API_URL": sandbox.amplitude_url,
                f"{TARGET}_API_KEY": "sandbox-api-key",
                f"{TARGET}_SECRET_KEY": "sandbox-secret-key",
            },
        )
