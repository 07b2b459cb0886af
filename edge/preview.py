"""`hoflicht sign preview`: what a sign shows in each state of a yard, as a PNG of its dots.

Nothing is drawn that was not sent: each picture is read back from the very bytes that the sign would get. The letters are our own,
and a sign has its own; whether a text has room and what becomes of its umlauts is the same.
"""

import argparse
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path

import msgspec

from edge.matrix import MIN_COLUMNS, MIN_ROWS
from edge.png import png
from edge.sign import LINE, PROTOCOLS, Shape
from firmware_bridge import alpha, ibis, mobitec
from firmware_bridge.dots import LIT, Dots, beside, line, placed, stacked
from firmware_bridge.font import HEIGHT
from firmware_bridge.mobitec import MAX_COLUMNS, MAX_ROWS
from hoflicht import wait as waits
from hoflicht.errors import BadConfig
from hoflicht.wait import State, Trust, Wait

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
ANSWER_S = 10.0  # an api on the same network answers in a tenth of a second
MAX_ANSWER = 65_536  # bytes; a wait has some 600
LETTER = 5  # dots; one more stands between two letters
DOT, LABEL_DOT = 4, 2  # pixels, of which the last is the gap
GAP = 12  # pixels between what stands on the sheet
PAGE, DARK_DOT, LIT_DOT, INK = range(4)
COLOURS = ((18, 18, 20), (46, 40, 32), (255, 176, 32), (200, 200, 200))

Pixels = tuple[bytes, ...]  # rows of indices of COLOURS
Signs = Sequence[tuple[str, Shape]]  # protocol and build


def _wait(state: State = State.OPEN, **more: object) -> Wait:
    return Wait(yard="yard", state=state, as_of=NOON, valid_until=NOON + timedelta(minutes=1), **more)  # type: ignore[arg-type]


# Every state in which a sign says something of its own.
STATES: Mapping[str, Wait | None] = {
    "free": _wait(p50_s=0),
    "wait": _wait(p50_s=840, trust=Trust.MEASURED),
    "rough": _wait(p50_s=840, trust=Trust.CONFIGURED),
    "more": _wait(p50_s=4_000),
    "arrival": _wait(p50_s=840, last_entry=NOON + timedelta(minutes=60), latest_arrival=NOON + timedelta(minutes=40)),
    "late": _wait(p50_s=1_800, p90_s=3_700, last_entry=NOON + timedelta(minutes=60)),
    "held": _wait(State.HELD),
    "closing": _wait(State.CLOSING),
    "closed": _wait(State.CLOSED),
    "unknown": None,
}
SIGNS: Signs = (
    ("ibis-ds009", Shape(width=16)),
    ("ibis-ds009", Shape(width=20)),
    ("ibis-ds009", Shape(width=24)),
    ("ibis-ds003a", Shape()),
    ("mobitec", Shape()),
)


class Kind(msgspec.Struct, frozen=True):
    """How to say any text to a sign, and what it shows of the bytes: one picture, or more where a text runs through."""

    say: Callable[[str, Shape], bytes]
    show: Callable[[bytes, Shape], tuple[Dots, ...]]


def _of_ds009(telegram: bytes, _shape: Shape) -> tuple[Dots, ...]:
    return tuple(_letters(said.text) for said in ibis.Decoder().feed(telegram) if isinstance(said, ibis.Telegram))


def _of_blocks(telegram: bytes, _shape: Shape) -> tuple[Dots, ...]:
    """Of a sign with two lines of one block each."""
    said = [said.text for said in ibis.Decoder().feed(telegram) if isinstance(said, ibis.Telegram)]
    return tuple(stacked(_letters(text[:LINE]), _letters(text[LINE : 2 * LINE])) for text in said)


def _of_alpha(packet: bytes, shape: Shape) -> tuple[Dots, ...]:
    [text] = [said.text for said in alpha.Decoder().feed(packet) if isinstance(said, alpha.TextFile)]
    parts = [text[at : at + shape.width] for at in range(0, len(text), shape.width)]
    return tuple(placed(_letters(part), shape.width * (LETTER + 1) - 1, HEIGHT) for part in parts)


def _of_mobitec(telegram: bytes, _shape: Shape) -> tuple[Dots, ...]:
    return tuple(said.dots for said in mobitec.Decoder().feed(telegram) if isinstance(said, mobitec.Picture))


def _letters(text: str) -> Dots:
    return beside((placed(line(letter), LETTER, HEIGHT) for letter in text), 1)


KINDS: Mapping[str, Kind] = {
    "ibis-ds009": Kind(lambda text, shape: ibis.ds009(text, shape.width), _of_ds009),  # type: ignore[arg-type]
    "ibis-ds003a": Kind(lambda text, _shape: ibis.ds003a(f"{text:<{2 * LINE}}"), _of_blocks),
    "ibis-ds021": Kind(lambda text, shape: ibis.ds021(shape.address, f"{text:<{2 * LINE}}"), _of_blocks),
    "alpha": Kind(lambda text, _shape: alpha.show(text), _of_alpha),
    "mobitec": Kind(lambda text, shape: mobitec.show(shape.address, placed(line(text), shape.columns, shape.rows)), _of_mobitec),
}


def shown(protocol: str, shape: Shape, what: Wait | str | None) -> tuple[Dots, ...]:
    """What a sign shows in turn of a wait, or of a text that is told as it stands."""
    kind = KINDS[protocol]
    telegrams = (kind.say(what, shape),) if isinstance(what, str) else PROTOCOLS[protocol].build(what, shape)
    return tuple(picture for telegram in telegrams for picture in kind.show(telegram, shape))


