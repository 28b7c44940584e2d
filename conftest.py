"""What holds for every test in the repository."""

from __future__ import annotations

import os

# The SDK warns on stderr when a Python version nears its end of life. In this process pytest's
# filters treat that; the processes that tests start are asked not to say it.
os.environ.setdefault("PYTHONWARNINGS", "ignore::FutureWarning")
