"""A real browser without a screen: Debian's Chromium, driven over the WebDriver protocol."""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
import tempfile
import time
from typing import Any

import requests
from typing_extensions import Self

PATIENCE = 60
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
"""The key under which WebDriver names an element (W3C WebDriver, 11)."""

# No sandbox, because tests may run as root; nothing that asks hosts outside this machine.
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def missing() -> str:
    """The programs that are needed and not here."""
    return " and ".join(name for name in ("chromium", "chromedriver") if shutil.which(name) is None)


class Browser:
    """One window with a profile of its own."""

    def __init__(self) -> None:
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self._driver: subprocess.Popen[str] | None = None
        self._session = ""

    def __enter__(self) -> Self:
        """Open it."""
        self._driver = subprocess.Popen(
            ["chromedriver", "--port=0"], stdout=subprocess.PIPE, text=True
        )
        port = ""
        for line in self._driver.stdout or ():
            if found := re.search(r"started successfully on port (\d+)", line):
                port = found[1]
                break
        options = {
            "binary": shutil.which("chromium"),
            "args": [*FLAGS, f"--user-data-dir={self._profile.name}"],
        }
        self._session = f"http://127.0.0.1:{port}/session"
        wanted = {"browserName": "chrome", "goog:chromeOptions": options}
        opened = self._ask("POST", "", {"capabilities": {"alwaysMatch": wanted}})
        self._session += f"/{opened['sessionId']}"
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        if self._driver is not None:
            try:
                self._ask("DELETE", "")
            finally:
                with self._driver as driver:
                    driver.terminate()
        self._profile.cleanup()

    def open(self, address: str) -> None:
        """Go to a page and wait until it is there."""
        self._ask("POST", "/url", {"url": address})

    def resize(self, width: int, height: int) -> None:
        """Give the window a size in pixels, also one that no desktop window may have."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        command = {"cmd": "Emulation.setDeviceMetricsOverride", "params": metrics}
        self._ask("POST", "/goog/cdp/execute", command)

    def picture(self, down_to: str = "") -> bytes:
        """The page as it looks, as PNG, where wanted only down to what a CSS selector finds."""
        bottom = f"document.querySelector('{down_to}').getBoundingClientRect().bottom"
        wanted = f"{bottom} + window.scrollY + 16" if down_to else "document.body.scrollHeight"
        height = self.run(f"return Math.ceil({wanted})")
        width = self.run("return window.innerWidth")
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        options = {"format": "png", "captureBeyondViewport": True, "clip": clip}
        command = {"cmd": "Page.captureScreenshot", "params": options}
        return base64.b64decode(self._ask("POST", "/goog/cdp/execute", command)["data"])

    def run(self, script: str) -> Any:
        """Run the body of a function in the page, and return what it returns."""
        return self._ask("POST", "/execute/sync", {"script": script, "args": []})

    def click(self, selector: str) -> None:
        """Click what a CSS selector finds, and wait until its page has given way to the next."""
        clicked = self._find(selector)
        self._ask("POST", f"/element/{clicked}/click", {})
        deadline = time.monotonic() + PATIENCE
        while self._is_there(clicked) and time.monotonic() < deadline:
            time.sleep(0.05)

    def text(self, selector: str = "body") -> str:
        """What a person reads there."""
        return str(self._ask("GET", f"/element/{self._find(selector)}/text"))

    def _is_there(self, element: str) -> bool:
        try:
            self._ask("GET", f"/element/{element}/name")
        except RuntimeError:
            return False
        return True

    def _find(self, selector: str) -> str:
        found = self._ask("POST", "/element", {"using": "css selector", "value": selector})
        return str(found[ELEMENT])

    def _ask(self, method: str, path: str, content: Any = None) -> Any:
        answer = requests.request(
            method, self._session + path, json=content, timeout=PATIENCE
        ).json()["value"]
        if isinstance(answer, dict) and "error" in answer:
            raise RuntimeError(f"{answer['error']}: {answer['message']}")
        return answer
