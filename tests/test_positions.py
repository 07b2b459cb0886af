"""The line of a key, however the file is laid out."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hoflicht.positions import Path, line_of, positions
from tests.conftest import ROOT

TEXT = '''\
# a comment with [a.table] and a = "key"
name = "Duis#burg = [x]"   # and one behind
dotted.in.three = 1

[yards."hof nord"]   # a header with a comment
address = """
two = "lines"
"""
raw = \'\'\'C:\\[x]\'\'\'
when = 2026-12-24 08:00:00
list = [
  "a,b]",  # not two
  { at = "dusk", steps = [{ percent = 50.5 }] },
]
[[ports]]
path = 'x'
[[ports]]
[ports.line]
baud = 9_600
[[ports.nested]]
[[ports.nested]]
last = true
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("name",), 2),
        (("dotted", "in", "three"), 3),
        (("yards", "hof nord"), 5),
        (("yards", "hof nord", "address"), 6),
        (("yards", "hof nord", "raw"), 9),
        (("yards", "hof nord", "when"), 10),
        (("yards", "hof nord", "list", 0), 12),
        (("yards", "hof nord", "list", 1), 13),
        (("yards", "hof nord", "list", 1, "steps", 0, "percent"), 13),
        (("ports", 0, "path"), 16),
        (("ports", 1, "line", "baud"), 19),
        (("ports", 1, "nested", 1, "last"), 22),
    ],
)
def test_a_key_is_found_wherever_it_stands(path: Path, line: int) -> None:
    assert positions(TEXT)[path] == line


def test_what_is_not_there_has_the_line_of_what_encloses_it() -> None:
    lines = positions(TEXT)

    assert line_of(("yards", "hof nord", "lat"), lines) == 5
    assert line_of(("ports", 1, "speed", "x"), lines) == 17
    assert line_of(("lamps", "lamp-1"), lines) == 0


def paths(value: object, at: Path = ()) -> set[Path]:
    """All that TOML's own parser finds."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return {at, *(path for key, one in inner for path in paths(one, (*at, key)))}


def test_nothing_is_missed_or_invented_in_the_city_of_duisburg() -> None:
    text = (ROOT / "simulators" / "city.toml").read_text(encoding="utf-8")

    assert {(), *positions(text)} - {("yards",)} == paths(tomllib.loads(text)) - {("yards",), ("programs",), ("groups",)}


KEYS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=5)
SCALARS = st.one_of(st.integers(0, 9), st.booleans(), st.text(st.sampled_from("a\"'[]{}#=,.\\é "), max_size=8))
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=8)


def quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def written(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{quoted(key)} = {written(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list):
        return "[ " + ", # a comment ]\n".join(written(one) for one in value) + " ]"
    return quoted(value) if isinstance(value, str) else str(value).lower()


@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_any_file_is_walked_as_tomls_own_parser_reads_it(table: dict[str, object]) -> None:
    text = "".join(f"{quoted(key)} = {written(value)}\n" for key, value in table.items())

    assert {(), *positions(text)} == paths(tomllib.loads(text))
