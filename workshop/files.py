"""Which of our files a file is, and what is wrong in it, by the same rules by which its role reads it."""

import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from hoflicht.complaint import Complaint, about
from hoflicht.config import address, complaints, read, tables
from hoflicht.errors import BadConfig
from hoflicht.positions import line_of, positions

Judge = Callable[[Any], Iterable[Complaint]]


class Kind(NamedTuple):
    """A kind of file: where its shape and its judge are, and which top-level keys only it has."""

    module: str
    shape: str
    telling: Set[str]
    extra: str  # that brings what `module` imports; empty: none

    def load(self, path: Path) -> tuple[type[Any], Judge]:
        """The shape and the judge of the file at `path`; raise BadConfig where this machine has not what its role needs."""
        try:
            module = importlib.import_module(self.module)
        except ModuleNotFoundError as cause:
            hint = f"pip install 'hoflicht[{self.extra}]'"
            raise BadConfig(f"{path}: to look into it, the package {cause.name} is missing; install it with: {hint}") from cause
        return getattr(module, self.shape), getattr(module, "complaints", _addresses)


KINDS: Mapping[str, Kind] = {
    "city": Kind(
        "hoflicht.catalogue",
        "City",
        {"timezone", "holidays", "yards", "groups", "programs", "cabinets", "gateways", "open_data"},
        "",
    ),
    "edge": Kind("edge.config", "EdgeConfig", {"gateway", "spool", "ports", "signs", "lines", "light", "clock", "prove_s"}, "edge"),
    "ingest": Kind("ingest.config", "IngestConfig", {"quarantine", "client_id", "receive_maximum"}, "ingest"),
    "api": Kind("api.config", "ApiConfig", {"publish", "limits", "staff"}, "api"),
    "authority": Kind("ingest.registrar", "AuthorityConfig", {"names", "folder", "broker_port"}, "ingest"),
    "backup": Kind("workshop.backup", "BackupConfig", {"folders", "keep"}, "ingest"),
    "operator": Kind("edge.configure", "OperatorConfig", set(), "edge"),
}


class File(NamedTuple):
    """One file, looked at; `config` is None where something is wrong in it."""

    path: Path
    kind: str
    text: str
    config: Any
    complaints: list[Complaint]

    def lines(self, found: Iterable[Complaint]) -> list[str]:
        """Each of `found` in words, with its line, in the order of the file."""
        listed = list(found)
        where = positions(self.text) if listed else {}
        numbered = sorted((line_of(complaint.at, where), complaint.text) for complaint in listed)
        return [f"line {line}: {text}" if line else text for line, text in numbered]


def look(path: Path, kind: str = "") -> File:
    """Read the file at `path` as what it is; raise BadConfig where it cannot be read, is no TOML, or cannot be told."""
    text = read(path)
    raw = tables(text, path)
    kind = kind or kind_of(path, raw)
    shape, judge = KINDS[kind].load(path)
    found = complaints(raw, shape, judge)
    return File(path, kind, text, None if found else msgspec.convert(raw, shape), found)


def kind_of(path: Path, raw: Mapping[str, Any]) -> str:
    """What the keys of a file tell, or else its name."""
    counts = {name: len(kind.telling & raw.keys()) for name, kind in KINDS.items()}
    best = max(counts, key=lambda name: (counts[name], name == path.stem))
    if counts[best]:
        return best
    if path.stem in KINDS:
        return path.stem
    raise BadConfig(f"{path}: neither its keys nor its name tell what it is; say --as {'|'.join(KINDS)}")


def _addresses(config: Any) -> Iterator[Complaint]:
    """What the roles on the server would complain of when they start."""
    for key in ("http", "listen"):
        told = getattr(config, key, "")
        try:
            if told:
                address(key, told, "127.0.0.1:9102")
        except BadConfig:
            yield about((key,), f'"{told}": expected host:port, an example: "127.0.0.1:9102"')
    store = getattr(config, "store", None)
    if store is not None:
        yield from _of_store(store.url)


def _of_store(url: str) -> Iterator[Complaint]:
    from store.readings import FORMS, SQLITE  # noqa: PLC0415

    if not url.startswith((SQLITE, "influx+http://", "influx+https://")):
        yield about(("store", "url"), f"{url!r}: expected {FORMS}")
