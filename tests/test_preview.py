"""`hoflicht sign preview`: the picture is what the sign would get, and nothing of it is cut."""

import re
import shlex
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.png import png
from edge.preview import COLOURS, LIT_DOT, SIGNS, STATES, sheet, shown
from edge.sign import PROTOCOLS, Shape
from firmware_bridge.dots import Dots
from firmware_bridge.font import LETTERS
from hoflicht import cli
from hoflicht.catalogue import City
from hoflicht.wait import State
from tests.conftest import ROOT, free_port
from tests.face import Face, facing
from tests.lane import YARD, ms, steady_queue

CELL = 6  # dots from one letter to the next


def cell(rows: tuple[str, ...]) -> Dots:
    """A letter in a place as wide as the widest."""
    return tuple(f"{'.' * ((5 - len(row)) // 2)}{row}".ljust(5, ".") for row in rows)


def read(dots: Dots) -> str:
    """The letters of one line; O is read for 0, which looks the same. What is none of our letters is an error."""
    named = {cell(rows): name for name, rows in LETTERS.items() if name != "0"}
    cells = [tuple(row[x : x + 5] for row in dots) for x in range(0, len(dots[0]), CELL)]
    return "".join(named[each] for each in cells).rstrip()


def lines(protocol: str, shape: Shape, state: str) -> list[str]:
    return [read(part) for dots in shown(protocol, shape, STATES[state]) for part in (dots[:7], dots[8:15]) if part]


@pytest.mark.parametrize(
    ("protocol", "width", "state", "said"),
    [
        ("ibis-ds009", 16, "wait", ["WARTEZEIT 15 MIN"]),
        ("ibis-ds009", 20, "rough", ["WARTEZEIT CA. 15 MIN"]),
        ("ibis-ds009", 24, "late", ["WARTEZEIT 3O MIN", "EINLASS HEUTE UNGEWISS"]),
        ("ibis-ds003a", 16, "more", ["WARTEZEIT", ">6O MINUTEN"]),
        ("ibis-ds021", 16, "held", ["EINFAHRT", "ZURZEIT GESPERRT"]),
    ],
)
def test_what_is_drawn_is_what_the_sign_would_get(protocol: str, width: int, state: str, said: list[str]) -> None:
    assert lines(protocol, Shape(width), state) == said


def test_an_alpha_sign_has_its_text_in_the_middle() -> None:
    [dots] = shown("alpha", Shape(20), STATES["closed"])

    assert len(dots[0]) == 20 * CELL - 1
    assert read(tuple(row[27:92] for row in dots)) == "GESCHLOSSEN"


def test_every_state_is_there_and_drawn_in_letters_that_we_have() -> None:
    states = {State.UNKNOWN if wait is None else wait.state for wait in STATES.values()}

    assert states == set(State)
    for name in STATES:
        for width in (16, 20, 24):
            assert all(lines("ibis-ds009", Shape(width), name))
        assert any(lines("ibis-ds003a", Shape(), name))


def test_a_text_is_shown_as_the_letters_of_the_sign_have_it() -> None:
    [ibis] = shown("ibis-ds009", Shape(16), "Grüße [1]")
    [alpha] = shown("alpha", Shape(16), "Grüße")

    assert ibis[:7] == padded("Grüße (1)", 16)
    assert read(tuple(row[30:] for row in alpha)).rstrip() == "Grüsse"


def test_what_is_too_long_for_an_alpha_sign_runs_through() -> None:
    assert len(shown("alpha", Shape(16), "WEGEN REGEN HEUTE GESCHLOSSEN")) == 2


def padded(text: str, width: int) -> Dots:
    cells = [cell(LETTERS[letter]) for letter in text.ljust(width)]
    return tuple(".".join(each[n] for each in cells) for n in range(7))


def pixels(file: bytes) -> tuple[list[bytes], list[tuple[int, ...]]]:
    """The rows and colours of a PNG as we write them, each chunk with a right check sum."""
    assert file[:8] == b"\x89PNG\r\n\x1a\n"
    found = dict(chunks(file[8:]))
    width, height, bits, kind, *_ = struct.unpack(">IIBBBBB", found[b"IHDR"])
    data = zlib.decompress(found[b"IDAT"])
    rows = [data[n : n + width + 1] for n in range(0, len(data), width + 1)]

    assert (bits, kind, len(rows), {row[0] for row in rows}) == (8, 3, height, {0})
    assert list(found) == [b"IHDR", b"PLTE", b"IDAT", b"IEND"]
    return [row[1:] for row in rows], [tuple(found[b"PLTE"][n : n + 3]) for n in range(0, len(found[b"PLTE"]), 3)]


def chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    while data:
        (length,) = struct.unpack(">I", data[:4])
        kind, body, check = data[4:8], data[8 : 8 + length], data[8 + length : 12 + length]
        assert struct.unpack(">I", check)[0] == zlib.crc32(kind + body)
        yield kind, body
        data = data[12 + length :]


def test_a_png_has_the_pixels_that_it_was_given() -> None:
    assert pixels(png((b"\x00\x01", b"\x01\x01", b"\x00\x00"), ((1, 2, 3), (255, 0, 9)))) == (
        [b"\x00\x01", b"\x01\x01", b"\x00\x00"],
        [(1, 2, 3), (255, 0, 9)],
    )


def test_the_sheet_has_every_dot_that_is_lit() -> None:
    rows, colours = pixels(sheet(SIGNS, STATES))
    lit = sum(row.count("#") for sign in SIGNS for wait in STATES.values() for dots in shown(*sign, wait) for row in dots)

    assert colours == list(COLOURS)
    assert sum(row.count(bytes((LIT_DOT,))) for row in rows) == lit * 9  # pixels of a dot


@pytest.fixture
def face(city: City, tmp_path: Path) -> Iterator[Face]:
    with facing(city, tmp_path, ms(90), steady_queue(8, 90)) as running:
        yield running


def test_the_command_writes_the_sheet_one_state_a_text_and_what_a_yard_shows_now(
    tmp_path: Path, face: Face, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "sign.png"

    def size(*options: str) -> tuple[int, int]:
        assert cli.main(["sign", "preview", "-o", str(file), *options]) == 0
        rows, _ = pixels(file.read_bytes())
        return len(rows[0]), len(rows)

    whole, one = size(), size("--state", "held")
    assert one[0] <= whole[0]
    assert one[1] < whole[1] / 5
    assert size("--text", "HEUTE ZU", "--protocol", "mobitec", "--columns", "140", "--rows", "19") > (140 * 4, 19 * 4)
    size("--yard", YARD, "--api", face.url, "--protocol", "ibis-ds009")
    now = file.read_bytes()
    assert now == sheet([("ibis-ds009", Shape())], {YARD: face.yards.wait(YARD)})
    assert f"{file}: 10 states on 5 signs" in capsys.readouterr().out


def test_the_commands_of_the_documentation_work(tmp_path: Path, face: Face, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / "docs" / "sign.md").read_text(encoding="utf-8")
    commands = re.findall(r"^hoflicht (sign preview.*)$", text, re.MULTILINE)
    monkeypatch.chdir(tmp_path)

    assert len(commands) == 4
    for command in commands:
        asked = shlex.split(command.replace("http://127.0.0.1:8000", face.url), comments=True)
        assert cli.main(asked) == 0
    assert {file.name for file in tmp_path.glob("*.png")} == {"sign.png", "nord.png"}


def test_what_cannot_be_shown_is_told_in_one_line(tmp_path: Path, face: Face, capsys: pytest.CaptureFixture[str]) -> None:
    def ends(*options: str) -> tuple[int, str]:
        code = cli.main(["sign", "preview", "-o", str(tmp_path / "sign.png"), *options])
        return code, capsys.readouterr().err

    away = f"http://127.0.0.1:{free_port()}"
    assert ends("--yard", "hof-ost", "--api", face.url)[0] == 2
    assert "404" in ends("--yard", "hof-ost", "--api", face.url)[1]
    assert ends("--yard", YARD, "--api", "nowhere") == (
        2,
        "hoflicht sign: --api nowhere: no address; an example: http://127.0.0.1:8000\n",
    )
    assert ends("--yard", YARD, "--api", away)[0] == 1
    assert ends("-o", str(tmp_path / "no" / "sign.png"))[0] == 2
    with pytest.raises(SystemExit):
        ends("--columns", "95")
    assert "95 is no whole number from 96 to 250" in capsys.readouterr().err


def test_every_kind_of_sign_can_be_previewed() -> None:
    for protocol in PROTOCOLS:
        assert shown(protocol, Shape(), STATES["wait"])
        assert shown(protocol, Shape(), "ZU")
