"""The target and the mapper, which each stand alone, know the same image proxies."""

from __future__ import annotations

from mapper_email_events import image_proxies as in_the_mapper
from target_amplitude.mapping import image_proxies as in_the_target


def test_the_target_and_the_mapper_know_the_same_image_proxies() -> None:
    assert set(in_the_target.IMAGE_PROXIES) ^ set(in_the_mapper.IMAGE_PROXIES) == set()
    assert in_the_target.BARE_USER_AGENT == in_the_mapper.BARE_USER_AGENT
