"""Puts a keyed hash in the place of every email address of a record."""

from __future__ import annotations

import hmac
import os
import re
from typing import Any

from mapper_email_events.addresses import (
    addresses_of,
    literally,
    may_hold_address,
    replace_addresses,
)
from mapper_email_events.email_event import Record, event_type
from mapper_email_events.errors import MapperError, UntreatableError

KEY_VARIABLE = "PSEUDONYMISE_KEY"

ADDRESS_FIELDS = frozenset(("recipient", "from", "replyTo", "cc", "bcc", "requestedBy"))
"""Fields that hold addresses and nothing else; names written beside them go as well."""

_ORDINARY = re.compile(r"[\w.!$*+^~'-]+@[\w-]+(?:\.[\w-]+)*")
_MAX_DEPTH = 60

_Unusual = tuple[re.Pattern[str], str]
"""A recipient that is found only by its own letters, and its pseudonym."""


class Pseudonymise:
    """Replaces addresses by HMAC-SHA256 of the trimmed address in lower case, in hexadecimal."""

    def __init__(self, key: str) -> None:
        """Take the key."""
        self._key = key.encode()

    @classmethod
    def from_environment(cls) -> Pseudonymise:
        """The transform with the key from the environment.

        Raises:
            MapperError: There is no key.
        """
        key = os.environ.get(KEY_VARIABLE, "").strip()
        if not key:
            raise MapperError(
                f"The mapping pseudonymise has no key: set {KEY_VARIABLE} in the environment or in "
                ".env, for instance to what `openssl rand -hex 32` prints."
            )
        return cls(key)

    def pseudonym(self, address: str) -> str:
        """The keyed hash of an address, 64 hexadecimal digits."""
        plain = address.strip().lower().encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, plain, "sha256").hex()

    def __call__(self, record: Record) -> Record:
        """The record without a readable address.

        Raises:
            UntreatableError: It is no email event, or an address field holds something else.
        """
        event_type(record)
        recipient = record.get("recipient")
        unusual = self._unusual(recipient.strip()) if isinstance(recipient, str) else None
        return {
            self._text(name, None): self._field(name, value, unusual)
            for name, value in record.items()
        }

    def _unusual(self, recipient: str) -> _Unusual | None:
        if not recipient or _ORDINARY.fullmatch(recipient):
            return None
        return literally(recipient), self.pseudonym(recipient)

    def _field(self, name: str, value: Any, unusual: _Unusual | None) -> Any:
        if name in ADDRESS_FIELDS:
            return self._addresses(value)
        if type(value) is str:
            return self._text(value, unusual)
        return self._tree(value, unusual, 1)

    def _addresses(self, value: Any) -> Any:
        if isinstance(value, str):
            return ", ".join(self.pseudonym(each) for each in addresses_of(value)) if value else ""
        if value is None:
            return None
        if isinstance(value, list) and all(each is None or isinstance(each, str) for each in value):
            return [self._addresses(each) for each in value]
        raise UntreatableError("an address field of another shape")

    def _text(self, text: str, unusual: _Unusual | None) -> str:
        if unusual is not None:
            pattern, pseudonym = unusual
            text = pattern.sub(pseudonym, text)
        return replace_addresses(text, self.pseudonym) if may_hold_address(text) else text

    def _tree(self, value: Any, unusual: _Unusual | None, depth: int) -> Any:
        if isinstance(value, str):
            return self._text(value, unusual)
        if depth > _MAX_DEPTH:
            raise UntreatableError("nested too deep")
        if isinstance(value, dict):
            return {
                self._text(name, unusual): self._tree(item, unusual, depth + 1)
                for name, item in value.items()
            }
        if isinstance(value, list):
            return [self._tree(item, unusual, depth + 1) for item in value]
        return value
