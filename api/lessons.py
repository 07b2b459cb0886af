"""What the last eight weeks taught of a yard: folded anew from the store, so that everybody who asks has the same.

An opening teaches for those that begin three hours after its end or later; by then the gateways have delivered what they had to
keep for a while. What comes later still, changes what is known from the next opening on: a replica that started before and one
that started after it differ until then.
"""

import datetime as dt
import threading

from api.estimate.learning import learn
from api.estimate.opening import EARLIER
from api.estimate.past import DAY, DAYS_BACK
from api.estimate.profile import COLD, Profile
from api.heard import heard
from hoflicht import hours
from hoflicht.catalogue import City
from hoflicht.hours import OpenPeriod
from hoflicht.instants import ms, utc
from store.readings import Store

SETTLED = dt.timedelta(hours=3)  # an opening's readings are complete; it is also when those of the next one begin to count


def taught(store: Store, city: City, yard: str, opening: OpenPeriod, stopping: threading.Event) -> Profile | None:
    """What the eight weeks before `opening` taught of `yard`; None where `stopping` was set before that was clear.

    Raises what the store raises. Some fifty openings take half a minute.
    """
    profile = COLD
    for period in before(city, yard, opening):
        if stopping.is_set():
            return None
        events = heard(store, city, yard, ms(utc(period.opens) - EARLIER), ms(period.closes) + 1)
        if events:  # nothing teaches nothing, and takes time
            profile = learn(yard, city, events, period, profile)
    return profile


def before(city: City, yard: str, opening: OpenPeriod) -> list[OpenPeriod]:
    """The openings of the eight weeks before `opening` that teach for it."""
    first = opening.opens.date() - DAYS_BACK * DAY
    periods = (hours.period_on(first + n * DAY, city.yards[yard].hours, city) for n in range(DAYS_BACK))
    return [period for period in periods if period is not None and utc(period.closes) + SETTLED <= utc(opening.opens)]
