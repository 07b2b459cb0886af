"""The questions of `hoflicht init` at a terminal: each with an example and a default, each answer checked at once."""

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from edge.sign import PROTOCOLS
from firmware_bridge.devices import DEVICES
from hoflicht.catalogue import Role
from hoflicht.errors import BadConfig
from hoflicht.hours import is_region
from hoflicht.reading import ID_FORM, is_id
from workshop.answers import CONTROL, HOST, special, weekly
from workshop.geography import Box

Read = Callable[[str], str]  # shows a prompt, gives what was typed
Say = Callable[[str], None]
Answer = Callable[..., Any]  # of a question, its check and its default
Check = Callable[[str], Any]  # of a text the answer, or ValueError that says what is allowed

MAX_TRIES = 20  # of one question; who pipes a wrong file into it must not fill the terminal for ever


def ask(read: Read, say: Say, has_table: bool) -> dict[str, Any]:
    """Ask for a city; the answers as a file of answers has them. Raise BadConfig where nobody answers."""
    terminal = _Terminal(read, say)
    answer = terminal.answer
    say("A city of your own. Enter takes what stands in [brackets]; Ctrl-C ends it, and nothing is written before the end.")
    raw: dict[str, Any] = {
        "name": answer("The city, as citizens read it (Oberhausen)", _text),
        "server": answer("By which name or address will gateways call the server? (hoflicht.oberhausen.example)", _host),
        "timezone": answer("Time zone", _zone, "Europe/Berlin"),
        "holidays": answer("Whose public holidays are kept? ISO 3166-2; - for none", _region, "DE-NW"),
        "bounds": answer("The city's bounds in degrees: south west north east (51.44 6.71 51.58 6.92)", _bounds),
        "store": answer("The server: influx (deploy/compose.yaml) or sqlite (one machine without containers)", _store, "influx"),
    }
    yards: list[dict[str, Any]] = []
    say("\nThe yards.")
    while terminal.yes("Another yard?" if yards else "A yard?", usual=not yards):
        yards.append(_yard(terminal))
    if has_table:
        raw |= _light(answer)
    return raw | ({"yards": yards} if yards else {})


def _light(answer: Answer) -> dict[str, Any]:
    lamps = {"gateway": answer("Which gateway leads the lamps?", _id, "gw-street")}
    percent = answer("How bright are they between 23:00 and 05:00, in percent?", _whole(0, 100), "100")
    if percent == 100:
        return {"lamps": lamps}  # full light while it is dark needs no program
    levels = (("dusk", 100), ("23:00", percent), ("05:00", 100))
    night = {"periods": [{"steps": [{"at": at, "percent": level} for at, level in levels]}]}
    return {"lamps": lamps | {"program": "night"}, "programs": {"night": night}}


def _yard(terminal: "_Terminal") -> dict[str, Any]:
    answer = terminal.answer
    lat, lon = answer("Where is it? Latitude and longitude (51.4936 6.7486)", _spot)
    yard: dict[str, Any] = {
        "lat": lat,
        "lon": lon,
        "name": answer("Its name, as citizens read it (Wertstoffhof Nord)", _text),
        "address": answer("Its address (Im Holtkamp 84, 47167 Duisburg)", _text),
        "hours": answer("Open when? (mon-fri 08:00-18:00, sat 08:00-14:00)", _hours),
        "special": answer("Other days? (2026-12-24 closed, 2026-12-31 08:00-12:00)", _special, ""),
        "last_entry_before_min": answer("How many minutes before closing is the last car let in?", _whole(0, 240), "15"),
        "bays": answer("How many unloading bays?", _whole(1, 100), "4"),
        "usual_entries_per_hour": answer("About how many cars an hour?", _whole(1, 1_000), "25"),
    }
    gateway = answer("The name of its gateway (gw-nord); empty: after the yard", _id_or_none, "")
    sensors: list[dict[str, Any]] = []
    while terminal.yes("Another sensor?" if sensors else "Is there a sensor?", usual=not sensors):
        sensors.append(_sensor(terminal))
    yard |= ({"gateway": gateway} if gateway else {}) | ({"sensors": sensors} if sensors else {})
    if terminal.yes("Is there an LED sign?", usual=False):
        yard["sign"] = {
            "path": answer("At which serial port? (/dev/serial/by-id/…)", _text),
            "protocol": answer("Which protocol?", _among(*PROTOCOLS), "ibis-ds009"),
            "width": int(answer("How many characters?", _among("16", "20", "24"), "16")),
        }
    return yard


