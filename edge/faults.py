"""Which faults a lamp has: from what is seen of it to states that are raised once and cleared once for each incident.

Each fault has a judgement: it is seen (True), it is seen to be well (False), or what is seen says nothing of it (None): a lamp that
is off shows no failure, and a power between the two thresholds is neither. A fault is raised where it is seen and has been for so
long without having been seen well in between, and cleared the other way round. A fault that is masked by a worse one is not judged.

The thresholds are ours: TALQ leaves them to the operator. Flags of the driver (DiiA part 253) are its own judgement.
"""

from collections import deque
from collections.abc import Callable, Mapping

import msgspec

from edge.bus import Silence
from firmware_bridge import dali
from firmware_bridge.dali import Status

STEADY_MS = 10_000  # after a level was sent anew: the fade, the driver's own start and two questions lie within
SILENT_MS = 30_000  # a whole line whose drivers answer nothing for so long has no mains
DARK_W, DARK_SHARE = 5.0, 0.1  # what a lamp that is off may take: a driver 0.5 W (EU 2019/2020), with sensors behind it some watts
STANDBY_W = 0.5
ARC_TOLERANCE = 2  # steps of the dimming curve, 6 % of the light: a driver may round
HIGH, HIGH_WELL, LOW, LOW_WELL = 1.25, 1.15, 0.75, 0.85  # of the power that the level explains; luminaires of a kind spread by 10 %
SPREAD_W = 3.0  # and so much more or less: at low levels a driver's own need weighs more
HOT_CEL, HOT_WELL_CEL = 85.0, 75.0  # inside the driver; its case is then at about what such drivers are rated for
CYCLES, CYCLES_MS = 3, 1_800_000  # starts that nobody asked for; an old lamp cools for minutes in between


class Seen(msgspec.Struct, frozen=True):
    """What is known of one lamp at an instant; None: not known."""

    silence: Silence | None  # of the last question; None: it was answered
    line_is_silent: bool  # no driver of the line has answered for SILENT_MS, and there are several
    sent: int  # level, as firmware_bridge.dali has it
    is_steady: bool  # since STEADY_MS
    actual: int | None  # level
    status: Status | None
    power_w: float | None  # just measured, at this level
    measures_power: bool
    nominal_w: float
    cycles: int  # starts that nobody asked for, within CYCLES_MS
    temperature_cel: float | None
    has_failed: bool  # by the driver's own flags
    is_derated: bool


Judge = Callable[[Seen], bool | None]


class Starts:
    """Starts of a lamp that nobody asked for."""

    def __init__(self) -> None:
        self._counted: int | None = None
        self._seen_ms: deque[int] = deque(maxlen=CYCLES)

    def take(self, counted: int, asked_for: int, now_ms: int) -> None:
        """Take the driver's count, and how often it was told to switch on since the last one."""
        surprising = 0 if self._counted is None else counted - self._counted - asked_for
        self._seen_ms.extend([now_ms] * min(max(surprising, 0), CYCLES))
        self._counted = counted

    def within(self, now_ms: int) -> int:
        """How many of them within CYCLES_MS, at most CYCLES."""
        return sum(now_ms - seen_ms < CYCLES_MS for seen_ms in self._seen_ms)


def _supply_loss(seen: Seen) -> bool | None:
    if seen.silence is Silence.NO_GATEWAY:
        return None
    return seen.silence is Silence.NO_POWER or seen.line_is_silent


def _control_gear_comm_failure(seen: Seen) -> bool | None:
    return seen.silence is not None


def _high_temperature(seen: Seen) -> bool | None:
    if seen.is_derated or seen.temperature_cel is None:
        return seen.is_derated or None
    return _beyond(seen.temperature_cel, HOT_CEL, HOT_WELL_CEL)


def _cycling_failure(seen: Seen) -> bool | None:
    if seen.cycles >= CYCLES:
        return True
    return None if seen.cycles or not seen.sent else False


def _lamp_failure(seen: Seen) -> bool | None:
    if seen.has_failed or (seen.status is not None and seen.status.lamp_failure):
        return True
    if not seen.sent or not seen.is_steady or seen.actual is None:
        return None
    return seen.actual == 0


def _lamp_unexpected_on(seen: Seen) -> bool | None:
    if seen.sent or not seen.is_steady or seen.actual is None:
        return None
    if seen.actual or not seen.measures_power:
        return seen.actual > 0
    return None if seen.power_w is None else seen.power_w > max(DARK_W, DARK_SHARE * seen.nominal_w)


