"""What a role that runs on this machine says of itself (/healthz): nobody knows better, and asking disturbs nothing."""

from collections.abc import Iterator
from typing import Any

from hoflicht.config import address
from workshop import telephone
from workshop.finding import Finding, untold, well, wrong

EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}
UPLINK = {
    "offline": ("it has no connection to the broker", "what stands here about the broker and the certificate"),
    "holding": ("nobody takes its readings; they wait on its disk", "on the server: hoflicht doctor ingest.toml"),
    "probing": ("it tries whether its readings are taken again", "ask again in a minute"),
}


def heard(role: str, http: str, unit: str) -> tuple[dict[str, Any] | None, list[Finding]]:
    """What the role says at its `http` address, None where it does not; and what that means by itself."""
    if not http:
        return None, [untold(role, "it is not asked", 'http = "" in its config: it tells nobody how it is')]
    host, port = address("http", http, "127.0.0.1:9101")
    host = EVERYWHERE.get(host, host)
    try:
        report = telephone.ask(f"http://{f'[{host}]' if ':' in host else host}:{port}/healthz").json()
    except OSError as cause:
        compose = "" if role == "agent" else f"; with compose: docker compose logs {role}"
        step = f"systemctl status {unit}; journalctl -u {unit} -n 30{compose}"
        return None, [
            wrong(role, "it does not run, or does not answer", f"http://{host}:{port}/healthz: {cause.strerror or cause}", step)
        ]
    if "ok" not in report:
        why = f"http://{host}:{port}/healthz answers otherwise than {role} does"
        return None, [wrong(role, "another program answers in its place", why, "another port for http in its config")]
    return report, []


def of_gateway(report: dict[str, Any]) -> Iterator[Finding]:
    """What the agent's report means."""
    uplink = str(report.get("uplink"))
    if uplink == "flowing":
        yield well("receipts", "the agent's readings reach the database")
    else:
        what, step = UPLINK.get(uplink, (f"its uplink is {uplink}", "journalctl -u hoflicht-edge -n 30"))
        yield wrong("receipts", what, str(report.get("trouble") or f"the agent says {uplink}"), step)
    spool = report.get("spool") or {}
    if spool.get("quarantined"):
        why = "ingest has refused them: unknown names, or a time that cannot be"
        yield wrong(
            "spool",
            f"{spool['quarantined']:,} batches are set aside",
            why,
            "hoflicht check edge.toml city.toml; hoflicht quarantine list on the server",
        )
    if report.get("dropped"):
        yield wrong(
            "spool",
            f"{report['dropped']:,} readings had to be given up",
            "full disk, or a device that says too much",
            "journalctl -u hoflicht-edge",
        )
    if spool:
        yield well("spool", f"{spool['rows']:,} readings wait, the oldest for {spool['oldest_s']:,} s")


def of_ingest(report: dict[str, Any]) -> Iterator[Finding]:
    """What ingest's report means."""
    for part, told in (("broker", report.get("broker")), ("store", report.get("store"))):
        if told:
            yield wrong(
                "ingest",
                f"its {part} is away",
                str(told),
                f"what stands here about the {'broker' if part == 'broker' else 'database'}",
            )
    if report["ok"]:
        yield well("ingest", "it runs, with broker and store")


def of_api(report: dict[str, Any]) -> Iterator[Finding]:
    """What the api's report means."""
    if report["ok"]:
        yield well("api", f"it runs, version {report.get('version', 'untold')}")
    else:
        why = f"store: {report.get('store')}; last estimate {report.get('estimates_age_s')} s ago"
        yield wrong("api", "it runs and is not well", why, "what stands here about the database; journalctl -u hoflicht-api -n 30")
