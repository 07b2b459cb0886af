"""What the documents show is so: each command can be typed, each configuration loads, each message is read by its reader."""

import argparse
import importlib.util
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from itertools import dropwhile, pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest

from api.staff.keys import Scope
from edge.trial import Pushed
from hoflicht import cli, senml, shadow, wait
from hoflicht.catalogue import City
from hoflicht.config import complaints
from hoflicht.invitation import Answer, decoded
from tests.conftest import ROOT
from tests.office import Office, working
from tests.shown import DOCUMENTS, Block, blocks, commands
from workshop.files import KINDS, Kind, kind_of

BLOCKS = [block for document in DOCUMENTS for block in blocks(document)]
# Blocks that say no language, by how they begin: all others of that kind are commands.
UNNAMED = {
    "serial bytes": "text",  # README.md: the way of a reading
    "make demo   ": "text",  # CONTRIBUTING.md: targets with their meaning; test_docs.py looks at them
    "[open_data]": "toml",
    "HOFLICHT_": "env",
    "proxy_set_header": "text",  # of somebody else's web server
    '{"t":': "json",
    "/v1": "path",  # of the api
}
LOOKED_AT = {"sh", "toml", "json", "env", "path"}
# What nothing looks at here: pictures, and what another test takes from its document (driver, node-frame, second-city, widget).
ONLY_SHOWN = {"text", "html", "csv", "hex", "python"}
# Programs of the system and of others, which we name and do not run.
OTHERS = {
    "cat",
    "cd",
    "chown",
    "cp",
    "echo",
    "export",
    "git",
    "head",
    "imgtool",
    "install",
    "ln",
    "ls",
    "mosquitto",
    "mosquitto_passwd",
    "sed",
    "tr",
}
OTHERS |= {"tar", "umask", "useradd"}
ANSWERS = Kind("workshop.answers", "Answers", {"server"}, "")
# Who reads a message, by a key that only it has.
READERS: Mapping[str, Callable[[bytes], object]] = {
    "bn": senml.decode,
    "p50_s": wait.decode,
    "config": lambda body: msgspec.json.decode(body, type=Pushed),
    "programs": shadow.desired,
    "outcomes": shadow.reported,
    "certificate": lambda body: decoded(body, Answer, "the answer"),
}


def language(block: Block) -> str:
    """What is in a block: what it says, else commands."""
    return block.language or next((name for begin, name in UNNAMED.items() if block.text.startswith(begin)), "sh")


def shown(*languages: str) -> list[Block]:
    return [block for block in BLOCKS if language(block) in languages]


def test_every_block_is_of_a_language_that_is_looked_at() -> None:
    assert {str(block): language(block) for block in BLOCKS if language(block) not in LOOKED_AT | ONLY_SHOWN} == {}
    assert len(shown("sh")) > 30


class Parsed(Exception):
    """The command line is right; what comes then is not done."""


@pytest.fixture
def parsers(monkeypatch: pytest.MonkeyPatch) -> list[argparse.ArgumentParser]:
    """Lets each command of ours read its command line, and end there; the parsers that were asked."""
    asked: list[argparse.ArgumentParser] = []

    def stop_behind(name: str) -> None:
        reads = getattr(argparse.ArgumentParser, name)

        def parse(parser: argparse.ArgumentParser, args: list[str], *rest: Any) -> None:
            asked.append(parser)
            raise Parsed(reads(parser, args, *rest))

        monkeypatch.setattr(argparse.ArgumentParser, name, parse)

    stop_behind("parse_args")
    stop_behind("parse_intermixed_args")
    return asked


@pytest.mark.parametrize("block", shown("sh"), ids=str)
@pytest.mark.usefixtures("parsers")
def test_commands_that_are_shown_can_be_typed(block: Block) -> None:
    for command in commands(block.text):
        look(command)


def test_options_that_are_named_exist(parsers: list[argparse.ArgumentParser]) -> None:
    text = "\n".join(document.read_text(encoding="utf-8") for document in DOCUMENTS)
    named = [words.split() for words in re.findall(r"`hoflicht ([a-z][^`\n]* --[^`\n]+)`", text)]

    assert len(named) > 5
    for command, *words in named:
        with pytest.raises((Parsed, SystemExit)):
            cli.main([command])
        assert {word for word in words if word.startswith("--")} <= options(parsers[-1]), command


