"""What was wrong with single things of HubSpot's, counted by kind and said once a run."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from tap_hubspot_email_events.common.text import fit

if TYPE_CHECKING:
    from collections.abc import Iterable

_MOST_NAMED = 5
_LONGEST_NAME = 60


class Anomalies:
    """Counts and names what was wrong, without personal data; safe to share by threads."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._named: defaultdict[str, list[str]] = defaultdict(list)
        self._lock = threading.Lock()

    def note(self, kind: str, names: Iterable[object], *, count: int | None = None) -> None:
        """Note things of a kind, by names such as ids; `count` where not all have one.

        `kind` is a sentence with `{count}` and `{names}` in it.
        """
        listed = [fit(name, _LONGEST_NAME) for name in names]
        with self._lock:
            self._counts[kind] += len(listed) if count is None else count
            room = _MOST_NAMED - len(self._named[kind])
            self._named[kind] += listed[: max(0, room)]

    def warnings(self) -> list[str]:
        """One sentence for each kind."""
        with self._lock:
            return [
                kind.format(count=f"{count:,}", names=_list(self._named[kind], count))
                for kind, count in self._counts.items()
            ]


def _list(names: list[str], count: int) -> str:
    more = f" and {count - len(names):,} more" if count > len(names) else ""
    return f"{', '.join(names)}{more}" if names else "without an id"
