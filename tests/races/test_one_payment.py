"""Races on one form: fifty identical requests to a running server make one payment, and all see the same receipt."""

import threading

from payments.models import Payment
from tests.plain_browser import Browser, open_review
from tests.portal import Portal

REQUESTS = 50


def test_fifty_identical_requests_make_one_payment_and_all_see_its_receipt(portal: Portal) -> None:
    household = portal.add_household()
    browser = Browser(portal.url)
    address, form = open_review(browser, member=household.member)

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
