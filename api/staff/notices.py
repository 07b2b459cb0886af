"""What staff tell everybody of a yard: one notice a yard, in the file beside what they say of lamps. Each ends by itself.

The file is the truth of it, so page and display have a notice also while broker or database are away; herald.py tells the store.
"""

import datetime as dt
import threading
import unicodedata
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated

import msgspec

from api.staff.lock import locked
from hoflicht import atomic
from hoflicht.clock import Clock
from hoflicht.config import Strict
from hoflicht.errors import BadConfig, BadPayload
from hoflicht.instants import moment

MAX_TEXT = 280  # characters; a display shows them large enough to be read in passing
LONGEST = dt.timedelta(days=90)  # a season; what lasts longer belongs into the catalogue's hours or on the city's own page
MARKUP = "<>"  # no text is markup anywhere, and whoever forgets to escape one day shall find none

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TEXT)]
Until = Annotated[dt.datetime, msgspec.Meta(tz=True)]


class Texts(Strict, frozen=True, omit_defaults=True, rename={"simple": "de-simple"}):
    """A notice by language (BCP 47; "de-simple" is plain German): one line each, without markup."""

    de: Text
    simple: Text | None = None
    en: Text | None = None
    tr: Text | None = None


class Notice(msgspec.Struct, frozen=True):
    """What stands at a yard from `since` until before `until`."""

    yard: str
    texts: Texts
    since: dt.datetime
    until: dt.datetime

    def words(self, code: str) -> str:
        """The text in the language `code`, in German where there is none."""
        texts: dict[str, str] = msgspec.to_builtins(self.texts)
        return texts.get(code, self.texts.de)


class NoticeAsked(Strict, frozen=True):
    """What staff want to tell."""

    texts: Texts
    until: Until


class Board(Strict, frozen=True):
    """All notices, as the file has them: the latest of each yard, those that are over too."""

    notices: tuple[Notice, ...] = ()


class Notices:
    """Those in the file at `path`; raise BadConfig where that is no such file. None: nobody can put any up."""

    def __init__(self, path: Path | None, yards: Collection[str], clock: Clock) -> None:
        self._path = path
        self._yards = yards
        self._clock = clock
        self._changing = threading.Lock()
        self._latest = {} if path is None else _read(path)

    def current(self) -> Mapping[str, Notice]:
        """The notice of each yard that has one now, in the order of the catalogue."""
        now = moment(self._clock.now_ms())
        latest = self.latest()
        return {yard: latest[yard] for yard in latest if latest[yard].since <= now < latest[yard].until}

    def latest(self) -> Mapping[str, Notice]:
        """The last notice of each yard, which may be over."""
        return {yard: self._latest[yard] for yard in self._yards if yard in self._latest}

    def put_up(self, yard: str, asked: NoticeAsked) -> Notice:
        """In the place of an earlier one; on disk when this returns. Raise BadPayload where it is no good notice."""
        now = moment(self._clock.now_ms())
        for complaint in _complaints(asked.texts, asked.until - now):
            raise BadPayload(complaint)
        notice = Notice(yard, asked.texts, now, asked.until.astimezone(dt.UTC))
        self._change(notice)
        return notice

    def take_down(self, yard: str) -> None:
        """It ends now; on disk when this returns."""
        notice = self.current().get(yard)
        if notice is not None:
            self._change(msgspec.structs.replace(notice, until=moment(self._clock.now_ms())))

    def _change(self, notice: Notice) -> None:
        if self._path is None:
            raise BadConfig("there is no file for notices")
        with self._changing, locked(self._path.parent):
            latest = {**_read(self._path), notice.yard: notice}
            board = msgspec.json.encode(Board(notices=tuple(latest.values())))
            atomic.write(self._path, msgspec.json.format(board) + b"\n", atomic.PRIVATE)
            self._latest = latest


def _read(path: Path) -> dict[str, Notice]:
    try:
        board = msgspec.json.decode(path.read_bytes(), type=Board)
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.DecodeError) as cause:
        raise BadConfig(f"{path}: not staff's notices ({cause}); repair it, or move it away") from cause
    return {notice.yard: notice for notice in board.notices}


def _complaints(texts: Texts, ahead: dt.timedelta) -> list[str]:
    if not dt.timedelta(0) < ahead <= LONGEST:
        return [f"until: within the next {LONGEST.days} days, so that a forgotten notice ends by itself"]
    told: dict[str, str] = msgspec.to_builtins(texts)
    return [f"texts.{code}: {complaint}" for code, text in told.items() if (complaint := _complaint(text))]


def _complaint(text: str) -> str:
    if text != text.strip():
        return "no blanks at its ends"
    # C: what is no character to be seen: line ends, bells, what turns the direction of writing; Zl, Zp: more line ends.
    if any(unicodedata.category(each).startswith(("C", "Zl", "Zp")) for each in text):
        return "one line, without control characters"
    return "no markup: < and > are not allowed" if set(MARKUP) & set(text) else ""
