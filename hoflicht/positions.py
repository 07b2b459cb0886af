"""At which line of a TOML file a key stands: tomllib tells it only of what is no TOML.

A living library with positions would bring a parser of its own, which may read a file otherwise than the roles do. The text is
known to be TOML here, so this needs no opinion about what else it could be: it walks from key to key and skips the values.
"""

import re
import tomllib
from bisect import bisect_right
from collections.abc import Mapping

Path = tuple[str | int, ...]  # keys, and places in arrays

GAP = re.compile(r"(?:[\s,]|#[^\n]*)*")
KEY = re.compile(r"""\s*("(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+)\s*(\.?)""")
SCALAR = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}|' + r"'''.*?'{3,5}|" + r'"(?:[^"\\]|\\.)*"|' + r"'[^']*'|" + r"[^,\]}#\n]+", re.DOTALL
)


def positions(text: str) -> Mapping[Path, int]:
    """The line, from 1 on, of each key, table and element of an array in `text`, which must be TOML."""
    scanner = _Scanner(text)
    scanner.walk()
    starts = [0, *(mark.end() for mark in re.finditer("\n", text))]
    return {path: bisect_right(starts, at) for path, at in scanner.found.items()}


def line_of(path: Path, lines: Mapping[Path, int]) -> int:
    """The line of what stands at `path`, or of what encloses it; 0 for the whole file."""
    return next((lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in lines), 0)


class _Scanner:
    def __init__(self, text: str) -> None:
        self.found: dict[Path, int] = {}  # offset in the text
        self._text, self._at = text, 0
        self._last: dict[Path, int] = {}  # of each array of tables the element that is being filled

    def walk(self) -> None:
        table: Path = ()
        while self._next():
            if self._next() == "[":
                table = self._header()
            else:
                self._pair(table)

    def _header(self) -> Path:
        start = self._at
        is_array = self._text.startswith("[[", start)
        self._at += 2 if is_array else 1
        keys = self._key()
        self._at += 2 if is_array else 1
        *parents, own = keys
        path = (*self._filled(parents), own)
        if is_array:
            self._last[path] = self._last.get(path, -1) + 1
        path = self._filled(keys)
        self.found.setdefault(path, start)
        return path

    def _filled(self, keys: list[str]) -> Path:
        path: Path = ()
        for key in keys:
            path = (*path, key)
            if path in self._last:
                path = (*path, self._last[path])
        return path

    def _pair(self, table: Path) -> None:
        start = self._at
        path = table
        for key in self._key():
            path = (*path, key)
            self.found.setdefault(path, start)
        self._at += 1  # "="
        self._value(path)

    def _value(self, path: Path) -> None:
        opening = self._next()
        if opening not in ("[", "{"):
            scalar = SCALAR.match(self._text, self._at)
            self._at = scalar.end() if scalar else len(self._text)
            return
        self._at += 1
        number = 0
        while self._next() not in ("]", "}", ""):
            if opening == "{":
                self._pair(path)
            else:
                self.found[(*path, number)] = self._at
                self._value((*path, number))
                number += 1
        self._at += 1

    def _key(self) -> list[str]:
        keys: list[str] = []
        part = KEY.match(self._text, self._at)
        while part:
            keys.append(tomllib.loads(f"k = {part[1]}")["k"] if part[1][0] in "\"'" else part[1])
            self._at = part.end()
            part = KEY.match(self._text, self._at) if part[2] else None
        return keys

    def _next(self) -> str:
        """The first character behind blanks, commas and comments; empty at the end."""
        gap = GAP.match(self._text, self._at)
        self._at = gap.end() if gap else self._at
        return self._text[self._at : self._at + 1]
