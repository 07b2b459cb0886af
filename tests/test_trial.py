"""A config that is pushed: tried, proven or rolled back, whatever happens on the way."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.trial import MAX_PUSHED, MAX_STARTS, Pushed, Said, Status, Trial
from tests.test_agent import GATEWAY

OWN = f'gateway = "{GATEWAY}"\nclock = "system"\n[spool]\npath = "spool.db"\n'


def config(more: str = "") -> str:
    return f"{more}\n{OWN}"


def pushed(version: int, text: str) -> bytes:
    return msgspec.json.encode(Pushed(version, text))


def said(trial: Trial) -> Said | None:
    message = trial.report()
    return None if message is None else msgspec.json.decode(message.payload, type=Said)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "edge.toml"
    path.write_text(OWN)
    return path


NEW = config("prove_s = 77")


def test_what_is_pushed_runs_after_a_restart_and_stays_once_it_is_proven(file: Path) -> None:
    first = Trial(file)
    first.offer(pushed(1, NEW))
    assert (first.wants_restart, first.config.prove_s, said(first)) == (True, 300, Said(1, Status.TRYING))

    second = Trial(file)
    assert (second.is_on, second.config.prove_s) == (True, 77)
    second.prove()

    third = Trial(file)
    assert (third.is_on, third.config.prove_s, said(third)) == (False, 77, Said(1, Status.APPLIED))
    assert file.read_text() == OWN


def test_what_is_not_proven_is_rolled_back_to_what_was(file: Path) -> None:
    Trial(file).offer(pushed(1, NEW))
    Trial(file).prove()
    Trial(file).offer(pushed(2, config("prove_s = 88")))
    trial = Trial(file)
    assert trial.config.prove_s == 88

    trial.roll_back("no receipt within 88 s")

    assert trial.wants_restart
    after = Trial(file)
    assert (after.is_on, after.config.prove_s) == (False, 77)
    assert said(after) == Said(2, Status.ROLLED_BACK, "no receipt within 88 s")


def test_a_receipt_for_one_candidate_does_not_prove_the_next(file: Path) -> None:
    Trial(file).offer(pushed(1, NEW))
    trial = Trial(file)
    trial.offer(pushed(2, config("prove_s = 88")))

    trial.prove()

    after = Trial(file)
    assert (after.is_on, after.config.prove_s, said(after)) == (True, 88, Said(2, Status.TRYING))


def test_the_same_version_again_is_nothing(file: Path) -> None:
    Trial(file).offer(pushed(1, NEW))
    Trial(file).roll_back("why")
    trial = Trial(file)

    trial.offer(pushed(1, NEW))

    assert not trial.wants_restart
    assert said(trial) == Said(1, Status.ROLLED_BACK, "why")


def test_the_text_that_runs_already_is_applied_without_a_restart(file: Path) -> None:
    trial = Trial(file)

    trial.offer(pushed(1, OWN))

    assert not trial.wants_restart
    assert said(trial) == Said(1, Status.APPLIED)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (config("clok = 1"), "unknown key 'clok'"),
        ("gateway =", "not TOML"),
        (OWN.replace(GATEWAY, "gw-hof-west"), "gateway and [spool] path cannot be pushed"),
        (OWN.replace("spool.db", "other.db"), "gateway and [spool] path cannot be pushed"),
        (config() + '[broker]\nca_file = "missing.crt"\n', "[broker] ca_file"),
        (config() + '[broker]\npassword_file = "/etc/shadow"\n', "a pushed config names files in"),
    ],
)
def test_what_cannot_run_is_refused_with_the_reason_and_never_tried(file: Path, text: str, reason: str) -> None:
    trial = Trial(file)

    trial.offer(pushed(1, text))

    answer = said(trial)
    assert answer is not None
    assert (answer.version, answer.status, trial.wants_restart) == (1, Status.REFUSED, False)
    assert reason in answer.reason
    assert not Trial(file).is_on


@pytest.mark.parametrize(
    "payload", [b"", b"\xff", b"{}", b'{"version":1.5,"config":""}', b'{"version":1,"config":"","x":1}', b"[" * 9_999]
)
def test_what_is_no_push_changes_nothing(file: Path, payload: bytes) -> None:
    trial = Trial(file)

    trial.offer(payload)

    assert (trial.wants_restart, trial.report()) == (False, None)


def test_a_push_has_a_bound(file: Path) -> None:
    trial = Trial(file)

    trial.offer(pushed(1, NEW + "#" * MAX_PUSHED))

    assert (trial.wants_restart, trial.report()) == (False, None)


def test_a_candidate_that_ends_again_and_again_is_rolled_back(file: Path) -> None:
    Trial(file).offer(pushed(1, NEW))

    starts = [Trial(file).config.prove_s for _ in range(MAX_STARTS + 2)]

    assert starts == [77] * MAX_STARTS + [300, 300]
    assert said(Trial(file)) == Said(1, Status.ROLLED_BACK, "it ended 3 times before it had proved itself")


def test_who_edits_the_file_on_the_gateway_has_the_last_word(file: Path) -> None:
    Trial(file).offer(pushed(1, NEW))
    Trial(file).prove()
    file.write_text(config("prove_s = 99"))

    trial = Trial(file)

    assert trial.config.prove_s == 99
    assert said(trial) == Said(1, Status.OVERRULED, "the gateway's own file was edited")


def test_a_memory_that_cannot_be_read_is_none(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    Trial(file).offer(pushed(1, NEW))
    (file.parent / "spool.db-config").write_bytes(b"\x00" * 100)

    assert Trial(file).config.prove_s == 300

    assert "the gateway's own file runs" in caplog.text


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.sampled_from(["push", "push bad", "prove", "roll back", "crash"]), max_size=12))
def test_after_any_steps_it_runs_on_the_proven_one_or_on_trial_for_a_bounded_time(file: Path, steps: list[str]) -> None:
    (file.parent / "spool.db-config").unlink(missing_ok=True)
    proven, candidate = 300.0, None
    trial = Trial(file)
    for version, step in enumerate(steps):
        if step == "push":
            candidate = 1000.0 + version
            trial.offer(pushed(version, config(f"prove_s = {candidate:g}")))
        elif step == "push bad":
            trial.offer(pushed(version, "nonsense"))
        elif step == "prove" and trial.is_on:
            proven = trial.config.prove_s
            trial.prove()
        elif step == "roll back" and trial.is_on:
            trial.roll_back("why")
        trial = Trial(file)  # every step may be the last before a kill
        assert trial.config.prove_s in ({proven, candidate} if trial.is_on else {proven})
    for _ in range(MAX_STARTS + 1):
        trial = Trial(file)
    assert (trial.is_on, trial.config.prove_s) == (False, proven)


PUSHER = """
import sys
from pathlib import Path
from edge.trial import Trial
import msgspec
file = Path(sys.argv[1])
n = 0
while True:
    n += 1
    trial = Trial(file)
    text = f"prove_s = {1000 + n % 1000}\\n" + file.read_text()
    trial.offer(msgspec.json.encode({"version": int(sys.argv[2]) + n, "config": text}))
    trial = Trial(file)
    (trial.prove if n % 2 else trial.roll_back)(*(() if n % 2 else ("why",)))
    print(n, flush=True)
"""


def test_kill_9_at_any_moment_leaves_a_config_that_runs(file: Path) -> None:
    for round_ in range(8):
        command = [sys.executable, "-c", PUSHER, str(file), str(round_ * 100_000)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as pusher:
            assert pusher.stdout is not None
            pusher.stdout.readline()
            time.sleep(0.01 + 0.013 * round_)
            os.kill(pusher.pid, signal.SIGKILL)
            last = pusher.stdout.read()

        assert last is not None
        memory = msgspec.json.decode((file.parent / "spool.db-config").read_bytes())
        assert memory["said"]["version"] > round_ * 100_000
        assert Trial(file).config.prove_s >= 300
