"""What a sign of dots shows, for every state of a yard and every size: the number as large as it can be, words where there is none.

Each text is tried from the largest way to draw it to the smallest, and the first that has room is shown; on 96 dots by 7, the
smallest sign, that is a line of sixteen letters. So nothing ever runs through.
"""

from collections.abc import Iterator

from edge import texts
from firmware_bridge.dots import Dots, beside, fits, line, placed, stacked
from firmware_bridge.font import HEIGHT
from hoflicht.wait import Number, Wait, is_rough, number

MIN_COLUMNS, MIN_ROWS = 96, 7
GAP = 3  # dots between a word and the number


def pictures(wait: Wait | None, columns: int, rows: int) -> tuple[Dots, ...]:
    """Pictures of so many dots to show in turn; None: there is no fresh number."""
    shown = None if wait is None else number(wait)
    large = range(rows // HEIGHT, 1, -1)  # times as large as a line of text
    if wait is None or shown is None:
        in_turn = [_words(texts.of_state(texts.state(wait)), large)]
    else:
        arrival = texts.arrival(wait)
        in_turn = [_waits(wait, shown, large), *([_words(arrival, large)] if arrival else [])]
    return tuple(placed(next(each for each in drawn if fits(each, columns, rows)), columns, rows) for drawn in in_turn)


def _waits(wait: Wait, shown: Number, large: range) -> Iterator[Dots]:
    if shown.minutes:
        word = stacked(line("WARTEZEIT"), line("CA.")) if is_rough(wait) else line("WARTEZEIT")
        yield from (beside((word, line(texts.minutes(shown), scale), line("MIN")), GAP) for scale in large)
    yield from _words(texts.waits(wait, shown), large)


def _words(words: tuple[str, ...], large: range) -> Iterator[Dots]:
    """The same, large in a line, in two lines, in one line."""
    yield from (line(text, scale) for scale in large for text in words)
    yield from (stacked(line(upper), line(lower)) for upper, lower in map(_halves, words) if upper)
    yield from (line(text) for text in words)


def _halves(text: str) -> tuple[str, str]:
    """`text` parted between the two words nearest to its middle; the first half is empty where it is one word."""
    words = text.split(" ")
    parted = [(" ".join(words[:n]), " ".join(words[n:])) for n in range(1, len(words))]
    return min(parted, key=lambda halves: abs(len(halves[0]) - len(halves[1])), default=("", text))
