"""One opening more in the profile of a yard: what the night makes of a day."""

from collections.abc import Sequence

import msgspec
import numpy as np

from api.estimate import lasting
from api.estimate.day import Day
from api.estimate.opening import EARLIER, Opening
from api.estimate.pace import BIN_S, MOST, STRAIGHT_CARS, Array
from api.estimate.profile import BINS, Profile
from api.estimate.queue import MISCOUNTS
from hoflicht.catalogue import City
from hoflicht.hours import OpenPeriod
from hoflicht.instants import ms, utc
from hoflicht.reading import Reading

KEPT = 0.97  # of what was learnt, an opening later: a month counts
MANY = 0.02  # of the cars leave unseen: less is a miscount
CONVINCING = 3.0  # the logarithm of how much likelier another error of the counters must be: twenty times


def learn(yard: str, city: City, events: Sequence[Reading], period: OpenPeriod, profile: Profile) -> Profile:
    """`profile` after the opening `period` of `yard`, an id of `city`; `events` are those that `waiting.estimate` wants."""
    opening = Opening(yard, city, events, period, profile)
    carried = tuple(opening.until(ms(utc(period.closes) - EARLIER)).queue.lane.tolist()) if opening.goes_on else ()
    day = opening.until_last_entry()
    if day.entries + day.exits == 0:
        return profile  # nothing was heard, or nobody came: neither teaches
    learnt = _with_miscount(_faded(day, profile, carried), opening, profile, day.queue.log_likelihood)
    return _with_giving_up(learnt, opening, profile, day)


def _faded(day: Day, profile: Profile, carried: tuple[float, ...]) -> Profile:
    # Whoever stood there at the last entry was counted in and will not be let in. Where an opening follows, some did at its begin
    # too; what is believed of both must not teach how well is counted, or a drift would prove itself.
    inside = 0.0 if day.pace.sees_moves else day.queue.mean_inside()
    left_over = 0.0 if carried else day.queue.mean_waiting() + inside
    counted = not any(day.blind)
    tally = day.tally
    return Profile(
        days=profile.days + 1,
        days_kept=KEPT * (profile.days_kept + 1),
        entries=KEPT * (profile.entries + counted * max(day.entries - left_over, 0.0)),
        exits=KEPT * (profile.exits + counted * day.exits),
        exits_beside=KEPT * (profile.exits_beside + counted * day.exits_beside),
        moves=KEPT * (profile.moves + counted * day.moves),
        departures=tuple((KEPT * day.pace.departures).tolist()),
        exposure_s=tuple((KEPT * day.pace.exposure_s).tolist()),
        bin_departures=_kept(profile.bin_departures, day.exposure.departures),
        bin_waiting_s=_kept(profile.bin_waiting_s, day.exposure.waiting_s),
        bin_share_s=_kept(profile.bin_share_s, day.exposure.share_s) if day.pace.sees_moves else (),
        unusual=_unusual(profile, day),
        gate_cars=KEPT * (profile.gate_cars + day.exposure.gate_cars),
        gate_s=KEPT * (profile.gate_s + day.exposure.gate_s),
        gate_every_s=day.pace.gate.learnt_s(),
        straight=(KEPT * day.pace.found_nobody, KEPT * day.pace.went_straight) if counted else profile.straight,
        arrivals=tuple(KEPT * each for each in tally.arrivals),
        waits_s=tuple(KEPT * each for each in tally.waits_s),
        waited=tuple(KEPT * each for each in tally.waited),
        first_cars=tuple(KEPT * each for each in tally.first_cars),
        first_s=tuple(KEPT * each for each in tally.first_s),
        waited_s=KEPT * (profile.waited_s + counted * day.exposure.waited_s),
        miscount=profile.miscount,
        evidence=profile.evidence,
        carried=carried,
        # The first day's weights are those of a model that knew nothing.
        stack=tuple(day.voices.stack.weights.tolist()) if profile.days else (),
        stack_doubt=tuple(day.voices.stack.doubt.ravel().tolist()) if profile.days else (),
        stack_scale_s=day.voices.stack.scale_s,
        band=tuple(day.voices.band.quantiles),
    )


def _unusual(profile: Profile, day: Day) -> tuple[float, float]:
    if not profile.days or not day.pace.sees_moves:
        return profile.unusual  # nothing was usual yet, or nothing tells the share
    usual = day.pace.usual_share(np.arange(0.5, BINS) * BIN_S)
    products, squares = lasting.alike(day.exposure.share_s, day.exposure.waiting_s, usual)
    return KEPT * (profile.unusual[0] + products), KEPT * (profile.unusual[1] + squares)


def _kept(before: tuple[float, ...], today: Array) -> tuple[float, ...]:
    return tuple((KEPT * (np.array(before or np.zeros(len(today))) + today)).tolist())


def _with_miscount(learnt: Profile, opening: Opening, before: Profile, likelihood: float) -> Profile:
    """The day again with the next lower and the next higher error of the counters: which explains it better?"""
    others = {n: msgspec.structs.replace(before, miscount=n) for n in range(len(MISCOUNTS))}
    near = [others.get(before.miscount - 1), others.get(before.miscount + 1)]
    likelier, evidence = _weighed(near, opening, before.evidence, likelihood)
    return msgspec.structs.replace(learnt, miscount=(likelier or before).miscount, evidence=evidence)


def _with_giving_up(learnt: Profile, opening: Opening, before: Profile, day: Day) -> Profile:
    """The same for the rate at which those who wait give up: half of it and twice as much; at first what the counters lose.

    A lane sensor shows that a count is too high, and so that some gave up and were not overlooked; or those show it who find nobody
    and go straight on, where most do.
    """
    found_nobody, went_straight = learnt.straight
    is_shown = day.pace.has_lane or (found_nobody >= STRAIGHT_CARS and went_straight >= MOST * found_nobody)
    if 1 - learnt.per_entry < MANY or not is_shown:
        return msgspec.structs.replace(learnt, gives_up_per_s=0.0, gives_up_evidence=(0.0, 0.0))
    lower = before.gives_up_per_s / 2 or learnt.lost_per_s
    near = [msgspec.structs.replace(before, gives_up_per_s=rate) for rate in (lower, 4 * lower)]
    likelier, evidence = _weighed(near, opening, before.gives_up_evidence, day.queue.log_likelihood)
    return msgspec.structs.replace(learnt, gives_up_per_s=(likelier or before).gives_up_per_s, gives_up_evidence=evidence)


def _weighed(
    others: Sequence[Profile | None], opening: Opening, before: tuple[float, float], likelihood: float
) -> tuple[Profile | None, tuple[float, float]]:
    """Which of two other profiles explains the days convincingly better, if any; and the evidence for each since one did."""
    evidence = [
        KEPT * so_far + opening.log_likelihood(other) - likelihood if other else so_far
        for other, so_far in zip(others, before, strict=True)
    ]
    best = int(np.argmax(evidence))
    return (others[best], (0.0, 0.0)) if evidence[best] > CONVINCING else (None, (evidence[0], evidence[1]))
