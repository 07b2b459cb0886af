"""What the documents say is so."""

import re
import tomllib
from pathlib import Path

import pytest

from hoflicht import topics
from hoflicht.cli import COMMANDS
from hoflicht.quantities import QUANTITIES
from tests.conftest import ROOT
from tests.shown import DOCUMENTS, blocks

MADE = {"deploy/secrets"}  # by deploy/new-secrets
BACKTICKED = re.compile(r"`([^`\n]+)`")


def text_of(*documents: Path) -> str:
    return "\n".join(document.read_text(encoding="utf-8") for document in documents)


def anchors(document: Path) -> set[str]:
    """Where a link may lead in `document`, by the rule of code hosting sites and of our site."""
    shown = {line for block in blocks(document) for line in block.text.splitlines()}
    lines = document.read_text(encoding="utf-8").splitlines()
    headings = [line.lstrip("# ").casefold() for line in lines if re.match(r"#+ ", line) and line not in shown]
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#]*)#?([^)]*)\)", document.read_text(encoding="utf-8"))
    ours = [(document.parent / path if path else document, anchor) for path, anchor in links if "://" not in path]

    assert [path for path, _ in ours if not path.exists()] == []
    assert [(path.name, anchor) for path, anchor in ours if anchor and anchor not in anchors(path)] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_that_are_named_exist(document: Path) -> None:
    named = {word.rstrip("/") for word in BACKTICKED.findall(document.read_text(encoding="utf-8"))}
    folders = {path.name for path in ROOT.iterdir() if path.is_dir()}
    paths = [name for name in named if "/" in name and name.partition("/")[0] in folders and not set(name) & set(" <>*{$")]

    assert [path for path in paths if not (ROOT / path).exists() and path not in MADE] == []


def test_the_commands_of_make_are_there() -> None:
    targets = re.search(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert targets is not None
    shown = "\n".join(block.text for document in DOCUMENTS for block in blocks(document) if block.language in ("", "sh"))
    used = set(re.findall(r"^make ([a-z]+)", shown, re.MULTILINE))

    assert {"demo", "test", "chaos"} <= used <= set(targets[1].split())


def test_commands_that_are_named_exist() -> None:
    used = {match for word in BACKTICKED.findall(text_of(*DOCUMENTS)) for match in re.findall(r"^hoflicht ([a-z-]+)", word)}

    assert used - set(COMMANDS) == set()


def test_extras_that_are_named_exist() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]

    named = set(re.findall(r"hoflicht\[([a-z,]+)\]", text_of(*DOCUMENTS)))
    assert named == {"edge", "ingest", "api", "dashboards", "firmware"} <= set(extras)


def test_each_promise_names_tests_that_are_there() -> None:
    promised = [row for row in text_of(ROOT / "docs/promises.md").splitlines() if re.search(r"\| `[a-z_/]*test_", row)]
    named = {name for row in promised for name in re.findall(r"`([a-z_/]*test_[a-z0-9_]+\.py)`", row)}

    assert len(promised) > 15
    assert [name for name in named if not (ROOT / "tests" / name).exists()] == []


def test_every_topic_is_in_the_document_of_the_wire() -> None:
    written = text_of(ROOT / "docs/wire.md")
    built = [make("x") for make in (topics.batches, topics.readings, topics.receipts, topics.state)]
    built += [make("x", kind) for make in (topics.desired, topics.reported) for kind in (topics.CONFIG, topics.LIGHT)]

    assert [topic for topic in built if topic.replace("/x/", "/<gateway>/") not in written] == []
    assert f"`{topics.answers('<gateway>')}`" in written
    assert topics.wait("x").replace("/x/", "/<yard>/") in written


def test_every_quantity_is_in_its_document() -> None:
    rows = text_of(ROOT / "docs/quantities.md").splitlines()
    wanted = [
        f"| `{name}` | {q.unit} | {q.low:g} to {q.high:g} | {q.kind.name.lower()} | {q.meaning} |" for name, q in QUANTITIES.items()
    ]

    assert [row for row in rows if row.startswith("| `")] == wanted
