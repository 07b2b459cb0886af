"""The documents as a site, and what its pages say beside what it is taken from."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import msgspec
import pytest

from api import limits
from api.staff import audit
from edge.config import EdgeConfig, complaints
from firmware_bridge.devices import DEVICES
from hoflicht import Reading
from hoflicht.catalogue import City
from ingest import quarantine
from store import hourly
from tests.conftest import ROOT
from tests.shown import blocks
from tests.test_shown import laid_over, sample
from workshop.oddities import strangers

DOCS = ROOT / "docs"
LOADED = re.compile(r"""(?:<(?:script|img|iframe|source)[^>]*\ssrc|<link[^>]*\shref|@import|url)[=(]["']?(?:https?:)?//[^"' )>]+""")


def rows(document: Path) -> list[list[str]]:
    """The cells of all rows of all tables of `document`."""
    lines = document.read_text(encoding="utf-8").splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as make docs builds it: a page in no menu, or a link or anchor that leads nowhere, ends it."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    quiet = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    ended = subprocess.run(command, cwd=ROOT, env=quiet, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return folder


def test_the_site_loads_nothing_from_anybody_else(site: Path) -> None:
    pages = [*site.rglob("*.html"), *site.rglob("*.css")]

    assert len(pages) > 30
    assert [(page.name, found) for page in pages for found in LOADED.findall(page.read_text(encoding="utf-8"))] == []


def test_the_site_shows_every_block_as_one(site: Path) -> None:
    assert [page for page in site.rglob("*.html") if "```" in page.read_text(encoding="utf-8")] == []


def test_the_list_of_decisions_has_them_all() -> None:
    records = sorted((DOCS / "decisions").glob("0*.md"))
    titles = [(path.name, path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ").split(". ", 1)) for path in records]

    assert rows(DOCS / "decisions/README.md")[2:] == [[number, f"[{title}]({name})"] for name, (number, title) in titles]


def test_the_figures_of_a_yard_are_those_of_the_bench() -> None:
    measured = {row[0]: [row[5], row[10], row[11]] for row in rows(ROOT / "bench/README.md") if len(row) == 17}
    told = {row[4].strip("`"): row[1:4] for row in rows(DOCS / "yard.md") if len(row) == 5 and row[4].startswith("`")}

    assert len(told) == 8
    assert told == {name: measured[name] for name in told}


def test_the_devices_of_a_gateway_are_those_that_it_reads() -> None:
    told = [row[:3] for row in rows(DOCS / "gateway.md") if len(row) == 4 and row[0].startswith("`")]

    assert told[1:] == [[f"`{name}`", str(device.line), device.meaning] for name, device in DEVICES.items()]


@pytest.mark.parametrize("page", ["gateway.md", "yard.md"])
def test_catalogue_and_gateway_of_a_page_fit_together(page: str) -> None:
    shown = {block.mark: tomllib.loads(block.text) for block in reversed(list(blocks(DOCS / page))) if block.language == "toml"}
    city = msgspec.convert(laid_over(sample("city"), shown["city"]), City)
    whole = shown["edge"] if "gateway" in shown["edge"] else {**sample("edge"), "lines": {}, "lamps": {}, **shown["edge"]}
    edge = msgspec.convert({**whole, "gateway": next(iter(shown["city"]["gateways"]))}, EdgeConfig)

    assert [complaint.text for complaint in (*complaints(edge), *strangers(edge, city))] == []


@pytest.mark.parametrize("page", ["datenschutz.md", "privacy.md"])
def test_what_is_said_of_privacy_is_what_the_code_does(page: str) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")

    assert Reading.__struct_fields__ == ("site", "sensor", "quantity", "at_ms", "value")
    assert f"{limits.MAX_CALLERS:,}".replace(",", " ") in text
    assert re.search(f"{hourly.RETENTION_S // 86_400} (Tage|days)", text)
    assert f"{quarantine.MAX_BYTES >> 20} MB" in text
    assert (audit.KEPT + 1, audit.MAX_BYTES) == (11, 1_000_000)
    assert re.search(r"(elf Dateien zu|eleven files of) 1 MB", text)
    assert "access_log=False" in (ROOT / "api/server.py").read_text()


def test_both_texts_on_privacy_say_as_much() -> None:
    german, english = (
        [line for line in path.read_text(encoding="utf-8").splitlines() if re.match(r"[|#\-0-9]", line)]
        for path in (
            DOCS / "datenschutz.md",
            DOCS / "privacy.md",
        )
    )

    assert [line[:2] for line in german] == [line[:2] for line in english]
