"""The lamps of one DALI line: levels first, then questions, then what takes long.

    every quarter of a second: decide for each lamp
    every second:              judge the faults of each, tell what is news
    between, frame by frame:   a level that is due → a lamp that is to be asked → the next frame of a long errand

Questions and errands take turns where both wait. An errand reads a memory bank or sets failsafe or groups, frame by frame. Levels
go in between: they touch neither the registers nor the latch that a reading rests on (IEC 62386-102). Only its beginning, which
opens the latch, goes in one: any other command in there would close it again.

Nothing here waits for the network or the disk: observations go into the queue, and where it is full they are counted.
"""

import queue
from collections.abc import Callable, Generator, Mapping, Sequence

from edge.bus import AWAY, Bus, Silence
from edge.config import LampConfig
from edge.faults import SILENT_MS
from edge.groups import Groups
from edge.lamp import GROUPS, SETTINGS, Lamp
from edge.observation import Observation
from edge.reader import Counters
from edge.senses import Posts
from edge.shadow import Shadow
from firmware_bridge import banks, dali
from firmware_bridge.dali import Command, Forward, command, dapc, short
from hoflicht.clock import Clock
from hoflicht.sky import Place
from hoflicht.stop import Stopping

DECIDE_MS = 250  # a ramp of two seconds has eight steps; who drives by waits no longer
TELL_EVERY = 4  # decisions; sixty-four lamps judged each second cost a small board a twentieth of its time
AWAY_MS = 1_000  # a line that carries nothing is tried no more often
# 0.7 s, code 1 of IEC 62386-102: a ramp's steps run into each other, also on a full line whose lamps get theirs each two seconds.
FADE_TIME = 1
LEVELS_IN_A_ROW = 32  # then a question: some each minute show that a line whose lamps ramp for minutes is alive
SETTINGS_OF_A_DRIVER = (  # question, by how many bits its answer is to the left, command, value
    (Command.QUERY_SYSTEM_FAILURE_LEVEL, 0, Command.SET_SYSTEM_FAILURE_LEVEL, dali.FULL),
    (Command.QUERY_POWER_ON_LEVEL, 0, Command.SET_POWER_ON_LEVEL, dali.FULL),
    (Command.QUERY_FADE_TIME_FADE_RATE, 4, Command.SET_FADE_TIME, FADE_TIME),
)

Answers = list[int | Silence]
Frames = Sequence[Forward]
Errand = Generator[Frames, Answers, None]  # frames that go in one; their answers


