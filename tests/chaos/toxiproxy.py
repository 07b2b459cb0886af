"""The network between the parts: a real toxiproxy, told over its HTTP API to cut, delay, throttle, reset or swallow."""

import http
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import msgspec

from tests.conftest import free_port, installed, wait_until_listening

# It answers within milliseconds; where it does not, it waits for itself for ever.
ANSWER_S = 5.0
# Each way, always: as far as mobile networks are, so that at any moment something is on its way and can be lost.
DISTANCE = {"latency": 60, "jitter": 30}
STREAMS = ("upstream", "downstream")


class Toxiproxy:
    """The process; `link` adds a way through it. Where it crashes or hangs, all links are down until it is asked for something."""

    def __init__(self, folder: Path) -> None:
        how = ".ci/toxiproxy ~/.cache/hoflicht/bin builds it"
        program = installed("toxiproxy-server", how, Path.home() / ".cache/hoflicht/bin")
        self._port = free_port()
        self._command = [program, "-host", "127.0.0.1", "-port", str(self._port)]
        self._log = folder / "toxiproxy.log"
        self._links: list[Link] = []
        self.crashes = 0

    def __enter__(self) -> "Toxiproxy":
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def link(self, name: str, to_port: int) -> "Link":
        """A port on loopback that leads to `to_port`."""
        link = Link(self, name, to_port)
        link.lay()
        self._links.append(link)
        return link

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Its HTTP API; None where it crashes or hangs over the question. All links are then as they are at first."""
        self.keep_up()
        try:
            return self._ask(method, path, body)
        except urllib.error.HTTPError as error:
            if error.code != http.HTTPStatus.CONFLICT:  # there already: it was laid anew by `keep_up`
                raise
        except OSError:
            self._process.kill()
            self._process.wait()
            self.keep_up()
        return None

    def keep_up(self) -> None:
        """Start it again, with all its links, if it has crashed, as 2.5.0 did once, or was killed since it hung, as 2.12.0 did."""
        if self._process.poll() is not None:
            self.crashes += 1
            self._start()
            for link in self._links:
                link.lay()

    def _start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=log)
        wait_until_listening(self._port)

    def _ask(self, method: str, path: str, body: dict[str, Any] | None) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._port}/proxies{path}",
            data=None if body is None else msgspec.json.encode(body),
            method=method,
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=ANSWER_S) as answer:
            said = answer.read()
        return msgspec.json.decode(said) if said else None


class Link:
    """One way; whoever shall suffer connects to `port`."""

    def __init__(self, network: Toxiproxy, name: str, to_port: int) -> None:
        self.name = name
        self.port = free_port()
        self._network = network
        self._to_port = to_port

    def lay(self) -> None:
        """Make it, as far as it always is."""
        listen, upstream = (f"127.0.0.1:{port}" for port in (self.port, self._to_port))
        self._network.ask("POST", "", {"name": self.name, "listen": listen, "upstream": upstream, "enabled": True})
        self.spoil("latency", DISTANCE)

    def cut(self) -> None:
        """End all connections and refuse new ones."""
        self._network.ask("POST", f"/{self.name}", {"enabled": False})

    def spoil(self, toxic: str, attributes: dict[str, int], streams: tuple[str, ...] = STREAMS) -> None:
        """Apply a toxic (toxiproxy, README, "Toxics"); upstream is from the client to the server."""
        for stream in streams:
            body = {"name": f"{toxic}_{stream}", "type": toxic, "stream": stream, "attributes": attributes}
            self._network.ask("POST", f"/{self.name}/toxics", body)

    def stretch(self, distance: dict[str, int]) -> None:
        """Be farther, or as far as always again."""
        for stream in STREAMS:
            toxic = f"/{self.name}/toxics/latency_{stream}"
            self._network.ask("POST", toxic, {"attributes": distance})

    def heal(self) -> None:
        """Lead on as if nothing had been. All connections end: of some the bytes were swallowed, and TCP would end them too.

        It is laid anew, since toxiproxy 2.12.0 can wait for ever when a toxic is taken from a connection whose end does not read.
        """
        self._network.ask("DELETE", f"/{self.name}")
        self.lay()
