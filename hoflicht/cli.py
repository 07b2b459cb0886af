"""`hoflicht <command> …`: finds the role and starts it; imports a role only when asked for it."""

import importlib
import sys
from typing import NamedTuple

from hoflicht import __version__
from hoflicht.errors import BadConfig


class Command(NamedTuple):
    """Where a command lives: `module` has `function(argv) -> exit code`; `extra` brings what it imports."""

    module: str
    function: str
    extra: str
    meaning: str


COMMANDS = {
    "demo": Command("simulators.demo", "main", "demo", "the whole city on this machine"),
    "edge": Command("edge.agent", "main", "edge", "run a gateway: serial ports to the broker"),
    "configure": Command("edge.configure", "main", "edge", "push a config to a gateway, which tries it before it keeps it"),
    "enroll": Command("edge.enroll", "main", "edge", "get a gateway its key and certificate"),
    "firmware": Command("edge.firmware", "main", "firmware", "give a node at a serial port another program, by MCUmgr"),
    "sign": Command("edge.preview", "main", "edge", "a picture of what a yard's sign shows in each state"),
    "ingest": Command("ingest.service", "main", "ingest", "run the way from the broker to the store"),
    "quarantine": Command("ingest.quarantine", "main", "ingest", "look at refused readings, bring them in after the repair"),
    "authority": Command("ingest.registrar", "main", "ingest", "the city's own certificates: make the CA, invite gateways"),
    "revoke": Command("ingest.registrar", "revoke", "ingest", "make a gateway's certificates void"),
    "broker-config": Command("ingest.mosquitto", "main", "ingest", "write a broker's configuration, access lists, certificate"),
    "api": Command("api.app", "main", "api", "run the public waiting times: API, page, kiosk"),
    "keys": Command("api.staff.locksmith", "main", "api", "make, list, rotate and revoke the keys of staff; read their audit"),
    "report": Command("api.light.report", "main", "api", "what the lamps of a month used and saved, and what does not add up"),
    "replay": Command("api.estimate.replay", "main", "api", "estimate waiting times of recorded events, as if they came in now"),
    "score": Command("api.estimate.score", "main", "api", "compare estimates with the waits that cars really had"),
    "dashboards": Command("dashboards.command", "main", "dashboards", "Grafana boards and alarms: build files or push them"),
    "init": Command("workshop.init", "main", "edge,api", "set up a city: its catalogue and the configs of gateways and server"),
    "import-lamps": Command("workshop.import_lamps", "main", "edge", "bring an office's table of lamps into the catalogue"),
    "check": Command("workshop.check", "main", "edge", "what is wrong in a catalogue or a config, by file, line and key"),
    "doctor": Command("workshop.doctor", "main", "edge", "what is wrong here, why one may think so, and the next step"),
    "backup": Command("workshop.backup", "main", "ingest", "copy all that a server cannot make anew into one file"),
    "restore": Command("workshop.restore", "main", "ingest", "put back what backup has copied, on an empty machine"),
    "simulate": Command("simulators.city", "main", "demo", "run the city's sensors and signs on pseudo-terminals; many gateways"),
    "decode": Command("firmware_bridge.decode", "main", "edge", "what do these bytes of a sensor say?"),
    "sniff": Command("firmware_bridge.decode", "sniff", "edge", "what does the sensor on this port say, live?"),
}
DONE, FAILED, EDIT_YOUR_CONFIG = 0, 1, 2


def main(argv: list[str] | None = None) -> int:
    """Run one command; return its exit code: 0 done, 1 failed, 2 edit your config or command."""
    name, *rest = (sys.argv[1:] if argv is None else argv) or ["--help"]
    if name in ("-h", "--help"):
        print(_help())
        return DONE
    if name == "--version":
        print(f"hoflicht {__version__}")
        return DONE
    if name not in COMMANDS:
        print(f"hoflicht: there is no command {name!r}; there are: {', '.join(COMMANDS)}", file=sys.stderr)
        return EDIT_YOUR_CONFIG
    command = COMMANDS[name]
    try:
        run = getattr(importlib.import_module(command.module), command.function)
    except ModuleNotFoundError as cause:
        print(
            f"hoflicht {name}: the package {cause.name} is missing; install it with: pip install 'hoflicht[{command.extra}]'",
            file=sys.stderr,
        )
        return EDIT_YOUR_CONFIG
    try:
        code: int = run(rest)
    except BadConfig as cause:
        print(f"hoflicht {name}: {cause}", file=sys.stderr)
        return EDIT_YOUR_CONFIG
    return code


def _help() -> str:
    lines = [f"  {name:<13} {command.meaning}" for name, command in COMMANDS.items()]
    return "\n".join(
        [
            "hoflicht: smart street lamps and recycling yards, from the serial byte to the LED digit.",
            "",
            "usage: hoflicht COMMAND …      (hoflicht COMMAND --help tells more)",
            "",
            *lines,
            "",
            "exit codes: 0 done, 1 failed, 2 edit your config or command",
        ]
    )
