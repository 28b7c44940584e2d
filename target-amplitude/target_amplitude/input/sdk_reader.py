"""The SDK's hook for reading input."""

from __future__ import annotations

from collections import Counter
from typing import IO, TYPE_CHECKING, Any

from singer_sdk.singerlib.encoding.base import GenericSingerReader
from typing_extensions import override

from target_amplitude.common.output import standard_input

if TYPE_CHECKING:
    from collections.abc import Callable


class SdkReader(GenericSingerReader[bytes]):
    """Hands the whole input over, where the SDK would call back for each line."""

    def __init__(self, read: Callable[[IO[bytes]], dict[str, int]]) -> None:
        """Take the function that reads a source; it returns the number of messages by type."""
        super().__init__()
        self._read = read

    @override
    def process_lines(
        self,
        file_input: IO[bytes] | None,
        callbacks: dict[str, Callable[[dict[str, Any]], None]],
    ) -> Counter[str]:
        return Counter(self._read(file_input or self.default_input))

    @property
    @override
    def default_input(self) -> IO[bytes]:
        return standard_input()

    @override
    def deserialize_json(self, line: bytes) -> dict[str, Any]:
        raise NotImplementedError
