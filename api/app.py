"""The public face as one process: HTTP API, page, kiosk, and the publisher of the waits."""

import argparse
import contextlib
import gc
import logging
import queue
import socket
import threading
from collections.abc import Mapping
from pathlib import Path

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig

from api import health, hindsight, outlook, publisher, routes, silence
from api.citizen import pages, widget
from api.citizen.views import View, view
from api.citizen.words import Words
from api.config import ApiConfig
from api.errands import Errands
from api.guard import Guard
from api.health import Pulse
from api.hindsight import FINDINGS, Findings, Hindsight
from api.light import foreign, lamps, programs
from api.light.lights import NOTHING, Lights
from api.light.shadows import Shadows
from api.limits import Buckets, Callers, Limits
from api.open_data import publications
from api.openapi import describe_app
from api.outlook import Outlooks
from api.problems import answer_errors
from api.ready import Ready
from api.sensorthings import service as sensorthings
from api.server import listen, serving
from api.silence import Watch
from api.staff import bulletin, herald, holding, orders
from api.staff.alarms import Alarms
from api.staff.audit import Audit
from api.staff.control import Control
from api.staff.door import Door
from api.staff.herald import Herald
from api.staff.holding import Staff
from api.staff.keys import KeyFile
from api.staff.notices import Notices
from api.streams import Streams
from api.yards import Yards
from hoflicht import __version__, logs, stop, topics
from hoflicht.broker import Session
from hoflicht.catalogue import API, City
from hoflicht.clock import Clock, SystemClock
from hoflicht.config import beside, load
from hoflicht.errors import BadConfig
from hoflicht.hours import load_with_holidays
from hoflicht.stop import Stopping
from hoflicht.wait import Wait
from store.readings import Store, open_configured

log = logging.getLogger(__name__)

# Ours is /metrics. Left on, FastAPI asks at each request whether OpenTelemetry is there, which costs a tenth of a small answer.
NO_TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False}

HELP = """\
Answers /v1 (open API), / (page for citizens) and /display/<yard> (full-screen monitor), and publishes the waits for the signs.

CONFIG is a TOML file:

  city = "city.toml"             the catalogue of yards and lamps
  listen = "127.0.0.1:8000"      put a proxy with TLS in front for the public
  publish = true                 waits to the signs and light to the gateways, over the broker

  [store]                        where readings live, as in ingest's config
  url = "sqlite:///readings.db"  or influx+http://host:8086/bucket?org=name
  token_file = "token"           for InfluxDB; may read only

  [broker]                       leave it out to answer HTTP only
  host = "127.0.0.1"

  [limits]                       what one address may ask for
  proxies = ["127.0.0.0/8"]      whose X-Forwarded-For is believed

  [staff]                        leave it out and nobody may write; `hoflicht keys` makes keys
  keys = "staff-keys.json"
  audit = "staff-audit.jsonl"
  lights = "staff-lights.json"   what staff say of lamps, on top of the catalogue
  notices = "staff-notices.json" and what they tell everybody of the yards
"""


def create_app(
    city: City,
    store: Store,
    yards: Yards,
    outlooks: Outlooks,
    streams: Streams,
    pulse: Pulse,
    clock: Clock,
    limits: Limits,
    staffed: Staff | None = None,
) -> FastAPI:
    """The HTTP face of `city`. Who estimates calls `tell` for what goes to `streams`; nothing here starts a thread."""
    # The usual docs pages load their scripts from a third party; /openapi.json opens in any tool.
    app = FastAPI(title=f"hoflicht {city.name}", version=__version__, docs_url=None, redoc_url=None, telemetry=NO_TELEMETRY)
    notices = Notices(None, city.yards, clock) if staffed is None else staffed.notices
    app.include_router(routes.router(city, store, yards, outlooks, notices, streams, clock))
    app.include_router(bulletin.router(city, notices))
    app.include_router(publications.router(city, store, notices, clock))
    app.include_router(sensorthings.router(city, store, clock))
    if staffed is not None:
        _add_staff(app, city, store, staffed, clock)
    app.include_router(health.router(pulse))

    def look(words: Words) -> View:
        return view(city, yards.waits(), clock.now_ms(), words, notices.current(), outlooks.seen)

    app.include_router(pages.router(city, look, streams, clock))
    app.include_router(widget.router(city, look))
    app.mount("/static", pages.static(), "static")
    callers, buckets = Callers(limits.proxies), Buckets(limits.requests_per_s, limits.burst, clock)
    answer_errors(app)
    app.openapi = lambda: describe_app(app)  # type: ignore[method-assign]
    routed = app.build_middleware_stack
    # Around all of it: what add_middleware adds would not see the answer to a bug.
    app.build_middleware_stack = lambda: Guard(Ready(routed(), city, yards), callers, buckets)  # type: ignore[method-assign]
    return app


