"""How a role ends: a signal is heard at whatever moment it comes, and a second one ends the process at once."""

import signal
import subprocess
import sys

import pytest

# Waits for no time at all, so that nearly every signal falls into the middle of wait().
SPINNING = """
from hoflicht import stop
stopping = stop.on_signals()
print("ready", flush=True)
while not stopping.wait(0.0):
    pass
"""
DEAF = "import time; from hoflicht import stop; stop.on_signals(); print('ready', flush=True); time.sleep(60)"
ATTEMPTS = 8  # a set() in the handler itself leaves about every second of them waiting for ever


def started(program: str) -> "subprocess.Popen[str]":
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_a_signal_that_falls_into_a_wait_ends_it() -> None:
    spinning = [started(SPINNING) for _ in range(ATTEMPTS)]
    try:
        for process in spinning:
            process.terminate()

        assert [process.wait(20) for process in spinning] == [0] * ATTEMPTS
    finally:
        for process in spinning:
            process.kill()
            process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_second_signal_ends_the_process_at_once(number: signal.Signals) -> None:
    with started(DEAF) as process:
        process.send_signal(number)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.3)

        process.send_signal(number)

        assert process.wait(10) == 128 + number
