"""The public face as one process: HTTP API, page, kiosk, and the publisher of the waits."""

import argparse
import contextlib
import logging
import queue
import socket
import threading
from collections.abc import Mapping
from pathlib import Path

from fastapi import FastAPI

from api import health, hindsight, pages, publisher, routes
from api.guard import Guard
from api.health import Pulse
from api.hindsight import FINDINGS, Findings, Hindsight
from api.openapi import describe_app
from api.problems import answer_errors
from api.server import listen, serving
from api.streams import Streams
from api.yards import Yards
from hoflicht import __version__, logs, stop
from hoflicht.broker import BrokerConfig, Session
from hoflicht.catalogue import API, City, load_city
from hoflicht.clock import Clock, SystemClock
from hoflicht.config import Strict, beside, load
from hoflicht.stop import Stopping
from hoflicht.wait import Wait
from store.readings import Store, StoreConfig, open_configured

log = logging.getLogger(__name__)

HELP = """\
Answers /v1 (open API), / (page for citizens) and /display/<yard> (full-screen monitor), and publishes the waits for the signs.

CONFIG is a TOML file:

  city = "city.toml"             the catalogue of yards and lamps
  listen = "127.0.0.1:8000"      put a proxy with TLS in front for the public
  publish = true                 waits to the signs, over the broker

  [store]                        where readings live, as in ingest's config
  url = "sqlite:///readings.db"  or influx+http://host:8086/bucket?org=name
  token_file = "token"           for InfluxDB; may read only

  [broker]                       leave it out to answer HTTP only
  host = "127.0.0.1"
"""


class ApiConfig(Strict, frozen=True):
    """The file that `hoflicht api` reads."""

    city: str
    store: StoreConfig
    listen: str = "127.0.0.1:8000"
    broker: BrokerConfig | None = None
    publish: bool = True


def create_app(city: City, store: Store, yards: Yards, streams: Streams, pulse: Pulse, clock: Clock) -> FastAPI:
    """The HTTP face of `city`. Who estimates calls `tell` for what goes to `streams`; nothing here starts a thread."""
    # The usual docs pages load their scripts from a third party; /openapi.json opens in any tool.
    app = FastAPI(title=f"hoflicht {city.name}", version=__version__, docs_url=None, redoc_url=None)
    app.include_router(routes.router(city, store, yards, streams, clock))
    app.include_router(health.router(pulse))
    app.include_router(pages.router(city, yards, streams, clock))
    app.mount("/static", pages.static(), "static")
    app.add_middleware(Guard)
    answer_errors(app)
    app.openapi = lambda: describe_app(app)  # type: ignore[method-assign]
    return app


def run(city: City, store: Store, session: Session | None, listener: socket.socket, clock: Clock, stopping: Stopping) -> None:
    """Answer on `listener` and publish over `session`, if there is one, until `stopping`."""
    findings: Findings = queue.Queue(FINDINGS)
    looking_back = Hindsight(store, city, clock, None if session is None else findings)
    streams, pulse, yards = Streams(), Pulse(store, clock), Yards(store, city, clock, looking_back.profile)

    def tell(waits: Mapping[str, Wait]) -> None:
        pulse.beat()
        routes.tell(streams, waits)
        pages.tell(streams, city, waits, clock.now_ms())

    app = create_app(city, store, yards, streams, pulse, clock)
    threads = [
        threading.Thread(
            target=publisher.run, args=(yards, session, tell, findings, clock, stopping), name="publisher", daemon=True
        ),
        threading.Thread(target=hindsight.run, args=(looking_back, stopping), name="hindsight", daemon=True),
    ]
    with serving(app, listener, streams):
        for thread in threads:
            thread.start()
        stopping.wait()
    for thread in threads:
        thread.join(publisher.INTERVAL_S)


def main(argv: list[str]) -> int:
    """`hoflicht api CONFIG`."""
    parser = argparse.ArgumentParser("hoflicht api", description=HELP, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", metavar="CONFIG", type=Path, help="a TOML file as above")
    parser.add_argument("-v", "--verbose", action="store_true", help="log every detail")
    asked = parser.parse_args(argv)
    config = load(asked.config, ApiConfig)
    city = load_city(beside(asked.config, config.city))
    logs.to_stderr(asked.verbose)
    with contextlib.ExitStack() as stack:
        store = stack.enter_context(contextlib.closing(open_configured(config.store, asked.config)))
        listener = stack.enter_context(listen(config.listen))
        session = None
        if config.broker is not None and config.publish:
            session = stack.enter_context(Session(config.broker.beside(asked.config), API))
        stopping = stop.on_signals()
        log.info("answering on http://%s/", config.listen)
        run(city, store, session, listener, SystemClock(), stopping)
    return 1 if stopping.failed else 0
