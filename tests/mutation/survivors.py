"""Changes that no test notices because they change nothing that matters, each with the reason."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatch

FASTER = "the slower way gives the same"
SET_FIRST = "set to another value before it is read"
NO_ROOM = "nothing is taken where there is no room"
THREE_NAMES = "differs for a path of three names alone, which no object of HubSpot's has"
REMEMBERED = "how many are remembered"
SAME_LENGTH = "both have the same length by the lines before"


@dataclass(frozen=True, slots=True)
class Survivor:
    """Changes of a line that contains `was` into one that contains `now`, and why they are none."""

    module: str
    was: str
    now: str
    why: str

    def explains(self, module: str, was: str, now: str) -> bool:
        """Whether it is about this change."""
        return fnmatch(module, self.module) and self.was in was and self.now in now


SURVIVORS = (
    # Python
    Survivor("*", '"utf-8"', '"UTF-8"', "names of encodings have no case"),
    Survivor("*", "'utf-8'", "'UTF-8'", "names of encodings have no case"),
    Survivor("*", "strict=True", "strict=None", SAME_LENGTH),
    Survivor("*", "strict=True", "strict=False", SAME_LENGTH),
    Survivor("*", "strict=True", ", )", SAME_LENGTH),
    Survivor("*", "strict=False", "strict=None", "both are false"),
    Survivor("*", "strict=False", ", )", "it is what is assumed"),
    Survivor("*", "= False", "= None", "both are false"),
    Survivor("*", "ensure_ascii=False", "ensure_ascii=None", "both are false"),
    Survivor("*", '"big"', ", )", "it is what Python 3.11 and later assume"),
    Survivor("*", '.ljust(3, "0")[:3]', '.ljust(4, "0")[:3]', "cut to three all the same"),
    Survivor("*", 'offset in "Zz"', 'offset in "XXZzXX"', "the pattern lets no X through"),
    # The tap
    Survivor("hubspot/answers.py", 'get("message") or ""', '"XXXX"', "only searched for words"),
    Survivor("hubspot/answers.py", "body[:1000]", "body[:1001]", "how much of a page is looked at"),
    Survivor("hubspot/answers.py", "max(2.0, wait or 0.0)", "wait or 1.0", "less than 2 both"),
    Survivor("hubspot/answers.py", "seconds > 0 else", "seconds >= 0 else", "0 both ways"),
    Survivor(
        "reading/bookmarks.py",
        "stretch.start <= start",
        "stretch.start < start",
        "where they are equal, either is returned",
    ),
    Survivor("reading/plan.py", "self._window_length = 1", "self._window_length =", SET_FIRST),
    Survivor("reading/plan.py", "self._density_known = False", "= True", SET_FIRST),
    Survivor("reading/records.py", 'ids = [event["id"]', "ids = [event[", FASTER),
    Survivor("reading/records.py", 'times = [event["created"]', "times = [event[", FASTER),
    Survivor("reading/records.py", "<= {str}", "< {str}", FASTER),
    Survivor("reading/records.py", "<= {int}", "< {int}", FASTER),
    Survivor("reading/records.py", "min(times) >= 0", "min(times) > 0", FASTER),
    Survivor("reading/records.py", "min(times) >= 0", "min(times) >= 1", FASTER),
    Survivor("reading/records.py", "max(times) <= LAST", "max(times) < LAST", FASTER),
    Survivor("reading/records.py", "len(distinct) < len(ids)", "len(distinct) <=", FASTER),
    Survivor("reading/stretches.py", "// max(1, most)", "/ max(1, most)", "counts are whole"),
    Survivor("reading/stretches.py", "and taken < end", "and taken <= end", "nothing is left then"),
    Survivor("reading/stretches.py", "max(1, sum(", "max(2, sum(", "one event fills one stretch"),
    Survivor("reading/stretches.py", "taken = start - 1", "taken = start - 2", "both before it"),
    Survivor("reading/stretches.py", 'else ""', 'else "XXXX"', "three bytes are no stretch either"),
    Survivor("reading/stretches.py", "end // self._slot", "end / self._slot", "slots are whole"),
    Survivor("settings.py", "reading.problems += [", "reading.problems = [", "it was empty"),
    Survivor("settings.py", 'urlsplit("")', "urlsplit(", "an address without a host is refused"),
    Survivor("timestamps.py", "hours.get(hour)", "hours.get(None)", FASTER),
    Survivor("timestamps.py", "self._days.get(day)", "self._days.get(None)", FASTER),
    # The target
    Survivor("common/channels.py", "content = None", 'content = ""', "no object either"),
    Survivor(
        "common/configuration.py",
        "if isinstance(value, int | str) else None",
        "or True else None",
        "nothing else that JSON has is written like one of the words",
    ),
    Survivor("common/configuration.py", "declared, n=1)", "declared,", "the first is used"),
    Survivor("delivery/backpressure.py", "> SPAN_SECONDS", ">= SPAN_SECONDS", "to the nanosecond"),
    Survivor("delivery/backpressure.py", ">= MAX_WAIT", "> MAX_WAIT", "to the nanosecond"),
    Survivor("delivery/backpressure.py", "self._since = 0.0", "= 1.0", "a moment long ago"),
    Survivor("delivery/checkpoints.py", "bytes | None = None", '= ""', SET_FIRST),
    Survivor("delivery/queue.py", "Batch | None = None", '= ""', "neither is a batch"),
    Survivor("delivery/queue.py", "self._filled = 0", "= 1", "only differences are used"),
    Survivor(
        "delivery/queue.py",
        "if len(batch.events) >= self._max_events or size > self._max_bytes:",
        ">= self._max_events and size",
        NO_ROOM,
    ),
    Survivor(
        "delivery/queue.py", "if len(batch.events) >= self", "if len(batch.events) > ", NO_ROOM
    ),
    Survivor("delivery/queue.py", "size > self._max_bytes:", "size >= self._max_bytes:", NO_ROOM),
    Survivor("delivery/delivery.py", "self._deadline = FOREVER", "= None", SET_FIRST),
    Survivor("delivery/delivery.py", "> self._deadline", ">= self._deadline", "to the nanosecond"),
    Survivor("delivery/delivery.py", "now >= coordinator.flush_at", "now > ", "likewise"),
    Survivor("delivery/delivery.py", "time.monotonic() < until", "<= until", "likewise"),
    Survivor("delivery/sender.py", "time.monotonic() < until", "<= until", "to the nanosecond"),
    Survivor("delivery/rejects.py", 'message["stream"], type=str', 'message["stream"], )', "text"),
    Survivor("delivery/throttling.py", "self.retry_at = 0.0", "self.retry_at =", SET_FIRST),
    Survivor("delivery/throttling.py", "self.slice_size = 0", "self.slice_size =", SET_FIRST),
    Survivor(
        "mapping/amplitude_events.py",
        'event["time"] if time is None else time',
        "and False else time",
        "refused in the same words",
    ),
    Survivor("mapping/events.py", "self._event_types.get(kind)", "get(None)", FASTER),
    Survivor("mapping/events.py", "self._event_types.get(kind)", "known = None", FASTER),
    Survivor("mapping/events.py", "self._event_types[kind] = known", "= None", FASTER),
    Survivor("mapping/events.py", "< _MAX_TYPES", "<= _MAX_TYPES", REMEMBERED),
    # Nearly all events take the short way in `_email`; the others give the same event.
    Survivor("mapping/events.py", "user_field = self._user_field", "user_field = None", FASTER),
    Survivor("mapping/events.py", "user_id = record.get(user_field)", "user_id =", FASTER),
    Survivor("mapping/events.py", "type(user_id) is str", "type(None) is str", FASTER),
    Survivor("mapping/events.py", 'and "@" in user_id', '"XX@XX" in', FASTER),
    Survivor("mapping/events.py", 'and "@" in user_id', '"@" not in', FASTER),
    Survivor("mapping/events.py", "and self._min_id_length <= len", "_length < len", FASTER),
    Survivor("mapping/events.py", "<= len(user_id) <= MAX_NAME", "< MAX_NAME", FASTER),
    Survivor("mapping/events.py", "and EARLIEST_MS <= time", "and EARLIEST_MS < time", FASTER),
    Survivor("mapping/events.py", "time <= now + MAX_AHEAD_MS", "time < now", FASTER),
    Survivor("mapping/events.py", "time <= now + MAX_AHEAD_MS", "now - MAX_AHEAD_MS", FASTER),
    Survivor(
        "mapping/events.py",
        'pop("created", None)',
        '"created", )',
        "it is there, or nothing was mapped",
    ),
    Survivor(
        "mapping/events.py", "pop(user_field, None)", "_field, )", "what was found there is there"
    ),
    Survivor("mapping/events.py", "portal if type(portal) is int", "else as_id(portal)", FASTER),
    Survivor("mapping/flattened.py", "user_field.partition(", ".rpartition(", THREE_NAMES),
    Survivor("mapping/flattened.py", 'field.rpartition(".")', '"XX.XX"', THREE_NAMES),
    Survivor("mapping/flattened.py", "len(parent) + len(field)", ">=", "a separator is not empty"),
    Survivor("mapping/flattened.py", "> len(parent) + len(field)", "- len(field)", "likewise"),
    Survivor("mapping/flattened.py", "setdefault(name, {})", "setdefault(name,", "put right below"),
    Survivor("mapping/identity.py", "len(self._path) > 1", ">= 1", FASTER),
    Survivor("mapping/identity.py", "type(value) is str", "and False else", FASTER),
    Survivor("mapping/identity.py", "type(value) is str", "type(None) is str", FASTER),
    Survivor("mapping/identity.py", 'return "", ""', 'return "", "XXXX"', "no user has no field"),
    Survivor("mapping/properties.py", "self._names.get(parent)", "names = None", FASTER),
    Survivor("mapping/properties.py", "self._names.get(parent)", "get(None)", FASTER),
    Survivor("mapping/properties.py", "<= MAX_STRING", "and False else", "nothing is cut off"),
    Survivor("mapping/properties.py", "> MAX_STRING", ">= MAX_STRING", "nothing is cut off"),
    Survivor("mapping/properties.py", "<= MAX_STRING", "< MAX_STRING", "nothing is cut off"),
    Survivor("mapping/properties.py", "kind is int or kind", "kind is int and kind", FASTER),
    Survivor("mapping/properties.py", "value is None or", "value is None and", FASTER),
    Survivor("mapping/properties.py", "self._made += 1", "+= 2", REMEMBERED),
    Survivor("mapping/properties.py", "> _MAX_NAMES", ">= _MAX_NAMES", REMEMBERED),
    Survivor("mapping/properties.py", "self._made = 0", "= 1", REMEMBERED),
    Survivor("mapping/timestamps.py", "len(value) == 24", "!= 24", FASTER),
    Survivor("mapping/timestamps.py", "len(value) == 24", "== 25", FASTER),
    Survivor("mapping/timestamps.py", "_hours[value[:14]]", "_hours[value[:15]]", FASTER),
    Survivor("mapping/timestamps.py", "value[14:20]", "value[15:20]", FASTER),
    Survivor("mapping/timestamps.py", "value[14:20]", "value[14:21]", FASTER),
    Survivor("mapping/timestamps.py", "value[20:]", "value[21:]", FASTER),
    Survivor("mapping/timestamps.py", 'offset == "+00:00"', '== "XX+00:00XX"', FASTER),
    Survivor("mapping/timestamps.py", ">= _MAX_HOURS", "> _MAX_HOURS", REMEMBERED),
    Survivor("mapping/validation.py", 'if "@" in value', '"XX@XX" in value', FASTER),
    Survivor("mapping/validation.py", "min_length <= len(value)", "min_length < len", FASTER),
    Survivor("mapping/validation.py", "len(value) <= MAX_NAME:", "len(value) < MAX", FASTER),
)
