"""A first visit as the network sees it: everything a browser that knows nothing of us loads for one page."""

from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from playwright.sync_api import Browser

MOST_REQUESTS, MOST_BYTES = 8, 150_000
# Without a screen a browser may leave the icon of its tab out; asked for again, it comes from the cache.
LOAD_ICON = "() => fetch(document.querySelector('link[rel=icon]').href).then((answer) => answer.blob())"


@dataclass(frozen=True)
class Loaded:
    """One answer: its address, and its bytes over the wire, headers included."""

    url: str
    sent: int

    @property
    def name(self) -> str:
        """The last part of the address."""
        return PurePosixPath(urlsplit(self.url).path).name or "page"


def visit(*, browser: Browser, url: str, path: str = "/") -> list[Loaded]:
    """Open the page with an empty cache and wait until nothing more is loaded."""
    context = browser.new_context()
    page = context.new_page()
    network = context.new_cdp_session(page)
    addresses: dict[str, str] = {}
    loaded: list[Loaded] = []
    network.on(
        "Network.requestWillBeSent",
        lambda event: addresses.update({event["requestId"]: event["request"]["url"]}),
    )
    network.on(
        "Network.loadingFinished",
        lambda event: loaded.append(Loaded(addresses[event["requestId"]], int(event["encodedDataLength"]))),
    )
    network.send("Network.enable")
    page.goto(f"{url}{path}", wait_until="networkidle")
    page.evaluate(LOAD_ICON)
    page.wait_for_load_state("networkidle")
    context.close()
    return [item for item in loaded if item.sent]
