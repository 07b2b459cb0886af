"""`hoflicht firmware`: a node on a pty gets another program, whatever is cut off in between."""

import copy
import json
import os
import pty
import random
import signal
import subprocess
import sys
import time
import tty
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from edge import firmware
from edge.firmware import Step, next_step, update
from edge.image import parse
from edge.mcumgr import Node, Slot
from firmware_bridge.devices import Line
from firmware_bridge.frames import Sample
from hoflicht.broker import BrokerConfig
from hoflicht.clock import SystemClock
from hoflicht.errors import Refused, Unavailable
from simulators import devices, mcumgr
from simulators.flash import Flash, digest
from simulators.mcumgr import Board
from tests.conftest import free_port
from tests.roles import Role, eventually, write_edge
from tests.signed import ed25519, serving, signed, write_public
from tests.test_reader import SDS011

KEY = ed25519()
OLD = signed(b"the old program" * 50, KEY)
NEW = signed(b"the new program" * 50, KEY, (1, 1, 0, 0))
OTHER = signed(b"another program" * 50, KEY, (9, 0, 0, 0))
LARGE = signed(random.Random(1).randbytes(60_000), KEY, (2, 0, 0, 0))
GATEWAY = "gw-hof-nord"
REQUESTS, RESTART = 14, 10  # of an update of NEW that nothing disturbs: in all, and the one to restart
WAIT_MS = 2_000


class Bench:
    """A board at a pty, and the command's inner part with little patience."""

    def __init__(self, folder: Path) -> None:
        self.link = folder / "node"
        self.app = devices.Node(7)
        self.flash = Flash(OLD)
        self.told: list[str] = []

    def board(self, **settings: object) -> Board:
        return Board(self.flash, self.app, **settings)  # type: ignore[arg-type]

    def update(self, image: bytes = NEW, answer_s: float = 0.2, wait_ms: int = WAIT_MS) -> None:
        with Node(str(self.link), Line(115_200), answer_s=answer_s, erase_s=answer_s) as node:
            update(node, parse(image), self.told.append, SystemClock(), wait_ms)

    def runs(self, image: bytes) -> bool:
        """Whether the image runs, and still does after a power cut."""
        return self.flash.slots[0] == image and after_a_power_cut(self.flash) == image


def after_a_power_cut(flash: Flash) -> bytes:
    """What would run."""
    flash = copy.deepcopy(flash)
    if flash.power_on():
        flash.swap()
    return flash.slots[0]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def slot(image: str, flags: str = "") -> Slot:
    return Slot(image.encode(), "1.0.0", "active" in flags, "confirmed" in flags, "pending" in flags)


@pytest.mark.parametrize(
    ("slots", "step"),
    [
        ([], Step.UPLOAD),
        ([slot("old", "active confirmed")], Step.UPLOAD),
        ([slot("old", "active confirmed"), slot("other", "pending")], Step.UPLOAD),
        ([slot("old", "active confirmed"), slot("new")], Step.MARK),
        ([slot("old", "active confirmed"), slot("new", "pending")], Step.RESTART),
        ([slot("new", "active"), slot("old", "confirmed")], Step.CONFIRM),
        ([slot("new", "active confirmed"), slot("old")], Step.DONE),
        ([slot("new", "active confirmed"), slot("new")], Step.DONE),
    ],
)
def test_what_is_next_follows_from_what_the_node_has(slots: list[Slot], step: Step) -> None:
    assert next_step(slots, b"new") is step


def test_a_node_gets_another_program_and_keeps_it(bench: Bench) -> None:
    board = bench.board(swap_ms=100)
    with serving(bench.link, board):
        bench.update()

    assert bench.runs(NEW)
    assert bench.flash.slots[1] == OLD
    assert bench.told[0].startswith("the node runs 1.0.0; the image is 1.1.0.0, SHA-256 ")
    assert bench.told[-1] == "the node runs it and keeps it"


def test_progress_is_told_in_tenths(bench: Bench) -> None:
    with serving(bench.link, bench.board()):
        bench.update(LARGE)

    percent = [line.partition(" of ")[0] for line in bench.told if " % of " in line]
    assert percent == [f"{n} %" for n in range(0, 101, 10)]


def test_a_program_that_runs_already_is_left_alone(bench: Bench) -> None:
    board = bench.board()
    with serving(bench.link, board):
        bench.update(OLD)

    assert bench.told[-1] == "the node runs it already and keeps it: nothing to do"
    assert board.uploaded == []


