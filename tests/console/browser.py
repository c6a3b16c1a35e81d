"""A real Chromium without a window, spoken to through a pipe in the words of its DevTools protocol."""

import base64
import fcntl
import json
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.servers import NotInstalledError

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
_OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-quic",
    "--disable-extensions", "--hide-scrollbars", "--lang=en-US", "--remote-debugging-pipe", "about:blank",
)  # fmt: skip
_MISSING = "\U0010fffe"  # no font has a glyph for it: what is drawn is that of all missing ones

_LETTERS = """
(text) => {
  const drawn = (sign) => {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 48;
    const pen = canvas.getContext("2d");
    pen.font = "32px " + getComputedStyle(document.body).fontFamily;
    pen.fillText(sign, 4, 38);
    return canvas.toDataURL();
  };
  return [...text].map(drawn);
}
"""


class Chromium:
    """One page of it. `problems` is what the console of a developer would have said, `requests` what was asked for."""

    def __init__(self, pid: int, to: int, of: int) -> None:
        self.pid, self.problems, self.requests = pid, [], []
        self._to, self._of = os.fdopen(to, "wb"), os.fdopen(of, "rb")
        self._number, self._rest, self._session = 0, b"", ""
        self._happened: list[dict[str, Any]] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    problems: list[str]
    requests: list[str]

    def open(self, url: str, *, width: int = 1280, height: int = 900, dark: bool = False) -> None:
        """Until everything is loaded."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        features = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.call("Emulation.setEmulatedMedia", features=features)
        self.problems, self.requests, self._happened = [], [], []
        assert "errorText" not in self.call("Page.navigate", url=url)
        while not any(one["method"] == "Page.loadEventFired" for one in self._happened):
            self._hear()

    def ask(self, script: str) -> Any:
        """What a script comes to in the page."""
        found = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def letters(self, text: str) -> tuple[list[str], str]:
        """How each sign looks in the page's own font, and how one that no font has."""
        *drawn, missing = self.ask(f"({_LETTERS})({json.dumps(text + _MISSING)})")
        return drawn, missing

    def picture(self, file: Path) -> None:
        """What is seen without scrolling."""
        file.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def call(self, method: str, **params: Any) -> Mapping[str, Any]:
        self._number += 1
        session = {"sessionId": self._session} if self._session else {}
        message = {"id": self._number, "method": method, "params": params} | session
        self._to.write(json.dumps(message).encode() + b"\0")
        self._to.flush()
        while True:
            heard = self._hear()
            if heard.get("id") == self._number:
                assert "error" not in heard, (method, heard)
                result: Mapping[str, Any] = heard["result"]
                return result

    def close(self) -> None:
        self._to.close()
        self._of.close()

    def _hear(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            more = os.read(self._of.fileno(), 1 << 20)
            assert more, "Chromium has ended"
            self._rest += more
        line, _, self._rest = self._rest.partition(b"\0")
        heard: dict[str, Any] = json.loads(line)
        if "method" in heard:
            self._note(heard)
        return heard

    def _note(self, heard: dict[str, Any]) -> None:
        self._happened.append(heard)
        method, params = heard["method"], heard["params"]
        if method == "Log.entryAdded":
            self.problems.append(params["entry"]["text"])
        elif method == "Runtime.exceptionThrown":
            self.problems.append(str(params["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
            self.problems.append(str(params["args"]))
        elif method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])


@contextmanager
def chromium() -> Iterator[Chromium]:
    """Raises NotInstalledError."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        raise NotInstalledError("Chromium")
    folder = tempfile.mkdtemp(prefix="caidan-chromium-")
    its_in, to = os.pipe()
    of, its_out = os.pipe()
    null = os.open(os.devnull, os.O_WRONLY)
    # It reads from 3 and writes to 4; from far above, so that neither is overwritten before it has been copied.
    high = [fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, 10) for number in (its_in, its_out)]
    actions = [
        (os.POSIX_SPAWN_DUP2, null, 1),
        (os.POSIX_SPAWN_DUP2, null, 2),
        *((os.POSIX_SPAWN_DUP2, found, wanted) for found, wanted in zip(high, (3, 4), strict=True)),
    ]
    pid = os.posix_spawn(
        program, [program, *_OPTIONS, f"--user-data-dir={folder}"], os.environ | {"HOME": folder},
        file_actions=actions, setsid=True,
    )  # fmt: skip
    for number in (its_in, its_out, null, *high):
        os.close(number)
    try:
        page = Chromium(pid, to, of)
        yield page
        page.close()
    finally:
        os.killpg(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        shutil.rmtree(folder, ignore_errors=True)
