"""What each gateway's lamps shall do: the catalogue's policy, staff's words on top, and the overrides that are not over."""

from collections.abc import Mapping

from api.light.lights import Members, Said, counting, on_top
from hoflicht import shadow
from hoflicht.catalogue import City, duty, sites_by_gateway
from hoflicht.errors import BadPayload
from hoflicht.program import misfits
from hoflicht.shadow import MAX_COMMANDS, MAX_LAMPS, Command, Desired

MAX_SENT = shadow.MAX_PAYLOAD - 1_024  # bytes; what a broker counts of a message is more than its payload


def lamps_by_gateway(city: City) -> dict[str, list[str]]:
    """The lamps of each gateway that speaks for some, by name."""
    sites = sites_by_gateway(city)
    speaking = {name: sorted(sites[name] & city.lamps.keys()) for name in city.gateways}
    return {name: lamps for name, lamps in speaking.items() if lamps}


def compose(city: City, said: Said, members: Members, gateways: Mapping[str, list[str]], now_ms: int) -> dict[str, Desired]:
    """By gateway, with version 0; of programs only those that its lamps burn by."""
    wanted = on_top(city, said)
    duties = {lamp: duty(wanted, lamp) for lamp in wanted.lamps}
    in_force = [(override, frozenset(lamps)) for override, lamps in counting(said, members, now_ms)]
    composed = {}
    for name, lamps in gateways.items():
        programs = sorted({duties[lamp].program for lamp in lamps} - {""})
        shares = [(override, tuple(lamp for lamp in lamps if lamp in those)) for override, those in reversed(in_force)]
        composed[name] = Desired(
            version=0,
            programs={program: wanted.programs[program] for program in programs},
            lamps={lamp: duties[lamp] for lamp in lamps},
            commands=tuple(
                Command(id=each.id, lamps=share, percent=each.percent, at_ms=each.at_ms, until_ms=each.until_ms)
                for each, share in shares
                if share
            ),
        )
    return composed


def complaint(composed: Mapping[str, Desired]) -> str:
    """Why a gateway could not follow; empty: all can."""
    for name, desired in composed.items():
        if len(desired.lamps) > MAX_LAMPS:
            return f"the gateway {name} speaks for {len(desired.lamps)} lamps; at most {MAX_LAMPS} are led by one"
        if len(desired.commands) > MAX_COMMANDS:
            return f"the gateway {name} has {MAX_COMMANDS} overrides already; release some, or say it of a group"
        payload = shadow.encode(desired)
        if len(payload) > MAX_SENT:
            return f"what the gateway {name} shall do is longer than {MAX_SENT} bytes: programs, lamps and overrides together"
        try:
            shadow.desired(payload)  # what it would say itself, and then keep nothing of it
        except BadPayload as cause:
            return f"the gateway {name} could not follow: {cause}"
    return ""


def unfit(city: City, said: Said) -> str:
    """Why a lamp cannot keep a lighting class that its program asks for; empty: all can. The catalogue is held to the same."""
    wanted = on_top(city, said)
    for lamp in wanted.lamps:
        told = duty(wanted, lamp)
        for misfit in misfits(wanted.programs[told.program], told.lighting_class) if told.program else ():
            return f"{lamp}: the program {told.program!r} asks for a lighting class: {misfit}"
    return ""
