"""A config that was pushed is tried, and kept only where it has proved itself: a gateway on a post must not be cut off by a typo.

All that is to be remembered is one file, `<spool>-config`, which is replaced as a whole and on disk before the next step is taken:

    taken as candidate → started again → each start counted → a receipt came: proven
                                       → none in time, a part failed, or too many starts: back to what ran before, started again

A kill -9 at any arrow leaves a gateway that runs on the one or the other. What cannot be noted, because the disk is full, is not
tried. The file that a person has put on the gateway stays untouched: it runs where nothing was pushed, and counts again as soon as
that person edits it.
"""

import enum
import hashlib
import logging
import threading
from pathlib import Path
from typing import Annotated

import msgspec

from edge.config import EdgeConfig, parse_edge
from hoflicht import atomic, topics
from hoflicht.broker import Message, Session
from hoflicht.config import read
from hoflicht.errors import BadConfig

log = logging.getLogger(__name__)

MAX_PUSHED = 64 * 1024  # bytes of a message; a port takes some 200 of them
MAX_STARTS = 3  # of a candidate; a power cut or two are not its fault
MAX_REASON = 500  # characters


class Status(enum.StrEnum):
    """What has become of a pushed config."""

    TRYING = "trying"
    APPLIED = "applied"
    REFUSED = "refused"  # not even tried
    ROLLED_BACK = "rolled-back"  # tried and not proven
    OVERRULED = "overruled"  # a person has edited the gateway's own file since


class Pushed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `desired` carries: the text of a config, and a number of the sender's that is another for each push."""

    version: Annotated[int, msgspec.Meta(ge=0, lt=2**53)]
    config: str


class Said(msgspec.Struct, frozen=True):
    """What `reported` carries."""

    version: int
    status: Status
    reason: str = ""


class Record(msgspec.Struct, frozen=True):
    """What is remembered; an empty one is that of a gateway to which nothing was ever pushed."""

    own: str = ""  # digest of the gateway's own file at the last push
    proven: Pushed | None = None  # none: the gateway's own file
    candidate: Pushed | None = None
    starts: int = 0  # of the candidate
    said: Said | None = None


