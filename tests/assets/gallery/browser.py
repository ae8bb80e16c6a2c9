"""Headless Chromium, steered over its own DevTools protocol through a pipe: no driver, no library, no port.

The protocol: https://chromedevtools.github.io/devtools-protocol/ (2026-11). ``--remote-debugging-pipe`` reads commands
from file descriptor 3 and writes answers and events to 4, each a JSON object that ends with a NUL byte.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from io import BytesIO
from math import floor
from pathlib import Path
from typing import Any

from PIL import Image

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
PATIENCE_S = 30.0


def missing() -> str | None:
    """Why there is no browser to test with; None where there is one."""
    if os.name == "nt" or not shutil.which("bash"):
        return "Chromium is steered through inherited file descriptors here, which needs bash"
    if not any(map(shutil.which, PROGRAMS)):
        return "no Chromium is installed (Debian: apt-get install chromium)"
    return None


class Browser:
    """One Chromium with one page. Everything that it asks of the network or complains about is written down."""

    def __init__(self) -> None:
        self._home = tempfile.mkdtemp(prefix="chromium-")
        there, self._write = map(_high, os.pipe())
        self._read, back = map(_high, os.pipe())
        program = next(found for name in PROGRAMS if (found := shutil.which(name)))
        options = ["--headless", "--remote-debugging-pipe", f"--user-data-dir={self._home}", "--no-first-run",
                   "--no-sandbox", "--disable-gpu",
                   "--disable-dev-shm-usage", "--hide-scrollbars", "--force-color-profile=srgb",
                   "--disable-background-networking", "--disable-component-update", "--no-proxy-server"]  # fmt: skip
        start = f'exec "$0" "$@" 3<&{there} 4>&{back}'
        self._process = subprocess.Popen(
            ["bash", "-c", start, program, *options],
            pass_fds=(there, back), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": self._home},
        )  # fmt: skip
        os.close(there)
        os.close(back)
        self._rest, self._number, self._session = b"", 0, ""
        self.requests: list[str] = []  # addresses, without data: and the page's own file
        self.complaints: list[str] = []  # console errors, exceptions, violations of the page's policy
        self._target = ""
        self.tab()

    def tab(self) -> None:
        """A new tab in place of the old one: nothing is kept."""
        old, self._session = self._target, ""
        self._target = self.call("Target.createTarget", url="about:blank")["targetId"]
        if old:
            self.call("Target.closeTarget", targetId=old)
        self._session = self.call("Target.attachToTarget", targetId=self._target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        self.size(1200, 900)

    def close(self) -> None:
        os.close(self._write)
        os.close(self._read)
        self._process.terminate()
        self._process.wait(PATIENCE_S)
        shutil.rmtree(self._home, ignore_errors=True)

    # --- the protocol ---

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """A command and its answer. Raises RuntimeError with what the browser says, TimeoutError."""
        self._number += 1
        number = self._number
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                result: dict[str, Any] = answer["result"]
                return result
            self._note(answer)

    def _next(self) -> dict[str, Any]:
        until = time.monotonic() + PATIENCE_S
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._read], [], [], max(0.0, until - time.monotonic()))
            if not ready:
                raise TimeoutError("Chromium does not answer.")
            part = os.read(self._read, 1 << 20)
            if not part:
                raise RuntimeError("Chromium has ended.")
            self._rest += part
        message, _, self._rest = self._rest.partition(b"\0")
        told: dict[str, Any] = json.loads(message)
        return told

    def _note(self, event: Mapping[str, Any]) -> None:
        told, method = event.get("params", {}), event.get("method")
        if method == "Network.requestWillBeSent":
            url = told["request"]["url"]
            if not url.startswith(("data:", "about:")):
                self.requests.append(url)
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(str(told["exceptionDetails"].get("exception", told)))
        elif method == "Log.entryAdded" and told["entry"]["level"] in ("error", "warning"):
            self.complaints.append(told["entry"]["text"])
        elif method == "Runtime.consoleAPICalled" and told["type"] in ("error", "warning", "assert"):
            self.complaints.append(str(told["args"]))

    # --- what a person does ---

    def open(self, address: str | Path) -> None:
        """Load a page and wait until it is there."""
        url = address.as_uri() if isinstance(address, Path) else address
        self.requests.clear()
        self.complaints.clear()
        self.run("window.before = true")
        self.call("Page.navigate", url=url)
        self.wait("!window.before && document.readyState === 'complete'")
        self.wait("[...document.images].every((image) => image.complete)")

    def run(self, script: str) -> Any:
        """The value of an expression, in the page."""
        answer = self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True, userGesture=True
        )
        if "exceptionDetails" in answer:
            raise RuntimeError(str(answer["exceptionDetails"].get("exception", answer["exceptionDetails"])))
        return answer["result"].get("value")

    def wait(self, script: str) -> Any:
        """Wait until an expression is true, and give its value."""
        until = time.monotonic() + PATIENCE_S
        while not (value := self.run(script)):
            if time.monotonic() > until:
                raise TimeoutError(f"This did not become true: {script}. {self.complaints}")
            time.sleep(0.02)
        return value

    def click(self, selector: str) -> None:
        """A real click into the middle of an element."""
        x, y, width, height = self.box(selector)
        for kind in ("mousePressed", "mouseReleased"):
            self.call(
                "Input.dispatchMouseEvent", type=kind, x=x + width / 2, y=y + height / 2, button="left", clickCount=1
            )

    def press(self, key: str, text: str = "") -> None:
        """A key by its name ("ArrowRight", "Escape", "g")."""
        text = text or (key if len(key) == 1 else "\r" if key == "Enter" else "")
        codes = {"Tab": 9, "Enter": 13, "Escape": 27, " ": 32, "ArrowLeft": 37, "ArrowRight": 39}
        more = {"windowsVirtualKeyCode": codes[key]} if key in codes else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, text=text, **more)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, **more)

    def type(self, selector: str, text: str) -> None:
        self.run(f"document.querySelector({json.dumps(selector)}).focus()")
        self.call("Input.insertText", text=text)

    def box(self, selector: str) -> tuple[float, float, float, float]:
        """``(x, y, width, height)`` of an element on the screen, scrolled to if need be."""
        found = self.run(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)}); if (!e) return null;"
            "const off = (b) => b.top < 0 || b.bottom > innerHeight || b.left < 0 || b.right > innerWidth;"
            "if (off(e.getBoundingClientRect())) e.scrollIntoView({block: 'center', behavior: 'instant'});"
            "const b = e.getBoundingClientRect(); return [b.x, b.y, b.width, b.height]; })()"
        )
        if found is None:
            raise LookupError(f"Nothing on the page is {selector}.")
        x, y, width, height = found
        return x, y, width, height

    def picture(self, selector: str | None = None) -> Image.Image:
        """A screenshot in the screen's own pixels, of one element alone if it is named."""
        box = self.box(selector) if selector else None
        data = self.call("Page.captureScreenshot")["data"]
        whole = Image.open(BytesIO(base64.b64decode(data))).convert("RGB")
        if box is None:
            return whole
        density = self.run("devicePixelRatio")
        x, y, width, height = (side * density for side in box)
        left, top = floor(x + 0.5), floor(y + 0.5)  # as the browser puts what lies between two pixels
        return whole.crop((left, top, left + round(width), top + round(height)))

    def size(self, width: int, height: int, density: float = 1, *, phone: bool = False) -> None:
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=density, mobile=phone
        )

    def prefer(self, **features: str) -> None:
        """What the person prefers: ``prefers_color_scheme="dark"``."""
        told = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        self.call("Emulation.setEmulatedMedia", features=told)


def _high(descriptor: int) -> int:
    """The same pipe under a number that bash's own redirections to 3 and 4 do not overwrite."""
    copy = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(descriptor)
    return copy
