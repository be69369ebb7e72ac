"""A browser without JavaScript over real HTTP, for a running portal: its forms filled in as a payer does."""

from http.cookiejar import CookieJar
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, HTTPRedirectHandler, Request, build_opener

from members.models import Member
from tests.paying import ACCOUNT, ROUTING, FormReader, list_main_forms


class _Staying(HTTPRedirectHandler):
    """Follows no redirect."""

    def redirect_request(self, *_facts: object) -> None:
        """Nowhere."""


class Browser:
    """A browser over real HTTP: cookies kept, redirects followed."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.cookies = CookieJar()
        self.opener = build_opener(HTTPCookieProcessor(self.cookies))

    def get(self, path: str) -> tuple[str, FormReader]:
        """Open a page; returns the address it ended at, and its forms."""
        return self._open(Request(path if path.startswith("http") else self.url + path))

    def post(self, address: str, values: dict[str, list[str]]) -> tuple[str, FormReader]:
        """Send a form and follow the redirect."""
        body = urlencode(values, doseq=True).encode()
        return self._open(Request(address, data=body, headers={"Referer": address}))

    def send(self, address: str, values: dict[str, list[str]]) -> str:
        """Send a form and follow nothing; returns where the answer leads, or nothing where it is a page."""
        opener = build_opener(HTTPCookieProcessor(self.cookies), _Staying)
        body = urlencode(values, doseq=True).encode()
        try:
            with opener.open(Request(address, data=body, headers={"Referer": address}), timeout=60):
                return ""
        except HTTPError as answer:
            if answer.code not in (302, 303):
                raise
            return str(answer.headers["Location"])

    def _open(self, request: Request) -> tuple[str, FormReader]:
        with self.opener.open(request, timeout=60) as answer:
            reader = FormReader()
            reader.feed(answer.read().decode())
            return answer.url, reader


def fill(reader: FormReader, **changes: str) -> dict[str, list[str]]:
    """The last posted form of the page with these values."""
    form = list_main_forms(reader.forms)[-1]
    ticks = {name: [value] for name, value in form.boxes.items() if name.startswith("authorize")}
    return {**form.values, **ticks, **{name: [value] for name, value in changes.items()}}


def open_review(
    browser: Browser, *, member: Member, account: str = ACCOUNT
) -> tuple[str, dict[str, list[str]]]:
    """A guest who gives the date of birth, up to the review: its address, and its form with every box ticked."""
    address, page = browser.get("/guest/")
    born = member.date_of_birth
    date_of_birth = {
        "date_of_birth_month": str(born.month),
        "date_of_birth_day": str(born.day),
        "date_of_birth_year": str(born.year),
    }
    address, page = browser.post(address, fill(page, identifier=member.member_id, **date_of_birth))
    address, page = browser.post(address, fill(page))
    numbers = {"routing_number": ROUTING, "account_number": account, "confirm_account_number": account}
    address, page = browser.post(address, fill(page, holder_name="Alice Alvarez", kind="checking", **numbers))
    return address, fill(page)
