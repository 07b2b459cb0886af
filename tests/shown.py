"""What the documents show in blocks: commands, configurations, messages."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.conftest import ROOT

DOCUMENTS = [ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "bench/README.md")]
DOCUMENTS += sorted((ROOT / "docs").rglob("*.md"))
FENCE = re.compile(r" *```(\S*) ?(.*)")
TURNS = {"<", ">", ">>"}  # input or output into the file behind
VARIABLE = re.compile(r"\w+=")
HERE_DOCUMENT = re.compile(r"^(.*) <<'?(\w+)'?\n.*?^\2\n", re.MULTILINE | re.DOTALL)
ENDS = {";", "&&", "||", "|", "(", ")", "&"}  # of one command of a line


class Block(NamedTuple):
    """Where it stands, its language, the second word behind it, which no reader sees, and what is in it."""

    document: Path
    line: int
    language: str
    mark: str
    text: str

    def __str__(self) -> str:
        return f"{self.document.relative_to(ROOT)}:{self.line}"


def blocks(document: Path) -> Iterator[Block]:
    """All blocks of `document`, in order."""
    opened, inside = None, list[str]()
    for number, line in enumerate(document.read_text(encoding="utf-8").splitlines(), start=1):
        fence = FENCE.fullmatch(line)
        if opened and fence:
            yield opened._replace(text="".join(f"{each}\n" for each in inside))
            opened, inside = None, []
        elif fence:
            opened = Block(document, number, fence[1], fence[2], "")
        elif opened:
            inside.append(line)
    assert opened is None, f"{opened} is not closed"


def commands(text: str) -> Iterator[list[str]]:
    """The single commands of a piece of shell, as lists of words, without what redirects their input and output."""
    pending = ""
    for line in HERE_DOCUMENT.sub(r"\1\n", text).replace("\\\n", " ").splitlines():
        pending += f"{line}\n"
        try:
            words = _words(pending)
        except ValueError:
            continue  # a quotation goes on in the next line
        pending = ""
        yield from _simple(words)
    assert not pending, f"a quotation has no end: {pending}"


def _words(line: str) -> list[str]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars="();<>|&")
    lexer.whitespace_split = True
    return list(lexer)


def _simple(words: list[str]) -> Iterator[list[str]]:
    command = list[str]()
    skipped = False
    for word in [*words, ";"]:
        if word in ENDS or set(word) <= {"(", ")", ";"}:
            if command:
                yield command
            command = []
        elif not skipped and word not in TURNS and (command or not VARIABLE.match(word)):
            command.append(word)
        skipped = word in TURNS
