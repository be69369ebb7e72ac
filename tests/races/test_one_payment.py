"""Races on one form: fifty identical requests to a running server make one payment, and all see the same receipt."""

import threading
from http.cookiejar import CookieJar
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, Request, build_opener

from payments.models import Payment
from tests.paying import ACCOUNT, ROUTING, FormReader, list_main_forms
from tests.portal import Portal

REQUESTS = 50


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


def test_fifty_identical_requests_make_one_payment_and_all_see_its_receipt(portal: Portal) -> None:
    household = portal.add_household()
    browser = Browser(portal.url)
    address, page = browser.get("/guest/")
    born = household.member.date_of_birth
    date_of_birth = {
        "date_of_birth_month": str(born.month),
        "date_of_birth_day": str(born.day),
        "date_of_birth_year": str(born.year),
    }
    address, page = browser.post(address, fill(page, identifier=household.member.member_id, **date_of_birth))
    address, page = browser.post(address, fill(page))
    numbers = {"routing_number": ROUTING, "account_number": ACCOUNT, "confirm_account_number": ACCOUNT}
    address, page = browser.post(address, fill(page, holder_name="Alice Alvarez", kind="checking", **numbers))
    form = fill(page)

    seen: list[str] = []
    barrier = threading.Barrier(REQUESTS)

    def press() -> None:
        twin = Browser(portal.url)
        for cookie in browser.cookies:
            twin.cookies.set_cookie(cookie)
        barrier.wait()
        seen.append(twin.post(address, form)[0])

    threads = [threading.Thread(target=press) for _ in range(REQUESTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert Payment.objects.filter(account__enrollment__member=household.member).count() == 1
    assert len(seen) == REQUESTS
    assert len(set(seen)) == 1