@pytest.mark.parametrize(
    ("comes_back", "obeys"),
    [(True, True), pytest.param(True, False, marks=pytest.mark.chaos), pytest.param(False, True, marks=pytest.mark.chaos)],
)
@pytest.mark.parametrize("cut_at", range(1, REQUESTS + 1))
def test_a_power_cut_at_any_request_leaves_a_node_that_boots_and_can_be_updated(
    bench: Bench, cut_at: int, comes_back: bool, obeys: bool
) -> None:
    board = bench.board(swap_ms=20)
    board.cut_at, board.cut_obeys, board.comes_back = cut_at, obeys, comes_back
    with serving(bench.link, board):
        fails = 0
        while not bench.runs(NEW):
            try:
                bench.update(answer_s=0.1)
            except (Refused, Unavailable):
                fails += 1
            assert after_a_power_cut(bench.flash) in (OLD, NEW)
            assert fails < 3
            if not board.is_on:
                board.start()
        bench.update()

    assert board.requests > cut_at
    assert bench.told[-1] == "the node runs it already and keeps it: nothing to do"


def test_no_request_of_an_update_is_left_uncut(bench: Bench) -> None:
    board = bench.board()
    with serving(bench.link, board):
        bench.update()

    assert board.requests <= REQUESTS + 1  # one more look for the node to be back, on a busy machine


def test_a_power_cut_in_the_middle_of_the_swap_does_no_harm(bench: Bench) -> None:
    board = bench.board(swap_ms=100)
    board.cut_swap = True
    with serving(bench.link, board):
        bench.update()

    assert not board.cut_swap
    assert bench.runs(NEW)


def test_what_is_in_the_node_is_not_sent_again(bench: Bench) -> None:
    board = bench.board()
    board.cut_at = 60
    board.comes_back = False
    with serving(bench.link, board):
        with pytest.raises(Unavailable, match="the node does not answer"):
            bench.update(LARGE)
        board.is_on = True  # a pulled plug, not a power cut: what was in RAM is still there
        bench.update(LARGE)

    assert bench.runs(LARGE)
    assert board.uploaded == sorted(set(board.uploaded))


def test_an_image_of_which_only_the_last_answer_was_lost_is_not_sent_again(bench: Bench) -> None:
    board = bench.board()
    board.cut_obeys = True

    def cut_the_third_and_last() -> None:
        if len(board.uploaded) == 2:
            board.cut_at = board.requests + 1

    with serving(bench.link, board, between=cut_the_third_and_last):
        bench.update()

    assert 0 < board.cut_at < board.requests
    assert len(board.uploaded) == 3


def test_a_lost_answer_to_the_restart_does_not_end_the_trial(bench: Bench) -> None:
    board = bench.board()
    board.cut_at, board.cut_obeys = RESTART, True  # a restart, and no answer
    with serving(bench.link, board):
        bench.update()

    assert bench.told[-1] == "the node runs it and keeps it"


def test_a_program_that_hangs_is_rolled_back_by_the_node_itself(bench: Bench) -> None:
    board = bench.board(dead=frozenset({digest(NEW)}))
    with serving(bench.link, board), pytest.raises(Refused, match="MCUboot has gone back to the old program"):
        bench.update()

    assert bench.runs(OLD)


def test_a_node_that_does_not_come_back_is_said(bench: Bench) -> None:
    board = bench.board(swap_ms=60_000)
    with serving(bench.link, board), pytest.raises(Unavailable, match=r"has not come back within 0\.3 s"):
        bench.update(wait_ms=300)


def test_a_restart_that_was_not_heard_is_asked_for_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(firmware, "RESTART_AGAIN_MS", 300)
    board = bench.board()
    board.unheard_restarts = 1
    with serving(bench.link, board):
        bench.update()

    assert bench.runs(NEW)


def test_bytes_that_get_lost_cost_time_only(bench: Bench) -> None:
    rng = random.Random(7)

    def lossy(data: bytes) -> bytes:
        return bytes(byte for byte in data if rng.random() > 1 / 4_000)

    board = bench.board(spoil=lossy)
    with serving(bench.link, board):
        bench.update(LARGE)

    assert bench.runs(LARGE)


def test_the_nodes_own_frames_do_not_disturb(bench: Bench) -> None:
    def passes_by() -> None:
        bench.app.tell([Sample("passage", 1.0, "gate-in")])

    with serving(bench.link, bench.board(), between=passes_by):
        bench.update(LARGE)

    assert bench.runs(LARGE)


def test_noise_that_looks_like_an_answer_is_none(bench: Bench) -> None:
    rng = random.Random(3)

    def noisy(data: bytes) -> bytes:
        false = b"\x06\x09" + rng.randbytes(20) + b"\n" if rng.random() < 0.01 else b""  # some five a second
        return false + data

    with serving(bench.link, bench.board(spoil=noisy)):
        bench.update(LARGE, answer_s=0.5)  # a machine may stand still for a moment, but not that long five times in a row

    assert bench.runs(LARGE)