def options(parser: argparse.ArgumentParser) -> set[str]:
    """Of a command and its own commands."""
    own = [action.choices.values() for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    return set(parser._option_string_actions).union(*(options(each) for group in own for each in group))


def look(command: list[str]) -> None:
    """Fail where there is nothing to run by that name, or it would not understand its arguments."""
    match [word.removeprefix("/opt/hoflicht/bin/").removeprefix(".venv/bin/") for word in command]:
        case ["sudo", "-u", "hoflicht", *rest] | ["sudo", *rest]:
            look(rest)
        case ["hoflicht", *arguments]:
            with pytest.raises(Parsed):
                cli.main(arguments)
        case ["make", target, *_]:
            assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE), target
        case ["python" | "python3" | "pip", *arguments]:
            look_at_python(arguments)
        case [_, _, "*", "*", "*", "root", *rest]:  # a line of cron
            look(rest)
        case ["docker", "tag", _, _]:
            pass
        case ["docker", "compose", *arguments]:
            look_at_compose(*arguments)
        case ["systemctl", "enable" | "restart" | "start" | "status" | "stop", *units]:
            there = {path.stem for path in (ROOT / "deploy/systemd").iterdir()} | {"mosquitto"}
            assert {unit.removesuffix(".timer") for unit in units if unit != "--now"} <= there
        case ["journalctl", "-u", unit, *_]:
            assert (ROOT / f"deploy/systemd/{unit}.service").exists()
        case ["curl", *words]:
            assert any(word.startswith("http") for word in words)  # what is asked there, is looked at below
        case [str() as program, *_] if "/" in program:
            assert (ROOT / program).exists() or (ROOT / "deploy" / program).exists()
        case [str() as program, *_]:
            assert program in OTHERS


def look_at_python(arguments: list[str]) -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    match arguments:
        case ["-m", str() as module, *_] if module.startswith("bench"):
            assert importlib.util.find_spec(module)
        case ["install", *packages]:
            named = {extra for package in packages for extra in re.findall(r"hoflicht\[(\w+)\]", package)}
            assert named <= set(extras)
            assert named or packages == ["atheris"]
        case _:
            assert arguments[:2] in (["-m", "venv"], ["-m", "pytest"])


def look_at_compose(action: str, *rest: str) -> None:
    services = re.findall(r"^  ([a-z]+):$", (ROOT / "deploy/compose.yaml").read_text().partition("\nservices:")[2], re.MULTILINE)
    behind = list(dropwhile(lambda word: word.startswith("-"), rest))
    assert action in {"build", "up", "run", "exec", "restart", "ps", "logs", "pull", "down"}
    assert not behind or behind[0] in services
    match behind:
        case [_, "hoflicht", *arguments] | ["hoflicht" | "backup", *arguments] if arguments:
            look(["hoflicht", *arguments])