class Line:
    """Belongs to one thread."""

    def __init__(
        self,
        lamps: Mapping[str, LampConfig],
        bus: Bus,
        place: Place,
        shadow: Shadow,
        posts: Posts,
        out: "queue.Queue[Observation]",
        counters: Counters,
        clock: Clock,
    ) -> None:
        self._lamps = [Lamp(name, lamp.sensor, lamp.address) for name, lamp in lamps.items()]
        self._groups = Groups(self._lamps)
        self._bus = bus
        self._place = place
        self._shadow = shadow
        self._posts = posts
        self._out = out
        self._counters = counters
        self._clock = clock
        self._decide_ms = self._away_until_ms = self._started_ms = clock.monotonic_ms()
        self._errand: tuple[Errand, Frames] | None = None  # and what it sends next
        self._is_errands_turn = False
        self._levels_in_a_row = 0
        self._decisions = 0

    def go_on(self) -> int:
        """Do the most urgent thing, one frame mostly; return for how many ms nothing is to be done now."""
        now_ms = self._clock.monotonic_ms()
        if now_ms >= self._decide_ms:
            self._decide_ms = now_ms + DECIDE_MS
            self._decide(now_ms)
        if now_ms < self._away_until_ms:
            return min(self._decide_ms, self._away_until_ms) - now_ms
        if self._send_level(now_ms) or self._ask_or_run(now_ms):
            return 0
        return max(1, min([self._decide_ms, *(lamp.question_due_ms() for lamp in self._lamps)]) - now_ms)

    def _decide(self, now_ms: int) -> None:
        orders = self._shadow.orders()
        for lamp in self._lamps:
            order = orders.of(lamp.name)
            lamp.decide(order, self._posts.of(order.duty, now_ms), self._place, orders.now_ms, now_ms)
            happening = lamp.happening(now_ms)
            if order.command is not None and happening is not None:
                self._shadow.heed(order.command, lamp.name, happening)
        self._groups.renew()
        self._decisions += 1
        if self._decisions % TELL_EVERY == 0:
            self._tell_news(now_ms)

    def _tell_news(self, now_ms: int) -> None:
        line_is_silent = self._is_silent(now_ms)
        for seen in (seen for lamp in self._lamps for seen in lamp.news(line_is_silent, now_ms)):
            try:
                self._out.put_nowait(seen)
            except queue.Full:  # the disk takes nothing; what waits already is older, and the loss is counted
                self._counters.overflown += 1

    def _is_silent(self, now_ms: int) -> bool:
        """Whether no driver answers: of one alone it cannot be told whether it is broken or has no mains."""
        if len(self._lamps) < 2 or not all(lamp.silence for lamp in self._lamps):
            return False
        return now_ms - max(lamp.answered_ms or self._started_ms for lamp in self._lamps) >= SILENT_MS

    # Frames, by urgency

    def _send_level(self, now_ms: int) -> bool:
        due = sorted((due_ms, n) for n, lamp in enumerate(self._lamps) if (due_ms := lamp.level_due_ms()) <= now_ms)
        if not due or self._levels_in_a_row >= LEVELS_IN_A_ROW:
            self._levels_in_a_row = 0
            return False
        self._levels_in_a_row += 1
        to, those = self._groups.told_with(self._lamps[due[0][1]])
        if self._put(dapc(to, those[0].wanted)) not in AWAY:
            for lamp in those:
                lamp.level_sent(self._clock.monotonic_ms())
        return True

    def _ask_or_run(self, now_ms: int) -> bool:
        asked = min(self._lamps, key=Lamp.question_due_ms, default=None)
        is_asking = asked is not None and asked.question_due_ms() <= now_ms
        self._errand = self._errand or self._next_errand(now_ms)
        if self._errand is not None and not (is_asking and not self._is_errands_turn):
            self._is_errands_turn = False
            self._run(*self._errand)
        elif asked is not None and is_asking:
            self._is_errands_turn = True
            self._ask(asked)
        else:
            return False
        return True

    def _ask(self, lamp: Lamp) -> None:
        to = short(lamp.address)
        status = self._put(command(to, Command.QUERY_STATUS))
        actual = status if isinstance(status, Silence) else self._put(command(to, Command.QUERY_ACTUAL_LEVEL))
        if status not in AWAY and actual not in AWAY:
            lamp.asked(actual, status, self._clock.monotonic_ms())

    def _next_errand(self, now_ms: int) -> tuple[Errand, Frames] | None:
        waiting = [(*due, n) for n, lamp in enumerate(self._lamps) if (due := lamp.errand_due(now_ms)) is not None]
        if not waiting:
            return None
        _, errand, n = min(waiting)
        begun = self._begun(self._lamps[n], errand)
        return begun, next(begun)

    def _begun(self, lamp: Lamp, errand: int) -> Errand:
        if errand == SETTINGS:
            return self._set_up(lamp)
        return self._join(lamp) if errand == GROUPS else self._read(lamp, errand)

    def _run(self, errand: Errand, frames: Frames) -> None:
        answers = [self._put(frame) for frame in frames]
        if self._errand is None:  # the line is away
            return
        try:
            self._errand = errand, errand.send(answers)
        except StopIteration:
            self._errand = None

    def _set_up(self, lamp: Lamp) -> Errand:
        """What the driver does without us: burn. It keeps that without power, and is told only where it has something else."""
        to = short(lamp.address)
        is_done = True
        for question, shift, setter, value in SETTINGS_OF_A_DRIVER:
            [answer] = yield (command(to, question),)
            is_done &= isinstance(answer, int)
            if isinstance(answer, int) and answer >> shift != value:
                yield dali.setting(to, setter, value)
        lamp.errand_done(SETTINGS, is_done, self._clock.monotonic_ms())

    def _join(self, lamp: Lamp) -> Errand:
        """Into its groups, and out of those of others; the driver has the last word."""
        has = yield from self._groups_of(lamp)
        changes = [] if has is None else list(self._groups.changes(lamp, has))
        for change in changes:
            yield (change,)
        lamp.groups = (yield from self._groups_of(lamp)) if changes else has
        is_done = lamp.groups is not None and not any(self._groups.changes(lamp, lamp.groups))
        lamp.errand_done(GROUPS, is_done, self._clock.monotonic_ms())

    def _groups_of(self, lamp: Lamp) -> Generator[Frames, Answers, int | None]:
        to = short(lamp.address)
        low, high = yield command(to, Command.QUERY_GROUPS_0_TO_7), command(to, Command.QUERY_GROUPS_8_TO_15)
        return low | high << 8 if isinstance(low, int) and isinstance(high, int) else None

    def _read(self, lamp: Lamp, bank: int) -> Errand:
        frames = banks.reading(lamp.address, bank)
        first = next(n for n, frame in enumerate(frames) if frame.is_query)
        yield frames[:first]
        answers: list[int | None] = []
        for frame in frames[first:]:
            [answer] = yield (frame,)
            answers.append(answer if isinstance(answer, int) else None)
            if answers[-1] is None:
                break
        lamp.bank_read(bank, banks.values(bank, answers), self._clock.monotonic_ms())

    def _put(self, forward: Forward) -> int | Silence:
        answer = self._bus.ask(forward)
        if isinstance(answer, Silence) and answer in AWAY:
            self._away_until_ms = self._clock.monotonic_ms() + AWAY_MS
            self._errand = None
            for lamp in self._lamps:
                lamp.unreached(answer)
        return answer


def run(line: Line, note: Callable[[], None], stopping: Stopping) -> None:
    """Lead the lamps until `stopping`, which leaves them as they are; `note` is called each time something was done."""
    while not stopping.is_set():
        idle_ms = line.go_on()
        note()
        if idle_ms:
            stopping.wait(idle_ms / 1000)