def test_an_answer_that_comes_late_is_not_taken_for_the_next_one(bench: Bench) -> None:
    false = [b"\x06\x09!\n"]

    def before_the_answer(data: bytes) -> bytes:
        return false.pop() + data if false and board.requests == 3 else data

    board = bench.board(answer_ms=40, spoil=before_the_answer)
    with serving(bench.link, board):
        bench.update()

    assert not false
    assert bench.runs(NEW)


def test_what_the_node_refuses_is_said_in_its_words(bench: Bench) -> None:
    bench.flash.size = len(LARGE) - 1
    with serving(bench.link, bench.board()):
        with pytest.raises(Refused, match="the node refuses the image: INVALID_IMAGE_TOO_LARGE"):
            bench.update(LARGE)
        bench.flash.slots[1], bench.flash.is_marked = OTHER, True
        with pytest.raises(Refused, match="the node refuses the image: NO_FREE_SLOT"):
            bench.update()


class Stubborn(Board):
    """Answers everything, and takes nothing."""

    def _answer(self, kind: int, group: int, command: int, body: Mapping[str, Any]) -> dict[str, Any]:
        if (group, command) == (mcumgr.IMAGE, mcumgr.UPLOAD):
            return {"off": 0}
        answer = super()._answer(kind, group, command, body)
        return answer | {"buf_size": 2} if "buf_size" in answer else answer


def test_a_node_that_does_not_get_on_is_given_up(bench: Bench) -> None:
    board = Stubborn(bench.flash, bench.app)
    with serving(bench.link, board), pytest.raises(Unavailable, match="the node does not answer"):
        bench.update()

    assert bench.runs(OLD)


def test_a_port_that_does_not_open_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.mcumgr.OPEN_S", 0.1)
    with pytest.raises(Unavailable, match="does not open: is it plugged in"):
        Bench(tmp_path).update()


