"""One lamp: what it shall do, what its driver was told, what the driver says of itself, and which of it is worth a reading."""

from collections.abc import Iterator, Mapping

from edge import dimming
from edge.bus import Silence
from edge.dimming import Decision, Senses
from edge.faults import ARC_TOLERANCE, STEADY_MS, Faults, Seen, Starts
from edge.news import News
from edge.observation import Observation
from edge.shadow import Happening, Order
from firmware_bridge import dali
from firmware_bridge.banks import LUMINAIRE
from hoflicht.sky import Place

AGAIN_MS, REPEAT_MS = 1_000, 60_000  # a level that is not confirmed is sent again, at twice the time each time; every one at last
ASK_MS, ASK_SOON_MS = 2_000, 300  # between two questions; while a level is not confirmed
MOST_TRIES = 6  # that are counted: REPEAT_MS is reached by then
RESIST_MS = 10_000  # a driver that does not follow in that time does not: three repeats lie within
ENERGY, GEAR, LAMP, RATING = 202, 205, 206, 207
SETTINGS, GROUPS = -1, 0  # no banks: its failsafe and its fade; with whom it is told
NEVER_MS = 2**62
OFTEN_MS, RARELY_MS = 300_000, 86_400_000  # energy moves by its step of edge.news in some ten minutes; a rating when somebody comes
ERRAND_MS = {  # how often each is done; SETTINGS first
    **dict.fromkeys((SETTINGS, GROUPS, LUMINAIRE, RATING), RARELY_MS),
    **dict.fromkeys((ENERGY, GEAR, LAMP), OFTEN_MS),
}
TOLD = ("active_power", "energy_import", "voltage", "temperature", "power_factor", "operating_hours", "lamp_starts")
DECIMALS = 3  # a driver counts seconds, and hours with sixteen digits cost mobile data
FAILED = ("lamp_failure", "open_circuit", "short_circuit")
DERATED = ("gear_derating", "gear_shutdown", "lamp_derating", "lamp_shutdown")


