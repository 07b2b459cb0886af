"""The roles of the demo as processes of their own: started, watched, ended in reverse order."""

import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from hoflicht.errors import HoflichtError

END_S = 8.0  # to end in an orderly way; then SIGKILL
TAIL_LINES = 5  # of a log, shown where its process ended by itself


class Ended(HoflichtError):
    """A role ended although nobody asked it to."""


class Processes:
    """Our own children; each writes its log to `<logs>/<name>.log`."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> "Processes":
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self._running.values()):
            process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + END_S
        for process in reversed(self._running.values()):
            with process:
                try:
                    process.wait(max(0.0, deadline - time.monotonic()))
                except subprocess.TimeoutExpired:
                    process.kill()

    def start(self, name: str, *arguments: str) -> None:
        """Start `hoflicht ARGUMENTS…`."""
        with (self._logs / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                [sys.executable, "-m", "simulators.child", *arguments],
                stdin=subprocess.PIPE,  # closes when we are gone
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C reaches the demo alone, which then ends them in order
            )

    def check(self) -> None:
        """Raise Ended with the end of its log where a role is gone."""
        for name, process in self._running.items():
            code = process.poll()
            if code is not None:
                log = self._logs / f"{name}.log"
                tail = "\n".join(log.read_text(errors="replace").splitlines()[-TAIL_LINES:])
                raise Ended(f"{name} ended with exit code {code}; the end of {log}:\n{tail}")

    def wait_until_healthy(self, url: str, timeout_s: float) -> None:
        """Return once `url` answers 200; raise Ended where a role ends or time runs out."""
        self.wait_until(lambda: _answers(url), timeout_s, f"{url} does not answer")

    def wait_until(self, is_so: Callable[[], bool], timeout_s: float, otherwise: str) -> None:
        """Return once `is_so()`; raise Ended where a role ends, or time runs out: `otherwise` is then what is wrong."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            self.check()
            if is_so():
                return
            time.sleep(0.1)
        raise Ended(f"{otherwise} after {timeout_s:.0f} s; the logs are in {self._logs}")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
