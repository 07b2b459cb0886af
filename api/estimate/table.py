"""A CSV file of numbers with a header, row by row; mistakes name file and line."""

import csv
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from hoflicht.errors import BadConfig


class Row(NamedTuple):
    """The cells of one line by the names of the header; `where` says which line it is."""

    where: str
    cells: dict[str, str]

    def number(self, name: str) -> float:
        """The finite number in a column; raise BadConfig where there is none."""
        try:
            number = float(self.cells[name])
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise BadConfig(f"{self.where}: {name} is {self.cells[name]!r}, not a number")
        return number

    def perhaps(self, name: str) -> float | None:
        """As `number`; None where the cell is empty or the file has no such column."""
        return self.number(name) if self.cells.get(name, "").strip() else None


def rows(path: Path, needed: Sequence[str]) -> Iterator[Row]:
    """The rows of the file at `path`, whose header has the `needed` names, in any order and with others; raise BadConfig."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.reader(file)
            names = [name.strip() for name in next(table, [])]
            missing = [name for name in needed if name not in names]
            if missing:
                raise BadConfig(f"{path}, line 1: the header has no {', '.join(missing)}; it is: {','.join(names) or 'empty'}")
            for cells in table:
                where = f"{path}, line {table.line_num}"
                if cells and len(cells) != len(names):
                    raise BadConfig(f"{where}: {len(cells)} columns, but the header has {len(names)}")
                if cells:
                    yield Row(where, dict(zip(names, cells, strict=True)))
    except OSError as cause:
        raise BadConfig(f"{path}: cannot be read ({cause.strerror})") from cause
    except (UnicodeDecodeError, csv.Error) as cause:
        raise BadConfig(f"{path}: not CSV: {cause}") from cause
