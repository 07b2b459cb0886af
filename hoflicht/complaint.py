"""What is wrong in a configuration: at which key, and what is allowed there."""

import difflib
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, NamedTuple, get_args, get_origin

import msgspec

from hoflicht.positions import Path


class Complaint(NamedTuple):
    """One mistake: in which table, at which key of it (of none: the table itself), and what."""

    table: Path
    key: Path
    what: str

    @property
    def at(self) -> Path:
        """Where its line is looked for."""
        return (*self.table, *self.key)

    @property
    def text(self) -> str:
        """All of it but the line."""
        return f"[{_joined(self.table)}] {self.what}" if self.table else self.what

    def under(self, *at: str) -> "Complaint":
        """The same, of a part that stands at `at`."""
        return self._replace(table=(*at, *self.table))


def about(at: Path, text: str) -> Complaint:
    """A complaint about the key that `at` ends with, or about an element of the array at that key."""
    start = max(n for n, part in enumerate(at) if isinstance(part, str))
    return Complaint(at[:start], at[start:], f"{_joined(at[start:])}: {text}")


def within(at: Path, text: str) -> Complaint:
    """A complaint about the table at `at`; of no keys: about the whole file."""
    return Complaint(at, (), text)


def unknown(name: str, known: Iterable[str]) -> str:
    """That `name` is none of the `known` ones."""
    names = list(known)
    return f"{name!r} is unknown; known: {', '.join(sorted(names)) or 'none'}{_nearest(name, names)}"


def mismatches(raw: Any, shape: Any, at: Path = ()) -> Iterator[Complaint]:
    """Where `raw`, as TOML has it, is not of `shape`: each at the innermost key that is to blame."""
    try:
        msgspec.convert(raw, shape)
    except msgspec.ValidationError as cause:
        text = str(cause).partition(" - at `")[0]
        yield from list(_inside(raw, _plain(shape), at)) or [_own(raw, at, text)]


def _inside(raw: Any, shape: Any, at: Path) -> Iterator[Complaint]:
    kind = get_origin(shape) or shape
    if isinstance(raw, dict) and isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        yield from _in_struct(raw, kind, at)
    elif isinstance(raw, dict) and kind is dict:
        for key, value in raw.items():
            yield from mismatches(value, get_args(shape)[1], (*at, key))
    elif isinstance(raw, list) and kind in (tuple, list):
        for number, value in enumerate(raw):
            yield from mismatches(value, get_args(shape)[0], (*at, number))


def _in_struct(raw: dict[str, Any], shape: type[msgspec.Struct], at: Path) -> Iterator[Complaint]:
    fields = {field.encode_name: field for field in msgspec.structs.fields(shape)}
    for key, value in raw.items():
        if key in fields:
            yield from mismatches(value, fields[key].type, (*at, key))
        else:
            what = f"unknown key {key!r}; allowed: {', '.join(fields)}{_nearest(key, list(fields))}"
            yield Complaint(at, (key,), what)
    for key, field in fields.items():
        if field.required and key not in raw:
            yield within(at, f"the key {key!r} is missing")


def _own(raw: Any, at: Path, text: str) -> Complaint:
    return within(at, text) if isinstance(raw, dict) or not at else about(at, text)


def _plain(shape: Any) -> Any:
    """The type within `Annotated[…]` and `… | None`."""
    if get_origin(shape) is Annotated:
        return _plain(get_args(shape)[0])
    parts = get_args(shape)
    return _plain(parts[0]) if len(parts) == 2 and parts[1] is type(None) else shape


def _joined(at: Path) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in at).removeprefix(".")


def _nearest(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""
