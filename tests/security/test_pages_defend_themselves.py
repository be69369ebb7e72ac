"""What every page says to browsers, which requests are refused, and that looking at a page changes nothing."""

import re

import pytest
from django.conf import settings as configured
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from payments.models import Payment
from tests import people
from tests.diary import eastern
from tests.payments.payers import (
    authorize,
    find_account,
    find_as_guest,
    go_to_review,
    make_household,
    sign_in,
    start,
)

pytestmark = [pytest.mark.starts(eastern(2027, 1, 20)), pytest.mark.usefixtures("diary")]
PUBLIC = (
    "/",
    "/how-to-pay/",
    "/help/",
    "/faq/",
    "/other-ways-to-pay/",
    "/guest/",
    "/receipts/",
    "/activate/",
    "/accounts/login/",
)
STAFFS = (
    "/admin/",
    "/admin/payments/payment/",
    "/admin/payments/bankaccount/",
    "/admin/demo-date/",
    "/admin/demo-outbox/",
    "/admin/billing/printbatch/",
    "/admin/members/user/",
)
WRITES = re.compile(
    r'^(INSERT INTO|UPDATE|DELETE FROM) "(?!django_session|payments_paymentdraft|lib_sealedvalue)', re.I
)


@pytest.fixture
def member() -> Client:
    """A member who has paid, signed in."""
    client = sign_in(make_household())
    assert authorize(client, go_to_review(client, start(client), {})).status_code == 303
    return client


def list_pages_of_a_member() -> list[str]:
    """Every page that shows money."""
    payment = Payment.objects.get()
    profile = [f"/profile/{page}" for page in ("", "language/", "paperless/", "email/made-up/")]
    number, bill = (
        payment.confirmation_number,
        find_account(payment.account.enrollment.member).invoices.get().pk,
    )
    return [
        *profile,
        *(
            "/home/",
            "/bills/",
            f"/bills/{bill}/",
            "/payments/",
            "/payments/payments.csv",
            f"/receipts/{number}/",
        ),
        *(f"/receipts/{number}/cancel/", f"/confirmation/{payment.form_key}/", "/pay/"),
    ]


