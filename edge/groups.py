"""Which lamps of a line are told their level in one frame: all of them, or those of one program, which are a group of drivers.

A frame takes some 30 ms of the line (edge.bus), so sixty lamps that are told one by one have waited two seconds. What moves many at
once is a step of the night or an override of staff, who speak of a group of the city: its lamps burn by one program, as a rule.

Drivers keep their groups without power. So each is asked, at the start and once a day, and told only where it has something else. A
group counts while every driver of the line has said to be in it, or not in it, as it should; who does not answer is not waited for.
The last numbers are ours, since tools that set up a line begin with the first; what drivers have of the others stays as it is.
"""

from collections.abc import Iterator, Sequence

from edge.bus import Silence
from edge.lamp import Lamp
from firmware_bridge import dali
from firmware_bridge.dali import BROADCAST, Forward, membership, short


class Groups:
    """Belongs to the thread of its line."""

    def __init__(self, lamps: Sequence[Lamp]) -> None:
        self._lamps = lamps
        self._every: list[str] = []  # the program of each lamp
        self._programs: list[str] = []  # each has the group of its place, counted from the last one

    def renew(self) -> None:
        """Follow the programs that the lamps have now; whose groups are others now is asked, and told."""
        every = [lamp.program for lamp in self._lamps]
        if every == self._every:
            return
        self._every = every
        self._programs = sorted({name for name in every if 1 < every.count(name) < len(every)})[: dali.GROUPS]
        for lamp in self._lamps:
            if self._programs and not self._is_right(lamp):
                lamp.ask_for_groups()

    def told_with(self, lamp: Lamp) -> tuple[int, Sequence[Lamp]]:
        """The address byte at which `lamp` and as many as possible hear the level that they all want, and who they are."""
        if not lamp.has_missed:
            for to, those in self._of(lamp):
                if all(each.wanted == lamp.wanted for each in those):
                    return to, those
        return short(lamp.address), [lamp]

    def changes(self, lamp: Lamp, has: int) -> Iterator[Forward]:
        """What to tell a driver that is in the groups `has`, a bit for each."""
        for n, program in enumerate(self._programs):
            number = _number(n)
            is_in = program == lamp.program
            if is_in != bool(has >> number & 1):
                yield membership(short(lamp.address), number, is_in=is_in)

    def _of(self, lamp: Lamp) -> Iterator[tuple[int, Sequence[Lamp]]]:
        if len(self._lamps) > 1:
            yield BROADCAST, self._lamps
        if lamp.program in self._programs and all(map(self._is_right, self._lamps)):
            number = _number(self._programs.index(lamp.program))
            yield dali.group(number), [each for each in self._lamps if each.program == lamp.program]

    def _is_right(self, lamp: Lamp) -> bool:
        if lamp.groups is None:
            return lamp.silence is Silence.NO
        return not any(self.changes(lamp, lamp.groups))


def _number(place: int) -> int:
    return dali.GROUPS - 1 - place