def _dimming_failure(seen: Seen) -> bool | None:
    if not seen.sent or not seen.actual or not seen.is_steady or seen.status is None or seen.status.limit_error:
        return None  # also where it was asked for more or less than it can
    return abs(seen.actual - seen.sent) > ARC_TOLERANCE


def _at_another_level(well: Seen, bad: Seen) -> bool:
    """A lamp that is asked for the very level at which it is stuck, for a car that passes, does not dim well by that."""
    return abs((well.actual or 0) - (bad.actual or 0)) > ARC_TOLERANCE


def _lamp_power_too_high(seen: Seen) -> bool | None:
    if seen.power_w is None or not seen.actual:
        return None
    return _beyond(seen.power_w, HIGH * _explained_w(seen) + SPREAD_W, HIGH_WELL * _explained_w(seen) + SPREAD_W)


def _lamp_power_too_low(seen: Seen) -> bool | None:
    if seen.power_w is None or not seen.actual:
        return None
    return _beyond(-seen.power_w, SPREAD_W - LOW * _explained_w(seen), SPREAD_W - LOW_WELL * _explained_w(seen))


def _beyond(value: float, bad: float, well: float) -> bool | None:
    return True if value > bad else False if value < well else None


def _explained_w(seen: Seen) -> float:
    return STANDBY_W + (seen.nominal_w - STANDBY_W) * dali.percent(seen.actual or 0) / 100


def _always(_well: Seen, _bad: Seen) -> bool:
    return True


class Rule(msgspec.Struct, frozen=True):
    """How long a fault must be seen until it is raised, and be seen well until it is cleared; and what explains it away."""

    judge: Judge
    raise_ms: int
    clear_ms: int
    masked_by: tuple[str, ...] = ()
    is_proof: Callable[[Seen, Seen], bool] = _always  # that what is seen well, after what was seen last of the fault, ends it


_GONE = ("supply_loss", "control_gear_comm_failure")
_UNSTEADY = (*_GONE, "cycling_failure", "lamp_failure")
RULES: Mapping[str, Rule] = {  # in this order: masks come before what they mask
    "supply_loss": Rule(_supply_loss, 10_000, 10_000),
    # A noisy line may swallow every other answer, but not all of two minutes.
    "control_gear_comm_failure": Rule(_control_gear_comm_failure, 120_000, 10_000, ("supply_loss",)),
    "high_temperature": Rule(_high_temperature, 0, 600_000, _GONE),
    "cycling_failure": Rule(_cycling_failure, 0, CYCLES_MS, _GONE),
    "lamp_failure": Rule(_lamp_failure, 60_000, 60_000, (*_GONE, "high_temperature", "cycling_failure")),
    "lamp_unexpected_on": Rule(_lamp_unexpected_on, 60_000, 60_000, _GONE),
    "dimming_failure": Rule(_dimming_failure, 60_000, 60_000, _UNSTEADY, _at_another_level),
    # Power is measured each few minutes: a minute means twice.
    "lamp_power_too_high": Rule(_lamp_power_too_high, 60_000, 60_000, _UNSTEADY),
    "lamp_power_too_low": Rule(_lamp_power_too_low, 60_000, 60_000, (*_UNSTEADY, "high_temperature")),
}


class Faults:
    """The faults of one lamp. One of which nothing was seen yet is in neither state: a restart clears nothing."""

    def __init__(self) -> None:
        self.raised: dict[str, bool] = {}
        self._otherwise: dict[str, tuple[bool, int]] = {}  # what is seen instead, and since when
        self._bad: dict[str, Seen] = {}  # what was seen last of each

    def judge(self, seen: Seen, now_ms: int) -> None:
        """Take what is seen now."""
        for name, rule in RULES.items():
            if any(self.raised.get(worse) for worse in rule.masked_by):
                self._otherwise.pop(name, None)
            elif (verdict := self._verdict(name, rule, seen)) is not None:
                self._heed(name, verdict, rule.raise_ms if verdict else rule.clear_ms, now_ms)

    def _verdict(self, name: str, rule: Rule, seen: Seen) -> bool | None:
        verdict = rule.judge(seen)
        if verdict:
            self._bad[name] = seen
        is_over = verdict is False and self.raised.get(name)
        return None if is_over and not rule.is_proof(seen, self._bad[name]) else verdict

    def _heed(self, name: str, verdict: bool, lasts_ms: int, now_ms: int) -> None:
        before, since_ms = self._otherwise.pop(name, (verdict, now_ms))
        if verdict is self.raised.get(name):
            return
        if before is not verdict:
            since_ms = now_ms
        if now_ms - since_ms >= lasts_ms:
            self.raised[name] = verdict
        else:
            self._otherwise[name] = verdict, since_ms
