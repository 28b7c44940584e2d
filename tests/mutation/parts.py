"""What is mutated, and which tests are to notice it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
TAP, TARGET = "tap-hubspot-email-events", "target-amplitude"


@dataclass(frozen=True, slots=True)
class Part:
    """Modules of one plugin and the tests that run them in their own process, and are fast.

    Tests that start a plugin as a process of its own would run the code as it is.
    """

    name: str
    folder: str
    modules: tuple[str, ...]
    tests: tuple[str, ...]

    @property
    def package(self) -> str:
        """The package that the modules are in."""
        return self.folder.replace("-", "_")


PARTS = (
    Part(
        "tap-plan",
        TAP,
        ("reading/plan.py",),
        ("reading/test_plan.py",),
    ),
    Part(
        "tap",
        TAP,
        (
            "hubspot/answers.py",
            "reading/bookmarks.py",
            "reading/digests.py",
            "reading/records.py",
            "settings.py",
            "timestamps.py",
        ),
        (
            "hubspot/test_answers.py",
            "hubspot/test_answers_in_words.py",
            "reading/test_bookmarks.py",
            "reading/test_digests.py",
            "reading/test_records.py",
            "test_settings.py",
            "test_timestamps.py",
        ),
    ),
    Part(
        "target-queue",
        TARGET,
        (
            "delivery/backpressure.py",
            "delivery/checkpoints.py",
            "delivery/queue.py",
            "delivery/throttling.py",
        ),
        (
            "delivery/test_checkpoint_order.py",
            "delivery/test_checkpoints.py",
            "delivery/test_queue.py",
            "delivery/test_queue_order.py",
            "delivery/test_throttled_queue.py",
            "delivery/test_throttling.py",
            "delivery/test_waits.py",
        ),
    ),
    Part(
        "target-sender",
        TARGET,
        (
            "amplitude/answers.py",
            "delivery/coordinator.py",
            "delivery/queued_event.py",
            "delivery/rejects.py",
            "delivery/sender.py",
        ),
        (
            "amplitude/test_answers.py",
            "delivery/test_coordinator.py",
            "delivery/test_rejects_file.py",
            "delivery/test_sender_order.py",
        ),
    ),
    Part(
        "target-delivery",
        TARGET,
        ("delivery/delivery.py",),
        (
            "delivery/test_delivery_alone.py",
            "delivery/test_idle_threads.py",
            "delivery/test_random_answers.py",
        ),
    ),
    Part("target-mapping", TARGET, ("mapping/*.py",), ("mapping",)),
    Part(
        "target-settings",
        TARGET,
        ("configuration/*.py", "settings.py"),
        ("configuration", "test_settings.py"),
    ),
)