def run(commands: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Really run what is shown, with our programs in reach."""
    reach = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    program = ["bash", "-o", "errexit", "-c", commands.replace(".venv/bin/", "")]
    return subprocess.run(program, cwd=folder, env={**os.environ, "PATH": reach}, capture_output=True, text=True, check=True)


def test_the_commands_of_the_quickstart_do_what_it_says(tmp_path: Path) -> None:
    page = [block for block in BLOCKS if block.document.name == "quickstart.md"]
    asked = [block for block in page if block.mark == "run"]
    printed = [after.text if after.mark == "printed" else "" for before, after in pairwise(page) if before.mark == "run"]

    assert [run(block.text, tmp_path).stdout for block in asked] == printed
    assert len(printed) == 2
    assert (tmp_path / "sign.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("block", shown("env"), ids=str)
def test_variables_that_are_shown_are_those_of_compose(block: Block) -> None:
    named = re.findall(r"^(\w+)=", block.text, re.MULTILINE)

    assert [name for name in named if f"${{{name}:" not in (ROOT / "deploy/compose.yaml").read_text()] == []


@pytest.mark.parametrize("block", shown("toml"), ids=str)
def test_configurations_that_are_shown_load(block: Block) -> None:
    raw = tomllib.loads(block.text)
    kind = "answers" if "server" in raw else block.mark or kind_of(Path("city.toml"), raw)
    shape, judge = {**KINDS, "answers": ANSWERS}[kind].load(block.document)

    # A piece is held into the sample of its kind.
    assert not complaints(raw, shape, judge) or complaints(laid_over(sample(kind), raw), shape, judge) == []


def sample(kind: str) -> dict[str, Any]:
    files = {"city": "simulators/city.toml"}
    return tomllib.loads((ROOT / files.get(kind, f"deploy/etc/{kind}.toml")).read_text(encoding="utf-8"))


def laid_over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    both = {key: laid_over(below[key], above[key]) for key in below.keys() & above.keys() if isinstance(above[key], dict)}
    return {**below, **above, **both}


@pytest.mark.parametrize("block", [block for block in shown("json") if not block.mark], ids=str)
def test_messages_that_are_shown_are_read(block: Block) -> None:
    lines = block.text.splitlines()
    told = (
        [json.loads(line) for line in lines]
        if len(lines) > 1 and all(line[-1] == "}" for line in lines)
        else json.loads(block.text)
    )

    first = told[0] if isinstance(told, list) else told
    for reader in (reader for key, reader in READERS.items() if key in first):
        reader(block.text.encode())


@pytest.fixture(scope="module")
def office(city: City, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A real api, on a Monday at half past nine."""
    with working(city, tmp_path_factory.mktemp("office")) as office:
        office.face.tell()
        yield office


def requests() -> list[tuple[Block, list[str]]]:
    return [(block, command) for block in shown("sh") for command in commands(block.text) if command[0] == "curl"]


@pytest.mark.parametrize(("block", "command"), requests(), ids=lambda each: str(each) if isinstance(each, Block) else "")
def test_requests_that_are_shown_are_in_the_description(block: Block, command: list[str], office: Office) -> None:
    described = office.face.app.openapi()["paths"]
    address = next(word for word in command if word.startswith("http"))
    path = re.sub(r"^https?://[^/]+|\?.*$", "", address)
    method = next((after.lower() for word, after in pairwise(command) if word in ("-X", "--request")), "get")

    templates = [each for each in described if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", each), path)]
    assert path in ("/healthz", "/openapi.json") or any(method in described[each] for each in templates), f"{method} {path}"


@pytest.mark.parametrize("path", [path for block in shown("path") for path in block.text.splitlines()])
def test_paths_that_are_shown_are_answered(path: str, office: Office) -> None:
    assert office.client.get(office.url + path).status_code == 200


def test_requests_of_the_api_page_are_answered_as_it_shows(office: Office) -> None:
    page = [block for block in BLOCKS if block.document.name == "api.md"]
    pairs = [(asked, answer) for asked, answer in pairwise(page) if answer.mark == "answer"]

    assert len(pairs) > 5
    for asked, answer in pairs:
        program = [sys.executable, "-c"] if asked.language == "python" else ["bash", "-c"]
        ended = subprocess.run([*program, here(asked.text, office)], capture_output=True, text=True, check=True)
        assert alike(answer, ended.stdout), f"{asked}: {ended.stdout}"


def here(text: str, office: Office) -> str:
    """A request of the page, as it is made on this machine: to another port, with a key that there is."""
    assert "http://127.0.0.1:8000" in text
    key = office.key(Scope.HOLD) if "$KEY" in text else ""
    return text.replace("http://127.0.0.1:8000", office.url).replace("$KEY", key)


def alike(answer: Block, said: str) -> bool:
    """Whether an answer has the form that is shown: keys and words are the same, numbers and times may be others."""
    if answer.language == "json":
        return form(json.loads(answer.text)) == form(json.loads(said))
    return re.sub(r"\d+", "1", answer.text.strip()) == re.sub(r"\d+", "1", said.replace("\r\n", "\n").strip())


def form(told: object) -> object:
    match told:
        case dict():
            return {key: form(value) for key, value in told.items()}
        case list():
            return [form(each) for each in told]
        case bool() | None:
            return told
        case int() | float():
            return 0
        case str() if re.match(r"\d{4}-\d\d-\d\dT", told):
            return "a time"
    return told
