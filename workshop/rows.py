"""A table of a city's lamps as its offices keep it, CSV or GeoJSON, as rows of plain text."""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from hoflicht.errors import BadConfig

MAX_FILE = 64 * 1024 * 1024  # bytes; the 46 000 lamps of Duisburg are some 5 MB
SEPARATORS = (";", "\t", "|", ",")  # the comma last: in a German file it stands in the numbers
LONG, LAT = "lon", "lat"  # the columns that a GeoJSON point becomes
UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


class Row(NamedTuple):
    """One lamp as it was told: where ("line 17", "feature 3"), and each column's text by its plain name."""

    place: str
    values: Mapping[str, str]


def rows(path: Path) -> Iterator[Row]:
    """The rows of the file at `path`; raise BadConfig where it is neither CSV with a header nor GeoJSON."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE + 1)
    except OSError as cause:
        raise BadConfig(f"{path}: cannot be read ({cause.strerror})") from cause
    if len(content) > MAX_FILE:
        raise BadConfig(f"{path}: more than {MAX_FILE // 1024 // 1024} MB; split it")
    if content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return _features(content, path)
    return _lines(_decoded(content), path)


def plain(name: str) -> str:
    """A column's name without what differs from office to office: "Leuchten-Nr." is "leuchtennr"."""
    return re.sub(r"[^a-z0-9]", "", name.casefold().translate(UMLAUTS))


def _decoded(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")  # a spreadsheet's "Unicode text"
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _lines(text: str, path: Path) -> Iterator[Row]:
    header, _, _ = text.partition("\n")
    separator = next((one for one in SEPARATORS if one in header), "")
    if not separator:
        raise BadConfig(f"{path}: the first line has no columns; a header such as number;street;lat;lon is expected")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    names = [plain(name) for name in next(reader)]
    return _told(reader, names, path)


def _told(reader: Any, names: list[str], path: Path) -> Iterator[Row]:
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                values = {name: _tidy(cell) for name, cell in zip(names, cells, strict=False)}
                yield Row(f"line {reader.line_num}", values)
    except csv.Error as cause:
        raise BadConfig(f"{path}: line {reader.line_num}: {cause}") from cause


def _features(content: bytes, path: Path) -> Iterator[Row]:
    try:
        collection = msgspec.json.decode(content.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as cause:
        raise BadConfig(f"{path}: neither CSV nor GeoJSON: {cause}") from cause
    features = collection.get("features") if isinstance(collection, dict) else None
    if not isinstance(features, list):
        raise BadConfig(f"{path}: no FeatureCollection (RFC 7946): the key 'features' is missing")
    return (Row(f"feature {number}", _values(feature)) for number, feature in enumerate(features, 1))


def _values(feature: Any) -> dict[str, str]:
    own = feature if isinstance(feature, dict) else {}
    told = own.get("properties")
    properties = {plain(str(name)): _text(value) for name, value in (told if isinstance(told, dict) else {}).items()}
    values = {"id": _text(own.get("id")), **properties}
    geometry = own.get("geometry")
    if isinstance(geometry, dict):
        values |= _point(geometry)
    return values


def _point(geometry: Mapping[str, Any]) -> dict[str, str]:
    """A point's coordinates: longitude first (RFC 7946 §3.1.1), or easting where an older file has a surveyor's."""
    at = geometry.get("coordinates")
    if geometry.get("type") == "MultiPoint" and isinstance(at, list) and len(at) == 1:
        at = at[0]
    elif geometry.get("type") != "Point":
        return {"geometrytype": _text(geometry.get("type"))}
    if isinstance(at, list) and len(at) >= 2:
        return {LONG: _text(at[0]), LAT: _text(at[1])}
    return {}


def _text(value: Any) -> str:
    return "" if value is None else _tidy(str(value))


def _tidy(text: str) -> str:
    """On one line: a name that an office has broken into two is one."""
    return " ".join(text.split())
