"""What holds for every test in the repository."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

pytest_plugins = ["sandbox.fixtures"]

# The SDK warns on stderr when a Python version nears its end of life. In this process pytest's
# filters treat that; the processes that tests start are asked not to say it.
os.environ.setdefault("PYTHONWARNINGS", "ignore::FutureWarning")

# How fast examples come and run says how busy the machine is.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")
