"""A target that does nothing: what a run of Meltano's takes by itself."""

from __future__ import annotations

import sys

for _ in sys.stdin:
    pass
