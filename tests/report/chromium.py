"""A headless Chromium, driven through chromedriver by plain W3C WebDriver requests."""

import base64
import json
import re
import shutil
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
_PATIENCE = 300
"""Seconds that the browser may take to answer, on a busy machine without a graphics processor."""
_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
)
_NO_GRAPHICS = ("--disable-gpu", "--disable-3d-apis")
_SOFTWARE_GRAPHICS = ("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")


def programs() -> tuple[str, str] | None:
    """The browser and its driver, where both are installed."""
    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    driver = shutil.which("chromedriver")
    return (browser, driver) if browser and driver else None


class Chromium:
    """One browser window; use it as a context manager.

    Args:
        profile: an empty folder for the browser's own files.
        options: more of the browser's options.
        graphics: draw 3-D (WebGL), in software; without it there is none.
    """

    def __init__(self, profile: Path, *options: str, graphics: bool = False) -> None:
        found = programs()
        assert found is not None
        browser, driver = found
        self._driver = subprocess.Popen(
            [driver, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        try:
            self._base = f"http://127.0.0.1:{self._port()}"
            drawing = _SOFTWARE_GRAPHICS if graphics else _NO_GRAPHICS
            args = [*_OPTIONS, *drawing, *options, f"--user-data-dir={profile}"]
            wanted = {
                "browserName": "chrome",
                "goog:chromeOptions": {"binary": browser, "args": args},
                "goog:loggingPrefs": {"browser": "ALL"},
                "timeouts": {"script": 1000 * _PATIENCE},
            }
            made = self._send("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        except BaseException:
            self._driver.kill()
            raise
        self._base += f"/session/{made['sessionId']}"

    def __enter__(self) -> "Chromium":
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._send("DELETE", "")
        finally:
            self._driver.terminate()
            self._driver.wait(10)

    def open(self, page: Path | str) -> None:
        """Open a file or an address; the log starts anew."""
        self.log()
        self._send("POST", "/url", {"url": page.as_uri() if isinstance(page, Path) else page})

    def js(self, script: str, *args: Any) -> Any:
        """The value a script returns; `args` are its ``arguments``."""
        return self._send("POST", "/execute/sync", {"script": script, "args": list(args)})

    def click(self, selector: str) -> None:
        """Click as a user does: scrolled to and refused where something covers it."""
        self._send("POST", f"/element/{self._element(selector)}/click", {})

    def choose(self, selector: str, file: Path) -> None:
        """Choose a file in a field for files."""
        self._send("POST", f"/element/{self._element(selector)}/value", {"text": str(file)})

    def press(self, keys: str) -> None:
        """Press and release keys, where the focus is; special ones as WebDriver's code points."""
        pressed = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self._send(
            "POST", "/actions", {"actions": [{"type": "key", "id": "keys", "actions": pressed}]}
        )

    def device(self, width: int, height: int, dark: bool = False, *, still: bool = False) -> None:
        """Set the window's size in CSS pixels, the system's colour scheme, and less motion."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._devtools("Emulation.setDeviceMetricsOverride", metrics)
        motion = {"name": "prefers-reduced-motion", "value": "reduce" if still else ""}
        self._devtools("Emulation.setEmulatedMedia", {"features": [scheme, motion]})

    def scripts(self, allowed: bool) -> None:
        """Let pages run scripts, or not; holds for pages opened from now on."""
        self._devtools("Emulation.setScriptExecutionDisabled", {"value": not allowed})

    def log(self) -> list[str]:
        """What the console has said since the last call."""
        return [entry["message"] for entry in self._send("POST", "/se/log", {"type": "browser"})]

    def screenshot(self, whole: bool = False) -> bytes:
        """A PNG of the window, or of the whole page."""
        options = {"format": "png", "captureBeyondViewport": whole}
        if whole:
            size = self._devtools("Page.getLayoutMetrics", {})["cssContentSize"]
            options["clip"] = {**size, "scale": 1}
        return base64.b64decode(self._devtools("Page.captureScreenshot", options)["data"])

    def _element(self, selector: str) -> str:
        found = self._send("POST", "/element", {"using": "css selector", "value": selector})
        return str(found[_ELEMENT])

    def print(self) -> bytes:
        """A PDF of the page as it is printed."""
        options = {"preferCSSPageSize": True, "printBackground": True}
        return base64.b64decode(self._devtools("Page.printToPDF", options)["data"])

    def _devtools(self, command: str, params: dict[str, Any]) -> Any:
        return self._send("POST", "/goog/cdp/execute", {"cmd": command, "params": params})

    def _port(self) -> int:
        assert self._driver.stdout is not None
        for line in self._driver.stdout:
            found = re.search(r"started successfully on port (\d+)", line)
            if found:
                return int(found[1])
        raise RuntimeError("chromedriver did not start")

    def _send(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self._base + path,
            data=content,
            method=method,
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{path}: {error.read().decode()[:600]}") from None