def open_staff(**facts: object) -> Client:
    """Somebody of the staff, signed in."""
    client = Client()
    client.force_login(people.make_staff(**facts), backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_every_page_forbids_frames_and_all_that_is_not_our_own(member: Client) -> None:
    pages = [(Client(), path) for path in (*PUBLIC, "/nowhere/")]
    pages += [(member, path) for path in list_pages_of_a_member()]
    pages += [(open_staff(), path) for path in STAFFS]
    for client, path in pages:
        answer = client.get(path, follow=True)
        policy = answer["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "base-uri 'none'" in policy
        assert "form-action 'self'" in policy
        assert "unsafe" not in policy
        assert answer["X-Frame-Options"] == "DENY"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Referrer-Policy"] == "same-origin"
        assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
        body = answer.content.decode() if "html" in answer["Content-Type"] else ""
        assert not re.search(
            r"<style\b|\sstyle=|\son\w+=|<script(?![^>]*\bsrc=)(?![^>]*application/json)", body
        ), path


def test_no_page_with_money_is_kept_by_a_browser_or_a_proxy(member: Client) -> None:
    guest = Client()
    amount = find_as_guest(guest, make_household().member_id)["Location"]
    pages = [(member, path) for path in list_pages_of_a_member()] + [(guest, amount)]
    pages += [(open_staff(), path) for path in STAFFS]
    for client, path in pages:
        assert "no-store" in client.get(path)["Cache-Control"], path
        assert "private" in client.get(path)["Cache-Control"], path


def test_looking_at_a_page_changes_nothing(member: Client) -> None:
    for client, paths in ((member, list_pages_of_a_member()), (open_staff(), STAFFS), (Client(), PUBLIC)):
        for path in (*paths, "/guest/clear/", "/accounts/logout/"):
            with CaptureQueriesContext(connection) as queries:
                client.get(path)
                client.head(path)
            assert [query["sql"] for query in queries if WRITES.match(query["sql"])] == [], path
    assert member.get("/home/").status_code == 200


def test_no_form_is_taken_from_another_site(member: Client) -> None:
    stranger = Client(enforce_csrf_checks=True)
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = member.cookies
    payment = Payment.objects.get()
    review = start(member)
    posts = [
        (stranger, path)
        for path in ("/guest/", "/receipts/", "/activate/", "/accounts/login/", "/admin/login/")
    ]
    posts += [
        (strict, path)
        for path in (review, f"/receipts/{payment.confirmation_number}/cancel/", "/guest/clear/")
    ]
    posts += [
        (strict, path)
        for path in ("/profile/language/", "/profile/paperless/", "/profile/sign-out-everywhere/")
    ]
    posts += [(strict, path) for path in ("/session/extend/", "/session/end/")]
    posts += [(strict, path) for path in ("/accounts/logout/", "/accounts/password/change/")]
    for client, path in posts:
        assert client.post(path, {}).status_code == 403, path
        assert client.post(path, {"csrfmiddlewaretoken": "x" * 64}).status_code == 403, path
    assert member.get("/home/").status_code == 200


def test_no_view_is_exempt_from_that_but_the_carriers_whose_words_are_signed() -> None:
    from django.urls import URLResolver, get_resolver

    def walk(patterns):
        for pattern in patterns:
            yield from walk(pattern.url_patterns) if isinstance(pattern, URLResolver) else [pattern]

    exempt = [
        str(each.pattern)
        for each in walk(get_resolver().url_patterns)
        if getattr(each.callback, "csrf_exempt", False)
    ]
    assert exempt == ["phone/", "phone/<slug:step>/"]  # tests/payments/channels/phone/test_signature.py


@pytest.mark.parametrize("path", ["/", "/accounts/password/reset/", "/admin/"])
def test_another_host_name_is_refused(path: str) -> None:
    for host in ("evil.example", "localhost.evil.example", "localhost@evil.example", "évil"):
        assert Client().get(path, headers={"host": host}).status_code == 400
    answer = Client().post(
        "/accounts/password/reset/", {"email": people.make_user().email}, headers={"x-forwarded-host": "evil"}
    )
    assert "evil" not in str(answer.headers)


def test_cookies_are_kept_from_scripts_and_other_sites(member: Client) -> None:
    cookie = member.cookies["sessionid"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
    assert configured.CSRF_COOKIE_HTTPONLY
    assert configured.SESSION_EXPIRE_AT_BROWSER_CLOSE


def test_members_and_guests_see_nothing_of_the_staffs_side(member: Client) -> None:
    for client in (member, Client()):
        for path in (*STAFFS, f"/admin/payments/payment/{Payment.objects.get().pk}/change/"):
            for answer in (client.get(path, follow=True), client.post(path, {"one_day": "1"}, follow=True)):
                assert answer.status_code == 403 or answer.request["PATH_INFO"] == "/accounts/login/"


def test_staff_read_and_change_nothing(member: Client) -> None:
    staff = open_staff(is_superuser=False)
    key = Payment.objects.get().pk
    assert staff.get(f"/admin/payments/payment/{key}/change/").status_code == 200
    for path in (
        f"/admin/payments/payment/{key}/change/",
        f"/admin/payments/payment/{key}/delete/",
        "/admin/payments/payment/add/",
    ):
        assert staff.post(path, {"status": "canceled", "post": "yes"}).status_code in (403, 404)
    for path in (
        "/admin/members/user/",
        "/admin/members/user/add/",
        "/admin/auth/group/",
        "/admin/mfa/authenticator/",
    ):
        assert staff.get(path).status_code in (403, 404)
    assert Payment.objects.get().status == "recorded"


def test_no_lookup_of_an_address_asks_for_secrets_beyond_the_row() -> None:
    staff = open_staff(is_superuser=False)
    for path in (
        "/admin/members/member/?user__password__startswith=a",
        "/admin/payments/payment/?bank_account__sealed__token__isnull=0",
        "/admin/members/notice/?member__user__password__startswith=a",
    ):
        assert staff.get(path).status_code in (302, 400), path


def test_nobody_moves_the_date_where_real_money_moves(settings) -> None:
    settings.DEMO_MODE = False
    assert open_staff().get("/admin/demo-date/").status_code == 404
    assert open_staff().post("/admin/demo-date/", {"one_day": "1"}).status_code == 404