class Trial:
    """The config that this run of the program has, and what may follow it."""

    def __init__(self, path: Path) -> None:
        self._path = path  # of the gateway's own file
        self._own_text = read(path)
        self._own = parse_edge(self._own_text, path)
        self._file = Path(f"{self._own.spool.path}-config")
        self._record = _recorded(self._file)
        self._lock = threading.Lock()  # who receives and who looks for the proof are two threads
        self.is_on = False  # a candidate runs
        self.wants_restart = False
        self.config = self._chosen()

    def offer(self, payload: bytes) -> bool:
        """Take a pushed config as candidate, or say why not; False where it was no news."""
        if not payload:  # somebody has cleared the topic
            return False
        try:
            pushed = _decoded(payload)
        except BadConfig as cause:
            log.warning("a pushed config cannot be read: %s", cause)
            return False
        with self._lock:
            if self._record.said is not None and pushed.version == self._record.said.version:
                return False
            self._take(pushed)
            return True

    def prove(self) -> None:
        """The config that runs has got a receipt: keep it."""
        with self._lock:
            candidate = self._record.candidate
            if not self.is_on or candidate is None:
                return
            try:
                self._note(proven=candidate, candidate=None, starts=0, said=Said(candidate.version, Status.APPLIED))
            except BadConfig as cause:
                self._give_up(str(cause))
                self.wants_restart = True
            else:
                log.warning("the pushed config %d has proved itself", candidate.version)
            self.is_on = False

    def roll_back(self, reason: str) -> None:
        """The config that runs is not good: go back to what ran before."""
        with self._lock:
            self._give_up(reason)
            self.is_on, self.wants_restart = False, True

    def report(self) -> Message | None:
        """What is to be said of the last push; None where there was none."""
        if self._record.said is None:
            return None
        topic = topics.reported(self._own.gateway, topics.CONFIG)
        return Message(topic=topic, payload=msgspec.json.encode(self._record.said), retain=True)

    def _take(self, pushed: Pushed) -> None:
        try:
            Session(self._parsed(pushed.config).broker, self._own.gateway)  # reads certificate and password
            ran = self._own_text if self._record.proven is None else self._record.proven.config
            candidate = None if pushed.config == ran else pushed
            said = Said(pushed.version, Status.TRYING if candidate else Status.APPLIED)
            self._note(own=_digest(self._own_text), candidate=candidate, starts=0, said=said)
        except BadConfig as cause:
            reason = str(cause).removeprefix(f"{self._path}: ")
            log.warning("the pushed config %d is refused: %s", pushed.version, reason)
            self._remember(said=Said(pushed.version, Status.REFUSED, reason[:MAX_REASON]))
        else:
            self.wants_restart = candidate is not None or self.is_on
            self.is_on = False  # a receipt that comes now proves the one that still runs

    def _chosen(self) -> EdgeConfig:
        """What is to run now; a start of a candidate is counted before."""
        pushed = self._record.candidate or self._record.proven
        if pushed is not None and self._record.own != _digest(self._own_text):
            log.warning("%s was edited: it counts, and what was pushed before does not any more", self._path)
            said = Said(pushed.version, Status.OVERRULED, "the gateway's own file was edited")
            self._remember(proven=None, candidate=None, said=said)
        return self._tried() or self._kept() or self._own

    def _tried(self) -> EdgeConfig | None:
        candidate = self._record.candidate
        if candidate is None:
            return None
        try:
            if self._record.starts >= MAX_STARTS:
                raise BadConfig(f"it ended {MAX_STARTS} times before it had proved itself")
            config = self._parsed(candidate.config)
            self._note(starts=self._record.starts + 1)
        except BadConfig as cause:
            self._give_up(str(cause))
            return None
        log.warning("the pushed config %d is tried: it has %g s to get a receipt", candidate.version, config.prove_s)
        self.is_on = True
        return config

    def _kept(self) -> EdgeConfig | None:
        proven = self._record.proven
        if proven is None:
            return None
        try:
            config = self._parsed(proven.config)
        except BadConfig as cause:
            log.error("the pushed config %d does not fit this program, the gateway's own runs: %s", proven.version, cause)
            return None
        log.info("the pushed config %d runs", proven.version)
        return config

    def _parsed(self, text: str) -> EdgeConfig:
        """`text` as this gateway's config; raise BadConfig where it would make another gateway of it, or read other files."""
        config = parse_edge(text, self._path)
        if (config.gateway, config.spool.path) != (self._own.gateway, self._own.spool.path):
            raise BadConfig("gateway and [spool] path cannot be pushed: they must be as in the gateway's own file")
        broker = config.broker
        for named in (broker.ca_file, broker.cert_file, broker.key_file, broker.password_file):
            if named and Path(named).resolve().parent != self._path.parent.resolve():
                raise BadConfig(f"[broker] {named}: a pushed config names files in {self._path.parent} only")
        return config

    def _give_up(self, reason: str) -> None:
        candidate = self._record.candidate
        if candidate is not None:
            log.error("the pushed config %d is rolled back: %s", candidate.version, reason)
            said = Said(candidate.version, Status.ROLLED_BACK, reason[:MAX_REASON])
            self._remember(candidate=None, starts=0, said=said)

    def _remember(self, **changes: object) -> None:
        """Note what may be lost: it is found out again at the next start."""
        try:
            self._note(**changes)
        except BadConfig as cause:
            log.error("not noted: %s", cause)
            self._record = msgspec.structs.replace(self._record, **changes)

    def _note(self, **changes: object) -> None:
        record = msgspec.structs.replace(self._record, **changes)
        atomic.write(self._file, msgspec.json.encode(record), atomic.PRIVATE)
        self._record = record


def _recorded(file: Path) -> Record:
    try:
        return msgspec.json.decode(file.read_bytes(), type=Record)
    except FileNotFoundError:
        return Record()
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as cause:
        log.error("what was pushed before is lost, the gateway's own file runs: %s: %s", file, cause)
        return Record()


def _decoded(payload: bytes) -> Pushed:
    if len(payload) > MAX_PUSHED:
        raise BadConfig(f"{len(payload)} bytes, at most {MAX_PUSHED} are read")
    try:
        return msgspec.json.decode(payload, type=Pushed)
    except (msgspec.MsgspecError, UnicodeDecodeError) as cause:
        raise BadConfig(str(cause)) from cause


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