class Gateway:
    """The config of a gateway with a node and an air sensor at ptys, and the command line."""

    def __init__(self, folder: Path, bench: Bench) -> None:
        self.air, theirs = pty.openpty()
        self._theirs = theirs
        tty.setraw(theirs)
        self.http = free_port()
        tables = (
            f'[ports.air]\npath = "{os.ttyname(theirs)}"\ndriver = "sds011"\nsite = "hof-nord"\nsensor = "air"\naverage_s = 0.2\n'
        )
        tables += f'[ports.gate]\npath = "{bench.link}"\ndriver = "node"\nsite = "hof-nord"\n'
        self.config = write_edge(folder, BrokerConfig(port=free_port()), GATEWAY, tables)
        self.config.write_text(f'http = "127.0.0.1:{self.http}"\n{self.config.read_text()}')
        self.key = write_public(KEY, folder / "public.pem")
        self._image = folder / "image.bin"

    def close(self) -> None:
        os.close(self.air)
        os.close(self._theirs)

    def command(self, image: bytes, port: str = "gate", *more: str) -> list[str]:
        self._image.write_bytes(image)
        command = ("firmware", str(self.config), port, str(self._image), "--key", str(self.key), *more)
        return [sys.executable, "-m", "hoflicht", *command]

    def run(self, image: bytes, port: str = "gate", *more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.command(image, port, *more), capture_output=True, text=True, check=False)

    def ports(self) -> dict[str, dict[str, int]]:
        """What the agent says of its ports: whether they are open, and how many frames came."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http}/healthz", timeout=2) as answer:
                body = answer.read()
        except urllib.error.HTTPError as error:  # 503: no broker
            with error:
                body = error.read()
        except OSError:  # not yet
            return {"air": {"open": False, "frames": 0}, "gate": {"open": False, "frames": 0}}
        ports: dict[str, dict[str, int]] = json.loads(body)["ports"]
        return ports

    def breathes(self) -> int:
        """One more frame of the air sensor; how many were counted before."""
        os.write(self.air, SDS011[:10])
        return self.ports()["air"]["frames"]


@pytest.fixture
def gateway(tmp_path: Path, bench: Bench) -> Iterator[Gateway]:
    gateway = Gateway(tmp_path, bench)
    yield gateway
    gateway.close()


def test_the_command_works_where_no_agent_runs(bench: Bench, gateway: Gateway) -> None:
    with serving(bench.link, bench.board()):
        first, again = gateway.run(NEW), gateway.run(NEW)

    assert (first.returncode, first.stderr) == (0, "")
    assert "100 % of " in first.stdout
    assert first.stdout.endswith("the node runs it and keeps it\n")
    assert (again.returncode, again.stdout.splitlines()[1:]) == (0, ["the node runs it already and keeps it: nothing to do"])
    assert bench.runs(NEW)


def test_a_wrong_port_lists_those_with_nodes(gateway: Gateway) -> None:
    answer = gateway.run(NEW, "air")

    assert answer.returncode == 2
    assert answer.stderr == f"hoflicht firmware: {gateway.config}: a port with a node named 'air' is unknown; known: gate\n"


@pytest.mark.parametrize(
    ("image", "why"),
    [
        (signed(b"program", None), "no signature of the kind of this key (Ed25519)"),
        (signed(b"program", ed25519()), "not signed with this key"),
        (NEW[:-1], f"cut off: {len(NEW) - 1} of {len(NEW)} bytes"),
    ],
)
def test_no_byte_is_sent_of_an_image_that_is_not_ours(bench: Bench, gateway: Gateway, image: bytes, why: str) -> None:
    board = bench.board()
    with serving(bench.link, board):
        answer = gateway.run(image)

    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr.endswith(f"image.bin: {why}\n")
    assert answer.stderr.count("\n") == 1
    assert board.requests == 0


def test_a_program_that_was_rolled_back_is_exit_code_1(bench: Bench, gateway: Gateway) -> None:
    with serving(bench.link, bench.board(dead=frozenset({digest(NEW)}))):
        answer = gateway.run(NEW)

    assert answer.returncode == 1
    assert answer.stderr.startswith("hoflicht firmware: MCUboot has gone back to the old program")


def test_a_command_that_is_interrupted_says_how_to_go_on(bench: Bench, gateway: Gateway) -> None:
    with (
        serving(bench.link, bench.board(answer_ms=50)),
        subprocess.Popen(gateway.command(LARGE), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as command,
    ):
        assert command.stdout is not None
        while "10 % of " not in command.stdout.readline():
            assert command.poll() is None
        command.send_signal(signal.SIGINT)
        _, said = command.communicate()

    assert command.returncode == 1
    assert said == "hoflicht firmware: cut off; run it again, it goes on\n"


def test_the_agent_lends_its_port_and_goes_on_reading_the_others(tmp_path: Path, bench: Bench, gateway: Gateway) -> None:
    def passes_by() -> None:
        bench.app.tell([Sample("passage", 1.0, "gate-in")])

    with serving(bench.link, bench.board(answer_ms=10), between=passes_by), Role(tmp_path, "edge", gateway.config) as edge:
        assert eventually(lambda: gateway.breathes() and gateway.ports()["gate"]["frames"])
        with subprocess.Popen(gateway.command(LARGE), stdout=subprocess.PIPE, text=True) as command:
            assert command.stdout is not None
            while "10 % of " not in command.stdout.readline():
                assert command.poll() is None
            meanwhile, before = gateway.ports(), gateway.breathes()
            assert eventually(lambda: gateway.breathes() >= before + 3)
            still = gateway.ports()
            assert command.poll() is None
            command.communicate()
        after = eventually(lambda: gateway.ports()["gate"]["frames"] > meanwhile["gate"]["frames"])
        assert edge.stop() == 0

    assert command.returncode == 0
    assert bench.runs(LARGE)
    assert not meanwhile["gate"]["open"]
    assert meanwhile["gate"] == still["gate"]
    assert after
    log = edge.log.read_text()
    assert log.count("port gate is lent to another program") == log.count("port gate is back and read again") == 1
    assert "WARNING" not in log.replace("no broker", "").split("lent to another program")[1].split("read again")[0]


def test_a_command_that_is_killed_gives_the_port_back_and_the_next_one_goes_on(
    tmp_path: Path, bench: Bench, gateway: Gateway
) -> None:
    board = bench.board(answer_ms=10)
    with serving(bench.link, board), Role(tmp_path, "edge", gateway.config):
        assert eventually(lambda: gateway.ports()["gate"]["open"])
        with subprocess.Popen(gateway.command(LARGE), stdout=subprocess.PIPE, text=True) as command:
            assert command.stdout is not None
            while "30 % of " not in command.stdout.readline():
                assert command.poll() is None
            assert not gateway.ports()["gate"]["open"]
            command.send_signal(signal.SIGKILL)
        killed_at = time.monotonic()
        assert eventually(lambda: gateway.ports()["gate"]["open"])
        back_s = time.monotonic() - killed_at

        assert gateway.run(LARGE).returncode == 0

    assert back_s < 5
    assert bench.runs(LARGE)
    assert board.uploaded == sorted(set(board.uploaded))
