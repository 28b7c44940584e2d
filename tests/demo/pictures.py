"""Write the pictures of the job log's page that README and docs show, by `make pictures`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from browser import Browser, missing
from demo.job_logs import JOB_LOGS, NOW
from target_amplitude.history.page import make_page

DOCS = Path(__file__).parents[2] / "docs"
WIDTH = 900
DOWN_TO_DELIVERED = "section:nth-of-type(2)"
PICTURES = {"history.png": "two_days", "history-failed.png": "week_with_failures"}


def main() -> int:
    """Return 1 where there is no browser."""
    if programs := missing():
        print(f"The pictures need {programs}: apt-get install chromium chromium-driver")
        return 1
    with tempfile.TemporaryDirectory() as folder, Browser() as browser:
        for name, job_log in PICTURES.items():
            page = Path(folder, "page.html")
            page.write_text(make_page(JOB_LOGS[job_log](), NOW), encoding="utf-8")
            browser.resize(WIDTH, 600)
            browser.open(page.as_uri())
            (DOCS / name).write_bytes(browser.picture(DOWN_TO_DELIVERED))
            print(DOCS / name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
