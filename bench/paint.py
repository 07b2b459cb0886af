"""When a cheap phone on a slow network shows the citizen's page: `python -m bench.paint [URL]`, without URL our own four yards.

The network is Lighthouse's "slow 4G", 1.6 Mbit/s and 150 ms there and back, the processor four times slower than this machine's.
*Reckoned*: the turns of a first visit (TCP, TLS 1.3, the question itself), the page's bytes, and the processor time that Chromium's
main thread takes until all is loaded, as on the slow one; right also on a busy machine. *Measured*: Chromium with network and
processor slowed down by its own means, which knows no handshakes; right on a quiet machine only.
"""

import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from playwright.sync_api import Browser, sync_playwright

from hoflicht.catalogue import load_city
from tests.citizen import PHONE, four_yards
from tests.conftest import CHROMIUM_ARGUMENTS, ROOT, installed

TURN_MS = 150
HANDSHAKES = 2
BYTES_PER_MS = 200
SLOWER = 4  # than this machine; a cheap phone is, beside a laptop
VISITS = 7
PAINTED = """() => new Promise((done) => new PerformanceObserver((list) => {
    for (const entry of list.getEntriesByName('first-contentful-paint')) done(entry.startTime);
}).observe({ type: 'paint', buffered: true }))"""


def rows(url: str, browser: Browser) -> Iterator[str]:
    """A table of first visits, each by a phone that has nothing of the page yet."""
    size = len(httpx.get(url).content)  # as it comes from the api; a proxy may pack it to a quarter
    worked = statistics.median(_visit(url, browser, slow=False)[0] for _ in range(VISITS))
    painted = statistics.median(_visit(url, browser, slow=True)[1] for _ in range(VISITS))
    reckoned = (HANDSHAKES + 1) * TURN_MS + size / BYTES_PER_MS + SLOWER * worked
    yield "| page, bytes | processor, ms | first paint reckoned, ms | measured without handshakes, ms |\n|---|---|---|---|"
    yield f"| {size} | {worked:.0f} | {reckoned:.0f} | {painted:.0f} |"


def _visit(url: str, browser: Browser, slow: bool) -> tuple[float, float]:
    """Milliseconds of processor time, and until the first paint."""
    with browser.new_context(viewport=PHONE) as context, context.new_page() as page:
        devtools = context.new_cdp_session(page)
        devtools.send("Performance.enable", {"timeDomain": "threadTicks"})
        if slow:
            network = {
                "offline": False,
                "latency": TURN_MS,
                "downloadThroughput": BYTES_PER_MS * 1_000,
                "uploadThroughput": 100_000,
            }
            devtools.send("Network.emulateNetworkConditions", network)
            devtools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        page.goto(url, wait_until="load")
        painted: float = page.evaluate(PAINTED)
        metrics = {told["name"]: told["value"] for told in devtools.send("Performance.getMetrics")["metrics"]}
        return metrics["TaskDuration"] * 1_000, painted


@contextmanager
def _served(argv: list[str]) -> Iterator[str]:
    if argv:
        yield argv[0]
        return
    with tempfile.TemporaryDirectory() as folder, four_yards(load_city(ROOT / "simulators" / "city.toml"), Path(folder)) as face:
        yield face.url


def main(argv: list[str]) -> int:
    """Print the table."""
    program = installed("chromium", "apt-get install chromium")
    with _served(argv) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=CHROMIUM_ARGUMENTS)
        for line in rows(url, browser):
            print(line)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
