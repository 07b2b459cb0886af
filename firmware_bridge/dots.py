"""Pictures of dots: rows from above, `#` for a dot that is lit and `.` for one that is not."""

from collections.abc import Iterable

from firmware_bridge.font import HEIGHT, LETTERS, UNKNOWN

Dots = tuple[str, ...]

LIT, DARK = "#", "."
BETWEEN_LETTERS = 1  # dots
BETWEEN_LINES = 1


def line(text: str, scale: int = 1) -> Dots:
    """`text` in letters of seven dots, or of `scale` times as many."""
    drawn = [LETTERS.get(letter, UNKNOWN) for letter in text]
    rows = ((DARK * BETWEEN_LETTERS).join(letter[n] for letter in drawn) for n in range(HEIGHT))
    return tuple("".join(dot * scale for dot in row) for row in rows for _ in range(scale))


def width(picture: Dots) -> int:
    """Columns of `picture`."""
    return len(picture[0]) if picture else 0


def beside(pictures: Iterable[Dots], gap: int) -> Dots:
    """One beside the other with `gap` dots between, standing on the same ground."""
    parts = [picture for picture in pictures if width(picture)]
    height = max((len(part) for part in parts), default=0)
    raised = [(DARK * width(part),) * (height - len(part)) + part for part in parts]
    return tuple((DARK * gap).join(part[n] for part in raised) for n in range(height))


def stacked(upper: Dots, lower: Dots) -> Dots:
    """One above the other, both in the middle."""
    columns = max(width(upper), width(lower))
    return (*_widened(upper, columns), *(DARK * columns,) * BETWEEN_LINES, *_widened(lower, columns))


def fits(picture: Dots, columns: int, rows: int) -> bool:
    """Whether all of `picture` can be seen on a sign of so many dots."""
    return width(picture) <= columns and len(picture) <= rows


def placed(picture: Dots, columns: int, rows: int) -> Dots:
    """A sign of so many dots with `picture` in its middle; what has no room is cut off."""
    above = max(0, rows - len(picture)) // 2
    below = max(0, rows - len(picture) - above)
    dark = (DARK * columns,)
    return (*dark * above, *_widened(picture[:rows], columns), *dark * below)


def _widened(picture: Dots, columns: int) -> Dots:
    before = max(0, columns - width(picture)) // 2
    return tuple(f"{DARK * before}{row:{DARK}<{columns - before}}"[:columns] for row in picture)
