"""Who may import whom, one door per library, and nobody else ships our folder names."""

import ast
import importlib.metadata
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("hoflicht", "firmware_bridge", "edge", "ingest", "store", "api", "dashboards", "simulators", "workshop")
MAY_IMPORT = {
    "hoflicht": set[str](),
    "firmware_bridge": {"hoflicht"},
    "edge": {"hoflicht", "firmware_bridge"},
    "store": {"hoflicht"},
    "ingest": {"hoflicht", "store"},
    "api": {"hoflicht", "store"},
    "dashboards": {"hoflicht"},
    "simulators": set(PACKAGES) - {"workshop"},
    "workshop": set(PACKAGES) - {"simulators"},
}
DOORS = {
    "paho": {"hoflicht/broker.py", "hoflicht/link.py", "simulators/crowd.py"},
    "serial": {"firmware_bridge/port.py"},
    "cryptography": {
        "hoflicht/private_key.py",
        "edge/identity.py",
        "edge/image.py",
        "ingest/certificates.py",
        "workshop/certificates.py",
    },
    "cbor2": {"edge/mcumgr.py", "firmware_bridge/node.py", "simulators/mcumgr.py"},
    "smpclient": {"edge/mcumgr.py"},
    "smp": {"edge/mcumgr.py"},
    "influxdb_client": {"store/influx.py"},
    "grafana_api": {"dashboards/publish.py"},
    "holidays": {"hoflicht/hours.py"},
    "astral": {"hoflicht/sky.py"},
    "iotcore": {"simulators/demo.py"},
}


def modules() -> Iterator[Path]:
    for package in PACKAGES:
        yield from (ROOT / package).rglob("*.py")


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports(path: Path) -> set[str]:
    names = set[str]()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_point_one_way_only(package: str) -> None:
    wrong = {
        str(path.relative_to(ROOT)): found
        for path in (ROOT / package).rglob("*.py")
        if (found := (imports(path) & set(PACKAGES)) - MAY_IMPORT[package] - {package})
    }

    assert wrong == {}


@pytest.mark.parametrize("library", DOORS)
def test_a_library_has_one_door(library: str) -> None:
    users = {str(path.relative_to(ROOT)) for path in modules() if library in imports(path)}

    assert users == DOORS[library]


def test_the_web_framework_stays_in_the_api() -> None:
    users = {path.relative_to(ROOT).parts[0] for path in modules() if imports(path) & {"fastapi", "starlette", "uvicorn", "jinja2"}}

    assert users == {"api"}


def test_the_estimate_knows_neither_store_nor_web_nor_the_rest_of_the_api() -> None:
    foreign = {
        str(path.relative_to(ROOT)): node.module
        for path in (ROOT / "api" / "estimate").rglob("*.py")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in (*PACKAGES, "fastapi", "threading")
        if not node.module.startswith(("api.estimate", "hoflicht"))
    }

    assert foreign == {}


def test_only_the_api_is_asynchronous_and_the_door_to_smpclient() -> None:
    users = {str(path.relative_to(ROOT)) for path in modules() if "asyncio" in imports(path)}

    assert {user for user in users if not user.startswith("api/")} == DOORS["smpclient"]


def test_no_other_distribution_owns_our_folder_names() -> None:
    owners = importlib.metadata.packages_distributions()

    assert {package: set(owners.get(package, [])) - {"hoflicht"} for package in PACKAGES} == {
        package: set() for package in PACKAGES
    }


def test_every_module_says_what_it_is() -> None:
    silent = [str(path.relative_to(ROOT)) for path in modules() if not ast.get_docstring(parsed(path))]

    assert silent == []


def test_a_module_holds_one_concept() -> None:
    long = {str(path.relative_to(ROOT)): n for path in modules() if (n := len(path.read_text(encoding="utf-8").splitlines())) > 350}

    assert long == {}
