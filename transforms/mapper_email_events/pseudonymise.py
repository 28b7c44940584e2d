"""Puts a keyed hash in the place of every email address of a record."""

from __future__ import annotations

import hmac
import os
import re
from functools import lru_cache
from typing import Any

from mapper_email_events.addresses import (
    SIGNS,
    addresses_of,
    literally,
    may_hold_address,
    replace_addresses,
)
from mapper_email_events.common.errors import UserError
from mapper_email_events.email_events import Record, UntreatableError, event_type
from mapper_email_events.messages import encode

KEY_VARIABLE = "PSEUDONYMISE_KEY"

ADDRESS_FIELDS = frozenset(("recipient", "from", "replyTo", "cc", "bcc", "requestedBy"))
"""Fields that hold addresses and nothing else; names written beside them go as well."""

_ORDINARY = re.compile(r"[\w.!$*+^~'-]+@[\w-]+(?:\.[\w-]+)*")
_MAX_DEPTH = 60
_ADDRESSES_KEPT = 65_536

_Unusual = tuple[re.Pattern[str], str]
"""A recipient that is found only by its own letters, and its pseudonym."""


class Pseudonymise:
    """Replaces addresses by HMAC-SHA256 of the trimmed address in lower case, in hexadecimal."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()
        self.pseudonym = lru_cache(_ADDRESSES_KEPT)(self._hash)
        self._address_field = lru_cache(_ADDRESSES_KEPT)(self._hash_all)

    @classmethod
    def from_environment(cls) -> Pseudonymise:
        """The transform with the key from the environment.

        Raises:
            UserError: There is no key.
        """
        key = os.environ.get(KEY_VARIABLE, "").strip()
        if not key:
            raise UserError(
                f"The mapping pseudonymise has no key: set {KEY_VARIABLE} in the environment or in "
                ".env, for instance to what `openssl rand -hex 32` prints."
            )
        return cls(key)

    def _hash(self, address: str) -> str:
        plain = address.strip().lower().encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, plain, "sha256").hex()

    def _hash_all(self, field: str) -> str:
        return ", ".join(self.pseudonym(each) for each in addresses_of(field))

    def __call__(self, record: Record) -> Record:
        """The record without a readable address.

        Raises:
            UntreatableError: It is no email event, or an address field holds something else.
        """
        event_type(record)
        recipient = record.get("recipient")
        unusual = self._unusual(recipient.strip()) if isinstance(recipient, str) else None
        treated = dict(record)
        for name in ADDRESS_FIELDS.intersection(record):
            treated[name] = self._addresses(record[name])
        # Few events hold an address elsewhere, and one look at the whole is cheaper than many.
        if unusual is None and not _may_hold_address(treated):
            return treated
        return {
            self._text(name, unusual): (
                value if name in ADDRESS_FIELDS else self._tree(value, unusual, 1)
            )
            for name, value in treated.items()
        }

    def _unusual(self, recipient: str) -> _Unusual | None:
        if not recipient or _ORDINARY.fullmatch(recipient):
            return None
        return literally(recipient), self.pseudonym(recipient)

    def _addresses(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._address_field(value) if value else ""
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


def _may_hold_address(record: Record) -> bool:
    content = encode(record)
    return any(sign in content for sign in SIGNS)
