"""Where a run's records go: what every destination does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from target_amplitude.delivery.block import Block


class Destination:
    """Takes blocks in the order they were read."""

    @property
    def outcome(self) -> str:
        """What a good run did, in a word or two."""
        raise NotImplementedError

    def add(self, block: Block) -> None:
        """Take a block; waits while too much is queued.

        Raises:
            RunFailedError: If the run has failed, or the block cannot be kept.
        """
        raise NotImplementedError

    def finish(self) -> None:
        """Do what is left to do, once the last block was added.

        Raises:
            RunFailedError: If the run has failed.
        """

    def interrupt(self, signum: int) -> None:
        """Finish soon, as a signal asks to; called in its handler."""

    def close(self) -> None:
        """Stop what is still going on."""

    def figures(self) -> dict[str, Any]:
        """Return what the job log says beside the counts of streams."""
        raise NotImplementedError

    def lines(self, left_out: str) -> list[str]:  # noqa: ARG002 - for those that need it
        """Return the figures in words; `left_out` are the records without an event, by reason."""
        return []

    def warnings(self) -> list[str]:
        """Return what a user should know beside the figures."""
        return []
