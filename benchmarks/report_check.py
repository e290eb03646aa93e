"""Check reports in headless Chromium without a network connection.

    npm pack axe-core && tar xzf axe-core-*.tgz
    python benchmarks/report_check.py report.html --axe package/axe.min.js --screenshots shots/

The script needs Chromium and its driver (apt packages `chromium`, `chromium-driver`) and axe-core,
which checks accessibility. It opens each report at the width of a laptop and of a phone, in light
and dark mode. It prints console messages, requests, axe-core's findings, and content wider than the
window. The exit status is 1 if there is any fault. axe-core's uncertain findings (`incomplete`) do
not count.
"""

import argparse
import base64
import contextlib
import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests

WIDTHS = {"laptop": (1280, 800, False), "phone": (390, 844, True)}
SCHEMES = ("light", "dark")
# The rules of WCAG 2.2 A and AA, and axe's own rules of good practice.
RUN_AXE = """
const done = arguments[arguments.length - 1];
axe.run(document, {resultTypes: ['violations', 'incomplete']}).then(found => done({
  violations: found.violations.map(v => [v.id, v.help, v.nodes.slice(0, 3).map(n => n.html)]),
  incomplete: found.incomplete.map(v => [v.id, v.nodes.length,
    v.nodes.slice(0, 2).map(n => [n.html.slice(0, 300), n.any.map(a => a.message).join(' ')])]),
  passes: found.passes.length,
}));
"""
OVERFLOW = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
OPTIONS = {
    "args": [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost",
    ]
}


class Browser:
    """A Chromium session over the WebDriver protocol.

    Args:
        address: Address of the driver.
    """

    def __init__(self, address: str):
        wanted = {
            "browserName": "chrome",
            "goog:chromeOptions": OPTIONS,
            "timeouts": {"script": 300_000},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }
        self._address = f"{address}/session"
        found = self._ask("", {"capabilities": {"alwaysMatch": wanted}})
        self._address += f"/{found['sessionId']}"

    def open(self, path: Path, width: int, height: int, is_mobile: bool, scheme: str) -> None:
        """Open a file with a screen size and a colour scheme."""
        screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": is_mobile}
        self.command("Emulation.setDeviceMetricsOverride", **screen)
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.command("Emulation.setEmulatedMedia", features=[feature])
        self._ask("/url", {"url": path.resolve().as_uri()})

    def command(self, name: str, **parameters: Any) -> Any:
        """Run one of Chromium's own commands (DevTools protocol)."""
        return self._ask("/goog/cdp/execute", {"cmd": name, "params": parameters})

    def run(self, script: str) -> Any:
        """Run a script in the page. Return its value."""
        return self._ask("/execute/sync", {"script": script, "args": []})

    def run_async(self, script: str) -> Any:
        """Run a script. Return the value that it passes to the callback in its last argument."""
        return self._ask("/execute/async", {"script": script, "args": []})

    def log(self, kind: str) -> list[dict[str, Any]]:
        """Return the log entries since the last call."""
        return self._ask("/se/log", {"type": kind})

    def screenshot(self, path: Path) -> None:
        """Write the whole page to a PNG file."""
        found = self.command("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(found["data"]))

    def close(self) -> None:
        """End the session."""
        requests.delete(self._address, timeout=60)

    def _ask(self, place: str, values: dict[str, Any]) -> Any:
        answer = requests.post(self._address + place, json=values, timeout=300).json()["value"]
        if isinstance(answer, dict) and "error" in answer:
            raise RuntimeError(f"{place}: {answer['message']}")
        return answer


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    """Start the driver and a session."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    address = f"http://localhost:{port}"
    driver = subprocess.Popen(
        ["chromedriver", f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(120):
            with contextlib.suppress(requests.ConnectionError):
                if requests.get(f"{address}/status", timeout=60).json()["value"]["ready"]:
                    break
            time.sleep(0.5)
        session = Browser(address)
        try:
            yield session
        finally:
            session.close()
    finally:
        driver.terminate()
        driver.wait()


def check(session: Browser, path: Path, axe: str, shots: Path) -> dict[str, dict[str, Any]]:
    """Return the findings about a report, for each width and colour scheme."""
    found = {}
    for width, screen in WIDTHS.items():
        for scheme in SCHEMES:
            session.log("performance")
            session.open(path, *screen, scheme)
            overflow = session.run(OVERFLOW)
            shot = shots / f"{path.stem}-{width}-{scheme}.png"
            session.screenshot(shot)
            entries = session.log("performance")
            events = [json.loads(entry["message"])["message"] for entry in entries]
            asked = [
                event["params"]["request"]["url"]
                for event in events
                if event["method"] == "Network.requestWillBeSent"
            ]
            console = [entry["message"] for entry in session.log("browser")]
            session.run(axe)
            found[f"{width}, {scheme}"] = {
                "console": console,
                "requests": [url for url in asked if not url.startswith(("file:", "data:"))],
                "overflow": overflow,
                **session.run_async(RUN_AXE),
            }
    return found


def main() -> None:
    """Check each report and print the findings as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("reports", nargs="+", type=Path)
    parser.add_argument("--axe", required=True, type=Path, help="axe.min.js of axe-core")
    parser.add_argument("--screenshots", type=Path, help="folder for them")
    args = parser.parse_args()
    axe = args.axe.read_text("utf-8")
    with tempfile.TemporaryDirectory() as temporary, browser() as session:
        shots = args.screenshots or Path(temporary)
        shots.mkdir(parents=True, exist_ok=True)
        found = {str(path): check(session, path, axe, shots) for path in args.reports}
    print(json.dumps(found, indent=1))
    bad = ("console", "requests", "overflow", "violations")
    sys.exit(any(view[name] for views in found.values() for view in views.values() for name in bad))


if __name__ == "__main__":
    main()
