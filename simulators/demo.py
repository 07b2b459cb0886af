"""`hoflicht demo`: the whole city on this machine, from the sensors' bytes to the page, on loopback only."""

import argparse
import logging
import socket
import sys
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

from iotcore import Broker
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from hoflicht import hours, stop, topics
from hoflicht.broker import BrokerConfig, Session
from hoflicht.catalogue import City
from hoflicht.errors import BadConfig, HoflichtError
from hoflicht.instants import ms
from simulators import history, past
from simulators.folder import Folder, Ports, open_round_the_clock, place_city
from simulators.processes import Processes

HANDOVER_S = 8.0  # between writing the last of the past and the sensors' first word: the gateways start meanwhile
HEALTHY_S = 60.0  # a small machine takes a while to start eight processes
LEAST_LEFT_S = 3600.0  # of the opening hours; with less a newcomer would see closed yards only


def main(argv: list[str]) -> int:
    """Run until Ctrl-C; exit code 2 where a port is taken or the folder is not the demo's."""
    arguments = _parser().parse_args(argv)
    logging.basicConfig(level=logging.ERROR)  # the roles write their logs; what the terminal shows is for a newcomer
    out = Console(highlight=False)
    stopping = stop.on_signals()
    try:
        folder = Folder.take(arguments.data, arguments.seed)
        _require_free(arguments.port)
        run(folder, arguments.port, arguments.weeks, out, stopping)
    except BadConfig:
        raise
    except HoflichtError as cause:
        print(f"hoflicht demo: {cause}", file=sys.stderr)
        return 1
    return 0


def run(folder: Folder, port: int, weeks: float, out: Console, stopping: stop.Stopping) -> None:
    """Start the city in `folder`, print its address, and end it when `stopping` is set."""
    now = datetime.now(UTC)
    city = _city(folder, now, out)
    ports = Ports.free(api=port)
    folder.write(city, ports)
    with Broker(config_path=str(folder.broker_config)), Processes(folder.logs) as processes:
        processes.start("ingest", "ingest", str(folder.config("ingest")))
        processes.wait_until_healthy(f"http://127.0.0.1:{ports.ingest}/healthz", HEALTHY_S)
        start_ms = folder.known_until_ms or ms(now) - int(weeks * 7 * 86_400_000)
        with (
            Session(BrokerConfig(port=ports.broker), "history", [topics.answers("+")], receive_maximum=100) as session,
            past.Past(city, folder.seed, start_ms) as story,
        ):
            history.wait_for_connection(session)
            _write_history(session, story, past.days(city, start_ms, ms(now)), folder, out, stopping)
            if stopping.is_set():
                return
            handover_ms = ms(datetime.now(UTC)) + int(HANDOVER_S * 1000)
            _start_roles(processes, city, folder, handover_ms)
            history.send(session, story.sent(handover_ms), lambda _count: None)
        processes.wait_until_healthy(f"http://127.0.0.1:{ports.api}/healthz", HEALTHY_S)
        _greet(out, city, folder, port)
        _watch(processes, folder, stopping)
        out.print("\nEnding the city …")


def _write_history(
    session: Session, story: past.Past, days: list[tuple[int, int]], folder: Folder, out: Console, stopping: stop.Stopping
) -> None:
    """Write the past, day by day."""
    columns = (TextColumn("Writing the history: {task.fields[day]}"), BarColumn(), TextColumn("{task.completed:,.0f} readings"))
    with Progress(*columns, TimeRemainingColumn(), console=out) as progress:
        task = progress.add_task("", total=None, day="…")
        for number, (day_start_ms, day_end_ms) in enumerate(days):
            if stopping.is_set():
                return
            day = datetime.fromtimestamp(day_start_ms / 1000, UTC).strftime("%d %b")
            progress.update(task, day=day)
            history.send(session, story.sent(day_end_ms), lambda n: progress.advance(task, n))
            folder.knows_until(day_end_ms)
            done: float = progress.tasks[0].completed
            progress.update(task, total=done * len(days) / (number + 1))


def _start_roles(processes: Processes, city: City, folder: Folder, handover_ms: int) -> None:
    simulate = ("simulate", str(folder.city), "--ports", str(folder.ports), "--seed", str(folder.seed))
    processes.start("simulate", *simulate, "--start-at", str(handover_ms), "--signs", str(folder.signs))
    processes.wait_until(lambda: all(link.exists() for link in folder.links(city)), HEALTHY_S, "the simulated ports are not there")
    for gateway in city.gateways:
        processes.start(gateway, "edge", str(folder.config(gateway)))
    processes.start("api", "api", str(folder.config("api")))


def _watch(processes: Processes, folder: Folder, stopping: stop.Stopping) -> None:
    while not stopping.wait(1.0):
        processes.check()
        folder.knows_until(ms(datetime.now(UTC)))


def _city(folder: Folder, now: datetime, out: Console) -> City:
    """Duisburg; while its yards are closed, with yards that are open round the clock, so that there is something to see."""
    duisburg = (files("simulators") / "city.toml").read_text(encoding="utf-8")
    city = place_city(folder, duisburg)
    periods = [hours.period_at(now, yard.hours, city) for yard in city.yards.values()]
    if any(period is not None and (period.last_entry - now).total_seconds() > LEAST_LEFT_S for period in periods):
        return city
    out.print("It is after hours in Duisburg: the demo's yards are open round the clock.")
    return place_city(folder, open_round_the_clock(duisburg))


def _greet(out: Console, city: City, folder: Folder, port: int) -> None:
    first = next(iter(city.yards))
    out.print(f"\n[bold]{city.name} is running.[/bold]  Ctrl-C ends it.\n")
    out.print(f"  the page       http://127.0.0.1:{port}/")
    out.print(f"  a kiosk        http://127.0.0.1:{port}/display/{first}")
    out.print(f"  the open API   http://127.0.0.1:{port}/v1/yards")
    out.print(f"  the LED signs  {folder.signs}/*.txt")
    out.print(f"  the logs       {folder.logs}")


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as cause:
            raise BadConfig(f"port {port} is taken ({cause.strerror}); choose another with --port") from cause


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hoflicht demo",
        description="The whole city on this machine: simulated sensors on pseudo-terminals, real gateways, an MQTT 5 broker,"
        " ingest, a SQLite store, the api and its page. On loopback only; Ctrl-C ends it.",
    )
    parser.add_argument("--port", type=int, default=8000, help="of the page and the API (default: 8000)")
    parser.add_argument("--data", type=Path, default=Path("demo-data"), help="folder of the demo (default: demo-data)")
    parser.add_argument("--seed", type=int, default=1, help="another number is another city life (default: 1)")
    parser.add_argument("--weeks", type=float, default=2.0, help="how much history to write at the first start (default: 2)")
    return parser
