"""A port that is lent: the agent keeps away from it, and gets it back whatever becomes of the borrower."""

import fcntl
import logging
import os
import pty
import queue
import signal
import subprocess
import sys
import threading
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge import reader
from edge.config import PortConfig
from edge.drivers import DRIVERS
from edge.loan import LOOK_MS, Loan, borrowed, file_of
from edge.reader import Counters, Intake
from firmware_bridge.port import Port
from hoflicht.clock import HandClock, SystemClock
from hoflicht.errors import BadConfig, Refused
from hoflicht.stop import Stopping
from tests.roles import eventually
from tests.test_reader import SDS011

BORROWER = """
import sys, time
from pathlib import Path
from edge.loan import borrowed
with borrowed(Path(sys.argv[1])):
    print("mine", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return file_of(str(tmp_path / "spool.db"), "node")


@pytest.fixture
def line() -> Iterator[tuple[int, str]]:
    """Our end of a pty, and the name of the other."""
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    yield ours, os.ttyname(theirs)
    os.close(ours)
    os.close(theirs)


def test_a_port_is_lent_while_somebody_holds_the_loan(file: Path, clock: HandClock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    loan = Loan(file, "node", clock)
    assert not loan.is_out()
    with borrowed(file):
        clock.advance(LOOK_MS)
        assert loan.is_out()
        clock.advance(LOOK_MS)
        assert loan.is_out()
    clock.advance(LOOK_MS)
    assert not loan.is_out()

    assert caplog.messages == ["port node is lent to another program", "port node is back and read again"]


def test_the_agent_looks_once_a_second(file: Path, clock: HandClock) -> None:
    loan = Loan(file, "node", clock)
    assert not loan.is_out()
    with borrowed(file):
        clock.advance(LOOK_MS - 1)
        assert not loan.is_out()
        clock.advance(1)
        assert loan.is_out()


def test_each_port_is_lent_alone(tmp_path: Path, file: Path, clock: HandClock) -> None:
    with borrowed(file):
        assert not Loan(file_of(str(tmp_path / "spool.db"), "air"), "air", clock).is_out()


def test_a_second_borrower_is_refused(file: Path) -> None:
    with borrowed(file), pytest.raises(Refused, match="another command has borrowed this port"), borrowed(file):
        pass


def test_a_look_of_the_agent_does_not_refuse_the_borrower(file: Path) -> None:
    with file.open("w") as look:
        fcntl.flock(look, fcntl.LOCK_SH)
        ended = threading.Timer(0.1, look.close)
        ended.start()

        with borrowed(file):
            ended.join()


def test_a_borrower_that_is_killed_gives_the_port_back_at_once(file: Path, clock: HandClock) -> None:
    loan = Loan(file, "node", clock)
    with subprocess.Popen([sys.executable, "-c", BORROWER, str(file)], stdout=subprocess.PIPE) as borrower:
        assert borrower.stdout is not None
        borrower.stdout.readline()
        assert loan.is_out()

        borrower.send_signal(signal.SIGKILL)
        borrower.wait()

    clock.advance(LOOK_MS)
    assert not loan.is_out()


def test_the_file_can_be_looked_at_by_an_agent_of_another_user(file: Path) -> None:
    with borrowed(file):
        assert file.stat().st_mode & 0o777 == 0o644


def test_who_may_not_write_beside_the_spool_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="run this as the gateway's user"), borrowed(tmp_path / "nowhere" / "spool.db-lent-node"):
        pass


def test_a_reader_leaves_a_lent_port_alone_and_counts_no_error(file: Path, line: tuple[int, str]) -> None:
    ours, path = line
    counters, config = Counters(), PortConfig(path=path, driver="sds011", site="hof-nord", sensor="air")
    stopping, clock = Stopping(), SystemClock()
    loan = Loan(file, "air", clock)

    def read() -> None:
        with Port(path, config.line()) as port:
            intake = Intake(config, DRIVERS["sds011"](config), queue.Queue(100), counters)
            reader.run(port, config, intake, counters, clock=clock, stopping=stopping, is_lent=loan.is_out)

    thread = threading.Thread(target=read)
    thread.start()
    try:
        assert eventually(lambda: counters.is_open)
        with borrowed(file):
            assert eventually(lambda: not counters.is_open)
            with Port(path, config.line()) as port:  # exclusive, so the reader must have closed it
                assert port.is_open
        assert eventually(lambda: counters.is_open)
        os.write(ours, SDS011[:10])

        assert eventually(lambda: counters.frames == 1)
        assert counters.errors == 0
    finally:
        stopping.set()
        thread.join()