def _sensor(terminal: "_Terminal") -> dict[str, Any]:
    answer = terminal.answer
    sensor: dict[str, Any] = {
        "name": answer("Its name (lane-in, gate-in, lane-3, air)", _id),
        "role": answer("What does it tell?", _among(*(str(role) for role in Role)), "other"),
        "driver": answer("Which device is it?", _among(*DEVICES)),
        "path": answer("At which serial port? (/dev/serial/by-id/…)", _text),
    }
    if sensor["role"] == Role.LANE:
        sensor["position_m"] = answer("How many metres before the entry control?", _metres)
    gateway = answer("Of another gateway, on a lamp post? Its name; empty: the yard's", _id_or_none, "")
    return sensor | ({"gateway": gateway} if gateway else {})


class _Terminal:
    def __init__(self, read: Read, say: Say) -> None:
        self._read, self._say = read, say

    def answer(self, question: str, check: Check, usual: str | None = None) -> Any:
        for _ in range(MAX_TRIES):
            try:
                told = self._read(f"{question}{'' if usual is None else f' [{usual}]'}: ").strip()
            except EOFError:
                raise BadConfig("the questions have come to no end; answer them at a terminal, or give --answers FILE") from None
            try:
                return check(told or usual or "")
            except ValueError as cause:
                self._say(f"  {cause}")
        raise BadConfig(f"no answer to: {question}")

    def yes(self, question: str, usual: bool) -> bool:
        return bool(self.answer(f"{question} yes or no", _yes_or_no, "yes" if usual else "no"))


def _text(told: str) -> str:
    if not told or len(told) > 200 or CONTROL.search(told):
        raise ValueError("a line of up to 200 characters")
    return told


def _host(told: str) -> str:
    if not HOST.fullmatch(told):
        raise ValueError("a name or an address of a machine, without https:// and port")
    return told


def _zone(told: str) -> str:
    try:
        ZoneInfo(told)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("a name of the IANA database, as in Europe/Berlin") from None
    return told


def _region(told: str) -> str:
    if told != "-" and not is_region(told):
        raise ValueError("a country and its part, as in DE-NW, DE-BY, AT-9")
    return told.removeprefix("-")


def _store(told: str) -> str:
    return str(_among("influx", "sqlite")(told))


def _spot(told: str) -> tuple[float, float]:
    lat, lon = _numbers(told, 2)
    if not (-90 <= lat <= 90 and -180 <= lon <= 180):
        raise ValueError("degrees: first north, then east")
    return lat, lon


def _bounds(told: str) -> dict[str, float]:
    box = Box(*_numbers(told, 4))
    if not (-90 <= box.south < box.north <= 90 and -180 <= box.west < box.east <= 180):
        raise ValueError("four numbers: south and west of the lower left corner, north and east of the upper right one")
    return box._asdict()


def _numbers(told: str, count: int) -> list[float]:
    parts = told.replace(", ", " ").split()
    try:
        numbers = [float(part.replace(",", ".")) for part in parts]
    except ValueError:
        numbers = []
    if len(numbers) != count:
        raise ValueError(f"{count} numbers with a blank between them")
    return numbers


def _metres(told: str) -> float:
    return _numbers(told, 1)[0]


def _hours(told: str) -> str:
    if not weekly(told):
        raise ValueError("at least one day")
    return told


def _special(told: str) -> str:
    special(told)
    return told


def _id(told: str) -> str:
    if not is_id(told):
        raise ValueError(ID_FORM)
    return told


def _id_or_none(told: str) -> str:
    return _id(told) if told else ""


def _yes_or_no(told: str) -> bool:
    return bool(_among("yes", "no", "y", "n")(told.casefold()).startswith("y"))


def _whole(low: int, high: int) -> Check:
    def check(told: str) -> int:
        if not told.isdecimal() or not low <= int(told) <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return int(told)

    return check


def _among(*allowed: str) -> Check:
    def check(told: str) -> str:
        if told not in allowed:
            raise ValueError(f"one of: {', '.join(allowed)}")
        return told

    return check