def _add_staff(app: FastAPI, city: City, store: Store, staffed: Staff, clock: Clock) -> None:
    alarms = Alarms(store, city, clock)
    control = Control(city, store, staffed, alarms, clock)
    app.include_router(holding.router(city, store, staffed, clock))
    app.include_router(bulletin.staff_router(city, staffed.notices, staffed.door))
    app.include_router(lamps.router(control))
    app.include_router(programs.router(control))
    app.include_router(orders.router(control, store, alarms))
    app.include_router(foreign.router(control))


def run(
    city: City,
    store: Store,
    session: Session | None,
    listener: socket.socket,
    limits: Limits,
    staffed: Staff | None,
    shadows: Shadows | None,
    clock: Clock,
    stopping: Stopping,
) -> None:
    """Answer on `listener` and publish over `session`, if there is one, until `stopping`."""
    findings: Findings = queue.Queue(FINDINGS)
    looking_back = Hindsight(store, city, clock, None if session is None else findings)
    streams, pulse = Streams(max_clients=limits.all_streams, max_of_one=limits.streams), Pulse(store, clock)
    yards = Yards(store, city, clock, looking_back.profile)
    outlooks = Outlooks(city, store, yards, clock)
    errands = Errands() if staffed is None else staffed.errands

    def tell(waits: Mapping[str, Wait]) -> None:
        pulse.beat()
        routes.tell(streams, waits)
        notices = {} if staffed is None else staffed.notices.current()
        pages.tell(streams, city, waits, clock.now_ms(), notices, outlooks.seen)

    app = create_app(city, store, yards, outlooks, streams, pulse, clock, limits, staffed)
    telling = (yards, session, tell, findings, errands, clock, stopping, shadows)
    threads = [
        threading.Thread(target=publisher.run, args=telling, name="publisher", daemon=True),
        threading.Thread(target=hindsight.run, args=(looking_back, stopping), name="hindsight", daemon=True),
        threading.Thread(target=outlook.run, args=(outlooks, stopping), name="outlook", daemon=True),
    ]
    if session is not None:
        watching = (Watch(city, store, errands, clock), stopping)
        threads.append(threading.Thread(target=silence.run, args=watching, name="silence", daemon=True))
    if staffed is not None:
        told = (Herald(staffed.notices, store, errands, clock), stopping)
        threads.append(threading.Thread(target=herald.run, args=told, name="herald", daemon=True))
    gc.freeze()  # what was imported, read and built stays: nobody need look through it for garbage while thousands listen
    with serving(app, listener, streams, limits):
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
    city = load_with_holidays(beside(asked.config, config.city))
    clock = SystemClock()
    publishes = config.broker is not None and config.publish
    lights = None if config.staff is None else Lights(beside(asked.config, config.staff.lights))
    shadows = Shadows(city, (lambda: NOTHING) if lights is None else lights.said, clock) if publishes else None
    staffed = _staff(config, asked.config, city, lights, shadows, clock)
    logs.to_stderr(asked.verbose)
    with contextlib.ExitStack() as stack:
        store = stack.enter_context(contextlib.closing(open_configured(config.store, asked.config)))
        listener = stack.enter_context(listen(config.listen))
        session = None
        if config.broker is not None and config.publish:
            heard = [topics.answers(API), *([topics.ALL_LIGHT] if city.lamps else [])]
            session = stack.enter_context(Session(config.broker.beside(asked.config), API, heard))
        stopping = stop.on_signals()
        log.info("answering on http://%s/", config.listen)
        run(city, store, session, listener, config.limits, staffed, shadows, clock, stopping)
    return 1 if stopping.failed else 0


def _staff(config: ApiConfig, path: Path, city: City, lights: Lights | None, shadows: Shadows | None, clock: Clock) -> Staff | None:
    if config.staff is None or lights is None:
        return None
    if shadows is None:
        raise BadConfig(f"{path}: [staff] needs [broker] and publish = true, for what staff say goes the way of all readings")
    keys = KeyFile(beside(path, config.staff.keys))
    keys.read()  # a file that cannot be used ends us here
    notices = Notices(beside(path, config.staff.notices), city.yards, clock)
    return Staff(Door(keys, Audit(beside(path, config.staff.audit)), clock), Errands(), lights, shadows, notices)