def sheet(signs: Signs, rows: Mapping[str, Wait | str | None]) -> bytes:
    """The PNG of all `rows` on all `signs`, with their names."""
    table = [[_label(""), *(_label(_name(*sign)) for sign in signs)]]
    for name, what in rows.items():
        table.append([_label(name), *(_column([_enlarged(each) for each in shown(*sign, what)]) for sign in signs)])
    widths = [max(len(row[n][0]) for row in table) for n in range(len(signs) + 1)]
    return png(_framed(_column([_row(cells, widths) for cells in table])), COLOURS)


def _name(protocol: str, shape: Shape) -> str:
    return f"{protocol} {shape.columns}x{shape.rows}" if protocol == "mobitec" else f"{protocol} {shape.width}"


def _label(text: str) -> Pixels:
    return _enlarged(line(text or " "), LABEL_DOT, INK, PAGE)


def _enlarged(dots: Dots, size: int = DOT, lit: int = LIT_DOT, dark: int = DARK_DOT) -> Pixels:
    """Each dot as a square, with a gap to the next."""
    gap = bytes((PAGE,))
    rows = [b"".join(bytes((lit if dot == LIT else dark,)) * (size - 1) + gap for dot in row) for row in dots]
    return tuple(chain.from_iterable((*(row,) * (size - 1), gap * len(row)) for row in rows))


def _row(cells: Sequence[Pixels], widths: Sequence[int]) -> Pixels:
    height = max(len(cell) for cell in cells)
    page = bytes((PAGE,))
    wide = [
        [*(row.ljust(to, page) for row in cell), *(page * to,) * (height - len(cell))]
        for cell, to in zip(cells, widths, strict=True)
    ]
    return tuple((page * GAP).join(cell[n] for cell in wide) for n in range(height))


def _column(pictures: Sequence[Pixels]) -> Pixels:
    columns = max(len(picture[0]) for picture in pictures)
    page = bytes((PAGE,))
    rows: list[bytes] = []
    for picture in pictures:
        rows += [*((page * columns,) * GAP if rows else ()), *(row.ljust(columns, page) for row in picture)]
    return tuple(rows)


def _framed(picture: Pixels) -> Pixels:
    page = bytes((PAGE,))
    empty = (page * (len(picture[0]) + 2 * GAP),) * GAP
    return (*empty, *(page * GAP + row + page * GAP for row in picture), *empty)


def main(argv: list[str]) -> int:
    """`hoflicht sign preview`: exit code 0 where the picture is written, 1 where the api does not answer."""
    asked = _arguments().parse_args(argv)
    try:
        rows = _rows(asked)
    except (OSError, msgspec.DecodeError) as cause:
        sys.stderr.write(f"hoflicht sign: {asked.api}: {cause}\n")
        return 1
    signs = SIGNS if asked.protocol is None else ((asked.protocol, _shape(asked)),)
    try:
        asked.output.write_bytes(sheet(signs, rows))
    except OSError as cause:
        raise BadConfig(f"{asked.output}: {cause.strerror}") from cause
    sys.stdout.write(f"{asked.output}: {len(rows)} states on {len(signs)} signs\n")
    return 0


def _rows(asked: argparse.Namespace) -> Mapping[str, Wait | str | None]:
    if asked.text is not None:
        return {"text": asked.text}
    if asked.yard is not None:
        return {asked.yard: _present(asked.api, asked.yard)}
    return STATES if asked.state is None else {asked.state: STATES[asked.state]}


def _present(api: str, yard: str) -> Wait:
    """The wait of `yard` as the api tells it now."""
    url = f"{api.rstrip('/')}/v1/yards/{urllib.parse.quote(yard, safe='')}/wait"
    try:
        with urllib.request.urlopen(url, timeout=ANSWER_S) as answer:
            return waits.decode(answer.read(MAX_ANSWER))
    except ValueError as cause:
        raise BadConfig(f"--api {api}: no address; an example: http://127.0.0.1:8000") from cause
    except urllib.error.HTTPError as cause:
        with cause:
            raise BadConfig(f"{url}: {cause.code} {cause.reason}; /v1/yards lists the yards") from cause


def _shape(asked: argparse.Namespace) -> Shape:
    return Shape(asked.width, asked.address, asked.columns, asked.rows)


def _whole(low: int, high: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.isdecimal() or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(f"{text} is no whole number from {low} to {high}")
        return int(text)

    return number


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("hoflicht sign", description="What a yard's sign shows, as a picture of its dots.")
    preview = parser.add_subparsers(required=True, metavar="preview").add_parser(
        "preview", help="write a PNG", description="Writes what signs show: every state on every kind of sign, or what you ask for."
    )
    what = preview.add_mutually_exclusive_group()
    what.add_argument("--state", choices=STATES, help="only this state")
    what.add_argument("--text", help="this text, as the sign's own letters have it")
    what.add_argument("--yard", help="what this yard's sign shows now; asks the api")
    preview.add_argument("--api", default="http://127.0.0.1:8000", metavar="URL", help="of the api (http://127.0.0.1:8000)")
    preview.add_argument("--protocol", choices=PROTOCOLS, help="only this kind of sign, built so:")
    preview.add_argument("--width", type=int, choices=(16, 20, 24), default=16, help="characters (16)")
    preview.add_argument("--address", type=_whole(0, 15), default=1, help="for ibis-ds021 and mobitec (1)")
    preview.add_argument("--columns", type=_whole(MIN_COLUMNS, MAX_COLUMNS), default=112, help="dots, for mobitec (112)")
    preview.add_argument("--rows", type=_whole(MIN_ROWS, MAX_ROWS), default=16, help="dots, for mobitec (16)")
    preview.add_argument("-o", "--output", type=Path, default=Path("sign.png"), metavar="FILE", help="the picture (sign.png)")
    return parser
