"""The real roles as processes, for tests that meet all of them."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import AnyStr, TypeVar

from hoflicht.broker import BrokerConfig
from tests.conftest import ROOT

T = TypeVar("T")
CITY = ROOT / "simulators" / "city.toml"
END_S = 60.0  # a loaded machine takes its time; who hangs is found out all the same


class Role:
    """`hoflicht ARGUMENTS…` as a process that can be killed and started again; its log is `<folder>/<name>.log`."""

    def __init__(self, folder: Path, *arguments: str | Path) -> None:
        self.log = folder / f"{Path(str(arguments[-1])).stem}-{arguments[0]}.log"
        self._command = [sys.executable, "-m", "hoflicht", *map(str, arguments)]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Role":
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        if kind is not None:
            print(f"--- {self.log.name}\n{self.log.read_text()}")
        self.kill()

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(END_S)

    def kill(self) -> None:
        """SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextmanager
def killed_after(process: "subprocess.Popen[AnyStr]") -> Iterator["subprocess.Popen[AnyStr]"]:
    """A process that is gone at the end, whatever happens: a test that has failed would wait for it for ever."""
    with process:
        try:
            yield process
        finally:
            process.kill()


def eventually(ask: Callable[[], T], timeout_s: float = 60.0) -> T:
    """Ask until the answer is true, and return it; the last answer where time runs out, so that the assertion shows it."""
    deadline = time.monotonic() + timeout_s
    while True:
        answer = ask()
        if answer or time.monotonic() > deadline:
            return answer
        time.sleep(0.1)


def broker_table(broker: BrokerConfig) -> str:
    return f'[broker]\nhost = "{broker.host}"\nport = {broker.port}\n'


def write_ingest(folder: Path, broker: BrokerConfig, store_url: str, token: str = "", http_port: int = 0) -> Path:
    """A config for ingest over the packaged city."""
    (folder / "token").write_text(token)
    path = folder / "ingest.toml"
    http = f'http = "127.0.0.1:{http_port}"\n' if http_port else ""
    path.write_text(
        f'city = "{CITY}"\nquarantine = "quarantine.db"\n{http}{broker_table(broker)}'
        f'[store]\nurl = "{store_url}"\ntoken_file = "{folder / "token"}"\n'
    )
    return path


def write_api(folder: Path, broker: BrokerConfig, store_url: str, port: int, city: Path = CITY) -> Path:
    """A config for the api, with the token that `write_ingest` placed."""
    path = folder / "api.toml"
    path.write_text(
        f'city = "{city}"\nlisten = "127.0.0.1:{port}"\n{broker_table(broker)}'
        f'[store]\nurl = "{store_url}"\ntoken_file = "{folder / "token"}"\n'
    )
    return path


def write_edge(folder: Path, broker: BrokerConfig, gateway: str, tables: str = "") -> Path:
    """A config for a gateway; `tables` are its ports and signs."""
    path = folder / f"{gateway}.toml"
    path.write_text(f'gateway = "{gateway}"\nclock = "system"\n{broker_table(broker)}[spool]\npath = "{gateway}.db"\n{tables}')
    return path


def cpu_s(pid: int) -> float:
    """The processor time of a process so far, all threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")  # utime and stime, proc(5)
