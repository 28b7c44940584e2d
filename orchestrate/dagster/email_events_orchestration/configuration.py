"""The accounts, and where their parts run: `orchestration.yml`."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from email_events_orchestration.errors import ConfigurationError
from email_events_orchestration.months import NAME

PATH_VARIABLE = "EMAIL_EVENTS_ORCHESTRATION"
MULTIPROCESS = "dagster:multiprocess_executor"


@dataclass(frozen=True)
class Account:
    """A HubSpot account: the plugins that carry its events, and its limit of requests."""

    name: str
    run: tuple[str, ...]
    requests_per_10_seconds: int

    @property
    def tap(self) -> str:
        """The name of its extractor in meltano.yml."""
        return self.run[0]

    @property
    def target(self) -> str:
        """The name of its loader in meltano.yml."""
        return self.run[-1]

    @property
    def pool(self) -> str:
        """The Dagster pool whose places limit how many of its parts run at once."""
        return f"hubspot_{self.name}"

    @property
    def steps(self) -> str:
        """The Dagster op that loads its months in a backfill, a step for each."""
        return f"months_of_{self.name}"


@dataclass(frozen=True)
class Configuration:
    """What `orchestration.yml` says."""

    first_month: str
    accounts: tuple[Account, ...]
    executor: str = MULTIPROCESS
    executor_config: dict[str, Any] = field(default_factory=dict)


def read_configuration() -> Configuration:
    """Read the file named by EMAIL_EVENTS_ORCHESTRATION.

    Raises:
        ConfigurationError: There is no such file, or it cannot be understood.
    """
    path = Path(os.environ.get(PATH_VARIABLE, "orchestrate/dagster/orchestration.yml"))
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError:
        raise ConfigurationError(
            f"There is no configuration {path}; set {PATH_VARIABLE} to its path."
        ) from None
    except yaml.YAMLError:
        raise ConfigurationError(f"{path} is no valid YAML; correct it.") from None
    try:
        return parse_configuration(content)
    except ConfigurationError as error:
        raise ConfigurationError(f"{path}: {error}") from None


def parse_configuration(content: Any) -> Configuration:
    """Check the content of the file.

    Raises:
        ConfigurationError: An entry is missing or of the wrong kind.
    """
    if not isinstance(content, dict):
        raise ConfigurationError("`accounts` and `first_month` are missing.")
    month = str(content.get("first_month", ""))
    if not NAME.fullmatch(month):
        raise ConfigurationError("`first_month` must be a month such as 2024-01.")
    entries = content.get("accounts")
    if not isinstance(entries, list) or not entries:
        raise ConfigurationError("`accounts` must be a list with at least one account.")
    accounts = tuple(_account(entry) for entry in entries)
    if len({account.name for account in accounts}) < len(accounts):
        raise ConfigurationError("Two accounts have the same `name`; give each its own.")
    executor = content.get("executor") or {}
    if not isinstance(executor, dict) or not isinstance(executor.get("config") or {}, dict):
        raise ConfigurationError("`executor` must be an object with `name` and `config`.")
    name = executor.get("name", MULTIPROCESS)
    return Configuration(month, accounts, name, executor.get("config") or {})


def _account(entry: Any) -> Account:
    if not isinstance(entry, dict):
        raise ConfigurationError("An account must be an object with `name` and `run`.")
    name = entry.get("name")
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9_]+", name):
        raise ConfigurationError("An account's `name` must be of letters, digits and _.")
    run = entry.get("run")
    if not isinstance(run, list) or len(run) < 2 or not all(isinstance(x, str) for x in run):  # noqa: PLR2004 - a tap and a target
        raise ConfigurationError(f"Account {name}: `run` must list a tap and a target.")
    limit = entry.get("requests_per_10_seconds", 100)
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
        raise ConfigurationError(
            f"Account {name}: `requests_per_10_seconds` must be a whole number from 1."
        )
    return Account(name, tuple(run), limit)