class Lamp:
    """Belongs to the thread of its line; all times are monotonic."""

    def __init__(self, name: str, sensor: str, address: int) -> None:
        self.name = name
        self.address = address
        self.sent: int | None = None  # level, as firmware_bridge.dali has it; None: nothing yet
        self.wanted = dali.FULL
        self.silence: Silence | None = None
        self.answered_ms: int | None = None
        self.groups: int | None = None  # that its driver is in, a bit for each; None: it has not said
        self._sensor = sensor
        self._order = Order()
        self._decision: Decision | None = None
        self._wanted_ms = self._changed_ms = 0  # since when that level is wanted, and has been sent
        self._sent_ms = self._asked_ms = 0  # the last time
        self._tries = 0
        self._lost_power = False
        self._actual: int | None = None
        self._status: dali.Status | None = None
        self._banks: dict[str, float] = {}
        self._errand_due_ms = {**dict.fromkeys(ERRAND_MS, 0), GROUPS: NEVER_MS}  # many lines need no groups
        self._power_w: float | None = None  # since the last judgement
        self._switched_on = 0  # since the starts were read last
        self._starts = Starts()
        self._faults = Faults()
        self._news = News()

    # What it shall do

    def decide(self, order: Order, senses: Senses, place: Place, now_ms: int | None, at_ms: int) -> None:
        """Find out which level it shall have now."""
        percent = None if order.command is None else order.command.percent
        before = self._decision
        memory = None if before is None else before.memory
        self._order = order
        self._decision = dimming.decide(now_ms, at_ms, place, order.duty, order.program, senses, percent, memory)
        wanted = dali.arc(self._decision.percent)
        if before is None or wanted != self.wanted:
            self.wanted, self._wanted_ms = wanted, at_ms

    @property
    def program(self) -> str:
        """By which it burns; empty: the failsafe."""
        return self._order.duty.program

    def level_due_ms(self) -> int:
        """When its level is to be sent (again); of several lamps the one comes first that has waited longest."""
        if self.sent != self.wanted or self._lost_power:
            return self._sent_ms
        return self._sent_ms + (REPEAT_MS if self.is_confirmed else min(AGAIN_MS << self._tries, REPEAT_MS))

    def level_sent(self, at_ms: int) -> None:
        """The bus has carried the level that is wanted."""
        self._lost_power = False
        self._sent_ms = at_ms
        if self.sent == self.wanted:
            self._tries = 0 if self.is_confirmed else min(self._tries + 1, MOST_TRIES)
            return
        self._switched_on += not self.sent and self.wanted > 0
        self._tries, self._changed_ms, self.sent = 0, at_ms, self.wanted
        self._actual = self._status = self._power_w = None  # they belong to the level before

    @property
    def is_confirmed(self) -> bool:
        """Whether the driver reports the level that was sent, or the nearest that it has."""
        if self._actual is None or self.sent is None or (self._actual > 0) != (self.sent > 0):
            return False
        return abs(self._actual - self.sent) <= ARC_TOLERANCE or (self._status is not None and self._status.limit_error)

    @property
    def has_missed(self) -> bool:
        """Whether it was told the level that is wanted, and has not confirmed it."""
        return self.sent == self.wanted and not self.is_confirmed

    def happening(self, at_ms: int) -> Happening | None:
        """What it makes of its command; None while it is on its way."""
        if self._decision is None or self._decision.percent != self._decision.target:
            return None
        if self.sent == self.wanted and self.is_confirmed:
            return Happening.FOLLOWED
        return Happening.RESISTED if at_ms - self._wanted_ms >= RESIST_MS else None

    # What its driver says

    def question_due_ms(self) -> int:
        """When it is to be asked for level and status."""
        return self._asked_ms + (ASK_MS if self.is_confirmed or self._tries > 1 else ASK_SOON_MS)

    def asked(self, actual: int | Silence, status: int | Silence, at_ms: int) -> None:
        """Take what it has answered to the two questions."""
        self._asked_ms = at_ms
        self._actual = actual if isinstance(actual, int) and actual <= dali.FULL else None
        self._status = dali.status(status) if isinstance(status, int) else None
        if self._status is not None and self._status.power_cycle_seen:
            self._lost_power = True
            self._errand_due_ms[SETTINGS] = 0  # it may be another one
            self.ask_for_groups()
        self._heard(status, at_ms)

    def unreached(self, silence: Silence) -> None:
        """The line carries nothing."""
        self._actual = self._status = None
        self._heard(silence, 0)

    def errand_due(self, at_ms: int) -> tuple[int, int] | None:
        """Since when which errand waits, the longest first; None where none does, or the driver does not answer."""
        due_ms, errand = min((due_ms, errand) for errand, due_ms in self._errand_due_ms.items())
        return (due_ms, errand) if due_ms <= at_ms and self.silence is None and self.answered_ms is not None else None

    def ask_for_groups(self) -> None:
        """What its driver has said of its groups counts no more."""
        self.groups = None
        self._errand_due_ms[GROUPS] = 0

    def errand_done(self, errand: int, is_done: bool, at_ms: int) -> None:
        """It is done, or was given up."""
        self._errand_due_ms[errand] = at_ms + (ERRAND_MS[errand] if is_done else OFTEN_MS)

    def bank_read(self, bank: int, said: Mapping[str, float], at_ms: int) -> None:
        """Take a bank's values; empty: it could not be read."""
        self.errand_done(bank, bool(said), at_ms)
        self._banks |= said
        if bank == ENERGY and at_ms - self._changed_ms >= STEADY_MS:
            self._power_w = said.get("active_power")
        if bank == LAMP and "lamp_starts" in said:
            self._starts.take(int(said["lamp_starts"]), self._switched_on, at_ms)
            self._switched_on = 0

    def _heard(self, answer: int | Silence, at_ms: int) -> None:
        self.silence = answer if isinstance(answer, Silence) else None
        if self.silence is None:
            self.answered_ms = at_ms

    # What is told of it

    def news(self, line_is_silent: bool, at_ms: int) -> Iterator[Observation]:
        """What is worth a reading now."""
        self._faults.judge(self._seen(line_is_silent, at_ms), at_ms)
        self._power_w = None
        for quantity, value in self._values():
            since_ms = self._news.take(quantity, value, at_ms)
            if since_ms is not None:
                yield Observation(self.name, self._sensor, quantity, since_ms, value)

    def _values(self) -> Iterator[tuple[str, float]]:
        if self._decision is not None:
            yield "level_target", self._decision.target
            yield "light_reason", float(self._decision.reason)
        if self.sent is not None:
            yield "level_feedback", dali.percent(self.sent)
        if self._actual is not None:
            yield "level_actual", dali.percent(self._actual)
        if self.silence is None:
            yield from ((name, round(self._banks[name], DECIMALS)) for name in TOLD if name in self._banks)
            yield from (("life_left", left) for left in self._life_left())
        yield from ((name, float(is_raised)) for name, is_raised in self._faults.raised.items())

    def _life_left(self) -> Iterator[float]:
        """By burn hours or by starts, whichever is less."""
        used = [
            self._banks[spent] / self._banks[rated]
            for spent, rated in (("operating_hours", "rated_hours"), ("lamp_starts", "rated_starts"))
            if spent in self._banks and self._banks.get(rated)
        ]
        if used:
            yield round(max(0.0, 100 * (1 - max(used))), 1)

    def _seen(self, line_is_silent: bool, at_ms: int) -> Seen:
        return Seen(
            silence=self.silence,
            line_is_silent=line_is_silent,
            sent=self.sent or 0,
            is_steady=self.sent is not None and at_ms - self._changed_ms >= STEADY_MS,
            actual=self._actual,
            status=self._status,
            power_w=self._power_w,
            measures_power="active_power" in self._banks,
            nominal_w=self._banks.get("nominal_power", self._order.duty.nominal_power_w),
            cycles=self._starts.within(at_ms),
            temperature_cel=self._banks.get("temperature"),
            has_failed=any(self._banks.get(name) for name in FAILED),
            is_derated=any(self._banks.get(name) for name in DERATED),
        )
