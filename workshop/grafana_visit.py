"""What the doctor sees of Grafana: does it answer, and does its data source reach the readings."""

from collections.abc import Iterator

from dashboards.datasource import UID
from hoflicht.config import secret
from workshop import telephone
from workshop.finding import Finding, untold, well, wrong

PART = "grafana"


def findings(url: str, token_file: str) -> Iterator[Finding]:
    """Ask the Grafana at `url`; raise BadConfig for a token's file that cannot be used."""
    token = secret(token_file, "--grafana-token-file") if token_file else ""
    base = url.rstrip("/")
    try:
        answer = telephone.ask(f"{base}/api/health")
    except (OSError, ValueError) as cause:
        yield wrong(PART, f"no answer from {url}", str(cause), "is it running? docker compose ps grafana; is --grafana right?")
        return
    health = answer.json()
    if answer.status != 200 or health.get("database") != "ok":
        why = f"/api/health says {answer.status} {str(health or '')[:100]}"
        yield wrong(PART, f"{url} is not well", why, "docker compose logs grafana; is this Grafana's address?")
        return
    yield well(PART, f"{url} answers, version {health.get('version', 'untold')}")
    if not token:
        yield untold(PART, "its data source was not asked", "that takes --grafana-token-file")
        return
    source = telephone.ask(f"{base}/api/datasources/uid/{UID}/health", token)
    told = str(source.json().get("message", ""))[:200]
    if source.status == 200:
        yield well(PART, f"its data source answers: {told}")
    elif source.status == 401:
        yield wrong(PART, "it does not take the token", told, "make one under Administration, Service accounts")
    elif source.status == 404:
        yield wrong(PART, f"it has no data source {UID}", told, "hoflicht dashboards push, or build and a restart of Grafana")
    else:
        step = "the token in its data source: hoflicht dashboards push --influx-token-file; is InfluxDB well?"
        yield wrong(PART, "its data source does not reach the readings", f"{source.status} {told}", step)
