"""`hoflicht demo` as a newcomer meets it: one command, a page whose numbers move, a quiet terminal, a clean end."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.conftest import free_port
from tests.roles import eventually

pytestmark = [pytest.mark.slow, pytest.mark.browser]

YARDS = ("hof-nord", "hof-sued", "hof-west", "hof-mitte")


def start(port: int, data: Path, *more: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "hoflicht", "demo", "--port", str(port), "--data", str(data), *more]
    environment = os.environ | {"COLUMNS": "120"}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)


def end(demo: "subprocess.Popen[str]") -> str:
    """Ctrl-C, and what the terminal showed until then."""
    demo.send_signal(signal.SIGINT)
    said, _ = demo.communicate(timeout=30)
    assert demo.returncode == 0, said
    return said


def waits(port: int) -> dict[str, object]:
    """What the API says of every yard; empty while nobody answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/yards", timeout=5) as answer:
            return {yard["id"]: yard["wait"] for yard in json.loads(answer.read())["yards"]}
    except OSError:
        return {}


def all_known(port: int) -> bool:
    return {str(wait["state"]) for wait in waits(port).values() if isinstance(wait, dict)} - {"unknown"} != set()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(locale="de-DE")
    yield page
    page.close()


def test_ctrl_c_in_the_middle_of_the_history_ends_it_and_the_next_start_brings_the_city_to_life(tmp_path: Path, page: Page) -> None:
    port, data = free_port(), tmp_path / "city"
    demo = start(port, data, "--weeks", "1")
    eventually((data / "readings.db").exists)
    end(demo)
    mark = json.loads((data / "demo.json").read_text())

    demo = start(port, data, "--weeks", "0.1")
    try:
        assert eventually(lambda: all_known(port), timeout_s=100), demo.poll()
        the_city_lives_on_the_page_and_on_its_signs(port, data, page)
    finally:
        said = end(demo)
    assert f"http://127.0.0.1:{port}/" in said
    assert [word for word in ("Traceback", "Error", "ERROR", "WARNING") if word in said] == []
    for log in (data / "logs").glob("*.log"):
        assert [word for word in ("Traceback", "ERROR", "Fatal") if word in log.read_text()] == [], log.read_text()
    assert json.loads((data / "demo.json").read_text())["known_until_ms"] > (mark["known_until_ms"] or 0)


def the_city_lives_on_the_page_and_on_its_signs(port: int, data: Path, page: Page) -> None:
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)

    page.goto(f"http://127.0.0.1:{port}/")
    before = page.inner_text("main")
    # A waiting time moves, within two minutes, without a reload.
    eventually(lambda: page.inner_text("main") != before, timeout_s=120)

    assert page.inner_text("main") != before
    assert page.inner_text("main").count("Recyclinghof") == 4
    assert problems == []
    assert {str(path.name) for path in (data / "signs").glob("*.txt")} == {f"{yard}.txt" for yard in YARDS}
    assert {path.read_text().strip() for path in (data / "signs").glob("*.txt")} - {"KEINE ANGABE"} != set()
    assert [log.name for log in (data / "logs").glob("*.log") if "WARNING" in log.read_text()] == []


def still_running(data: Path) -> list[str]:
    """Command lines of processes that name the folder."""
    lines = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    return [line.replace(b"\0", b" ").decode() for line in lines if str(data).encode() in line]


def test_a_demo_that_is_killed_leaves_nobody_behind_and_the_next_start_goes_on(tmp_path: Path) -> None:
    port, data = free_port(), tmp_path / "city"
    demo = start(port, data, "--weeks", "0.02")
    assert eventually(lambda: all_known(port), timeout_s=100), demo.poll()
    assert len(still_running(data)) >= 8

    demo.kill()
    demo.communicate()

    assert eventually(lambda: not still_running(data)), still_running(data)

    demo = start(port, data, "--weeks", "0.02")
    try:
        assert eventually(lambda: all_known(port), timeout_s=100), demo.poll()
    finally:
        end(demo)


def said_by_a_refused_start(port: int, data: Path, *more: str) -> str:
    demo = start(port, data, *more)
    said, _ = demo.communicate(timeout=60)
    assert demo.returncode == 2, said
    assert said.count("\n") == 1, said
    return said


def test_a_busy_port_gets_a_clear_word(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        assert f"port {port} is taken" in said_by_a_refused_start(port, tmp_path / "city")


def test_a_folder_that_is_not_the_demos_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")

    assert "is not empty and no demo's; choose another folder with --data" in said_by_a_refused_start(free_port(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_folder_of_another_seed_is_named(tmp_path: Path) -> None:
    (tmp_path / "demo.json").write_text('{"seed":3}')

    assert "was begun with --seed 3" in said_by_a_refused_start(free_port(), tmp_path, "--seed", "4")
