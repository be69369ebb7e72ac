"""A walk through every page in Spanish, as guest and as member, with every mistake on the way: no English is left."""

import re
from collections.abc import Iterator
from datetime import date
from functools import cache
from typing import Any

import pytest
from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core import mail
from django.template.loader import render_to_string
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, resolve, reverse
from django.utils import translation

from billing import invoices
from billing.bill_links import ensure_links, format_code, revoke_links
from billing.models import Invoice
from connector_pay.lib import clock
from members.models import EnrollmentStatus, Member
from payments import drafts
from payments.models import MailedCheck, Mandate, Payment
from tests import people
from tests.connector_pay.test_spanish_catalog import read_catalog
from tests.diary import eastern
from tests.english_words import find_english, list_untranslated
from tests.payments import paying
from tests.payments.payers import authorize, fill_bank, find_account, make_household, read_hidden, sign_in

pytestmark = [pytest.mark.starts(eastern(2027, 1, 20)), pytest.mark.usefixtures("diary")]

# No page of words: files, a carrier's webhooks, what only leads on; and the package's pages that the portal never opens.
WORDLESS = {
    *("bill_pdf", "autopay_authorization", "payment_history_csv", "calendar_file", "bank_name"),
    *("guest_clear", "phone", "phone_step"),
}
ONLY_LEADS_ON = {
    "account_email",
    "pay",
    "autopay_start",
    "pay_again",
    "sign_out_everywhere",
    "session_extend",
    "session_end",
}
NEVER_OPENED = {
    "account_confirm_login_code",
    "account_set_password",
    "mfa_reauthenticate_webauthn",
    "mfa_download_recovery_codes",
    "mfa_edit_webauthn",
    "mfa_remove_webauthn",
}


class Reader:
    """Someone who reads Spanish, and stops at the first page that has English in it."""

    seen: set[str] = set()

    def __init__(self, client: Client | None = None) -> None:
        self.client = client or Client()
        self.client.cookies[settings.LANGUAGE_COOKIE_NAME] = "es"

    def get(self, path: str) -> Any:
        """Open a page and read it."""
        return self._read(path, self.client.get(path, follow=True))

    def post(self, path: str, **typed: Any) -> Any:
        """Send a form and read what comes."""
        return self._read(path, self.client.post(path, typed, follow=True))

    def _read(self, path: str, answer: Any) -> Any:
        at = answer.redirect_chain[-1][0] if answer.redirect_chain else path
        answer.path = at.partition("?")[0]
        if answer.status_code != 404:
            self.seen.add(resolve(answer.path).url_name)
        check(answer.content.decode(), where=f"{path} -> {at}, {answer.status_code}")
        return answer


@cache
def list_phrases() -> tuple[str, ...]:
    """Every English phrase of the catalog."""
    return tuple(list_untranslated(entry.phrase.english for entry in read_catalog()))


def check(html: str, *, where: str) -> None:
    """A page in Spanish, whose switch sends a form that is there."""
    assert '<html lang="es">' in html, where
    assert not list(find_english(html, phrases=list_phrases())), where
    assert html.count('id="typed"') <= 1, where
    assert ('form="typed"' in html) == ('id="typed"' in html), where


def list_names_of(resolver: URLResolver) -> Iterator[str]:
    """The name of every address outside of the staff's side."""
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from () if pattern.app_name == "admin" else list_names_of(pattern)
        elif isinstance(pattern, URLPattern) and not str(pattern.pattern).startswith("admin/"):
            yield str(pattern.name)


def test_the_detector_finds_english() -> None:
    found = list(find_english(Client().get("/help/").content.decode(), phrases=list_phrases()))
    assert len(found) > 30


def walk_public_pages_and_faults() -> None:
    reader = Reader()
    make_household(products=("health", "dental"))
    for path in ("/", "/how-to-pay/", "/help/", "/faq/", "/other-ways-to-pay/", "/nowhere/"):
        reader.get(path)
    strict = Client(enforce_csrf_checks=True)
    strict.cookies[settings.LANGUAGE_COOKIE_NAME] = "es"
    check(strict.post("/guest/").content.decode(), where="a form without its token")
    with translation.override("es"):
        for name in ("403", "404", "429", "500", "503"):
            check(render_to_string(f"{name}.html", {"user": None}), where=name)


def walk_signing_in_and_setting_up() -> None:
    reader = Reader()
    member = make_household()
    user = people.make_user(member=make_household())
    login = reverse("account_login")
    reader.get(login)
    reader.post(login)
    reader.post(login, login="nobody", password="x")
    reader.post(login, login="a@b", password="x")
    reader.post(login, login=user.email, password="wrong")
    reset = reverse("account_reset_password")
    reader.get(reset)
    reader.post(reset)
    reader.post(reset, email="a@")
    reader.post(reset, email=user.email)
    letter = mail.outbox[-1]
    words = f"{letter.subject} {letter.body}".replace(user.username, "")
    assert not list(find_english(words, phrases=list_phrases())), letter.body
    key = [f"{user_pk_to_url_str(user)}-{default_token_generator.make_token(user)}", "1-nonsense"]
    reader.get(f"/accounts/password/reset/key/{key[1]}/")
    form = reader.get(f"/accounts/password/reset/key/{key[0]}/").path
    reader.post(form)
    reader.post(form, password1="short", password2="other")
    reader.post(form, password1="123456789012", password2="123456789012")
    reader.post(form, password1=user.email, password2=user.email)
    reader.post(form, password1="password1234", password2="other")
    reader.post(form, password1=people.PASSWORD + " 2", password2=people.PASSWORD + " 2")
    for path in ("signup/", "inactive/", "confirm-email/", "confirm-email/abc/"):
        reader.get(f"/accounts/{path}")
    _activate(Reader(), member)


def _activate(reader: Reader, member: Member) -> None:
    reader.get("/activate/")
    reader.post("/activate/")
    who = {"member_id": "1", "zip_code": "x", "date_of_birth_month": "13"}
    reader.post("/activate/", **who)
    born = {"date_of_birth_month": "4", "date_of_birth_day": "9", "date_of_birth_year": "1986"}
    reader.post("/activate/", **born, member_id="003400000000", zip_code="02108")
    found = {**born, "member_id": member.member_id, "zip_code": "02108"}
    account = reader.post("/activate/", **found).path
    reader.post(account)
    reader.post(account, email="a", password="short", password_again="other")
    reader.post(account, email=member.email, password="password1234", password_again="password1234")
    reader.post(account, email=member.email, password=people.PASSWORD, password_again=people.PASSWORD)
    Reader().post("/activate/", **found)


def walk_a_guest_pays() -> None:
    reader = Reader()
    member = make_household(products=("health", "dental"))
    reader.get("/guest/")
    reader.post("/guest/")
    reader.post("/guest/", identifier="0000 0000 0000", date_of_birth_month="13")
    reader.post("/guest/", identifier="0000 0000 0000")
    born = {"date_of_birth_month": "4", "date_of_birth_day": "9", "date_of_birth_year": "1986"}
    amount = reader.post("/guest/", identifier=member.member_id, **born).path
    reader.post(amount, pay_none="on")
    keys = [find_account(member, product).pk for product in ("health", "dental")]
    reader.post(amount, **{f"pay_{keys[0]}": "on", f"choice_{keys[0]}": "other", f"other_{keys[0]}": "0.10"})
    reader.post(amount, **{f"pay_{keys[0]}": "on", f"choice_{keys[0]}": "other", f"other_{keys[0]}": "x"})
    reader.post(amount, **{f"pay_{keys[0]}": "on", f"choice_{keys[0]}": "other", f"other_{keys[0]}": "99999"})
    reader.post(amount, **{f"pay_{keys[0]}": "on", f"choice_{keys[0]}": "other", f"other_{keys[0]}": "400"})
    bank = reader.post(amount, **{f"pay_{key}": "on" for key in keys}).path
    _type_a_bank_account(reader, bank)
    review = reader.post(bank, **fill_bank(receipt_email="grace@example.org")).path
    reader.get(bank)
    reader.post(review, token="x")
    page = reader.get(review)
    reader.post(review, token=read_hidden(page, "token"))
    paid = authorize(reader.client, review)
    reader.get(paid["Location"])
    number = Payment.objects.filter(account__enrollment__member=member).order_by("pk")[0].confirmation_number
    reader.get(f"/receipts/{number}/")
    reader.get(f"/receipts/{number}/cancel/")
    reader.get(f"/guest/{'0' * 8}-0000-0000-0000-{'0' * 12}/amount/")
    reader.post("/guest/clear/")
    reader.get("/receipts/")
    reader.post("/receipts/")
    reader.post("/receipts/", number=number, last_four="0000")
    reader.post("/receipts/", number=number, last_four=fill_bank()["account_number"][-4:])


def _type_a_bank_account(reader: Reader, bank: str) -> None:
    reader.get(bank)
    reader.post(bank)
    reader.post(bank, **fill_bank(account_number="4111 1111 1111 1111", receipt_email="a@"))
    reader.post(bank, **fill_bank(routing_number="123456789", account_number="12", holder_name="12345"))
    reader.post(bank, **fill_bank(confirm_account_number="1", holder_name="\u4e00"))


def walk_a_guest_who_sees_nothing_of_the_account_and_bills_with_a_code() -> None:
    reader = Reader()
    member = make_household(products=("health", "dental"))
    amount = reader.post("/guest/", identifier=member.member_id).path
    reader.post(amount)
    reader.post(amount, product="health", amount="0.10")
    reader.post(amount, product="health", amount="99999999")
    bank = reader.post(amount, product="health", amount="284.17").path
    review = reader.post(bank, **fill_bank()).path
    reader.get(authorize(reader.client, review)["Location"])
    contents = drafts.Contents(
        account_ids=(find_account(member).pk,), withheld=True, identifier=member.member_id
    )
    contents = drafts.Contents(**{**vars(contents), "date_of_birth": member.date_of_birth})
    digest = drafts.digest_session(reader.client.session)
    draft = drafts.start_draft(user=None, session_digest=digest, contents=contents, at=clock.now())
    reader.get(reverse("guest_pay", args=[draft.pk, "amount"]))
    codes = ensure_links(
        invoice_ids=Invoice.objects.values_list("pk", flat=True), today=clock.today(), at=clock.now()
    )
    for code in codes.values():
        reader.get(reverse("bill_link", args=[format_code(code)]))
    revoke_links(invoice_ids=codes, by=people.make_staff(), at=clock.now())
    reader.get(reverse("bill_link", args=[format_code(code)]))
    reader.get("/b/ABCDE-FGHIJ-KLMNO-PQRST/")


def walk_a_call_in_the_browser() -> None:
    reader = Reader()
    reader.get("/phone/try/")
    page = reader.post("/phone/try/")
    facts = {name: read_hidden(page, name) for name in ("call_id", "step", "turn")}
    reader.post("/phone/try/", **facts, keys="2")


def walk_a_member_pays_and_looks_back() -> None:
    member = make_household(products=("health", "dental"))
    reader = Reader(sign_in(member))
    reader.get("/home/")
    amount = reader.get("/pay/").path
    keys = [find_account(member, product).pk for product in ("health", "dental")]
    reader.post(amount, **{f"pay_{keys[0]}": "on", "when": "later"})
    reader.post(amount, **{f"pay_{keys[0]}": "on", "when": "later", "later": "x"})
    reader.post(amount, **{f"pay_{keys[0]}": "on", "when": "today", "later": "2027-01-22"})
    bank = reader.post(amount, **{f"pay_{keys[0]}": "on", "when": "later", "later": "2027-01-22"}).path
    review = reader.post(bank, **fill_bank()).path
    reader.get(authorize(reader.client, review)["Location"])
    amount = reader.get("/pay/").path
    bank = reader.post(amount, **{f"pay_{keys[1]}": "on"}).path
    reader.post(bank, source="new", **fill_bank(account_number="1"))
    review = reader.post(bank, source="new", **fill_bank()).path
    reader.get(authorize(reader.client, review)["Location"])
    for path in ("/home/", "/bills/", "/payments/", "/payments/?status=returned", "/payments/?since=x"):
        reader.get(path)
    for bill in Invoice.objects.filter(account__enrollment__member=member):
        reader.get(f"/bills/{bill.number}/")
    first, second = Payment.objects.filter(account__enrollment__member=member).order_by("pk")
    reader.get(f"/receipts/{second.confirmation_number}/")
    reader.post(f"/receipts/{first.confirmation_number}/cancel/")
    reader.get(f"/receipts/{first.confirmation_number}/cancel/")
    table = reader.client.get("/payments/payments.csv").content.decode()
    assert not list(find_english(table, phrases=list_phrases())), table


def walk_a_member_whose_payment_came_back_and_one_who_is_behind() -> None:
    member = people.make_member()
    begun = date(2026, 12, 1)
    enrollment = people.make_enrollment(
        member=member, requested_start=date(2027, 1, 1), status=EnrollmentStatus.ACTIVE, at=paying.noon(begun)
    )
    for day in (begun, date(2027, 1, 1)):
        invoices.issue_missing(today=day, at=paying.noon(day))
    reader = Reader(sign_in(member))
    for path in ("/home/", "/pay/", "/bills/", "/autopay/"):
        reader.get(path)
    for bill in Invoice.objects.filter(account__enrollment__member=member):
        reader.get(f"/bills/{bill.number}/")
    for cents, number in ((100_00, paying.GOOD), (50_00, "1000000001")):
        paying.pay(enrollment.account, cents, number=number)
    paying.live(paying.TUESDAY, date(2027, 1, 20))
    for payment in Payment.objects.filter(account=enrollment.account):
        reader.get(f"/receipts/{payment.confirmation_number}/")
    assert {payment.status for payment in Payment.objects.filter(account=enrollment.account)} == {
        "posted",
        "returned",
    }
    reader.get("/payments/")
    reader.get("/home/")
    Reader(sign_in(people.make_member())).get("/home/")


def walk_autopay() -> None:
    member = make_household(products=("health", "dental"))
    reader = Reader(sign_in(member))
    keys = [find_account(member, product).pk for product in ("health", "dental")]
    reader.get("/autopay/")
    bills = reader.get("/autopay/set-up/").path
    reader.post(bills)
    reader.post(bills, **{f"pay_{keys[0]}": "on", f"limit_{keys[0]}": "99999"})
    bank = reader.post(bills, **{f"pay_{key}": "on" for key in keys}, **{f"limit_{keys[1]}": "20"}).path
    review = reader.post(bank, **fill_bank()).path
    reader.post(review, token=read_hidden(reader.get(review), "token"))
    reader.get(authorize(reader.client, review)["Location"])
    for path in ("/autopay/", "/home/", "/pay/", "/autopay/set-up/", f"/autopay/{keys[0]}/off/"):
        reader.get(path)
    reader.post(f"/autopay/{keys[0]}/off/")
    mandate = Mandate.objects.order_by("pk").last()
    assert mandate
    reader.get(f"/autopay/{mandate.account_id + 10_000}/off/")


def walk_passwords_and_second_steps() -> None:
    member = make_household()
    reader = Reader()
    user = people.make_user(member=member)
    reader.post("/accounts/login/", login=user.email, password=people.PASSWORD)
    reader.get("/accounts/2fa/totp/activate/")
    reader.post("/accounts/reauthenticate/", password="wrong")
    reader.post("/accounts/reauthenticate/", password=people.PASSWORD)
    for path in ("password/change/", "logout/", "2fa/", "2fa/webauthn/", "2fa/webauthn/add/"):
        reader.get(f"/accounts/{path}")
    reader.post("/accounts/password/change/")
    reader.post("/accounts/password/change/", oldpassword="x", password1="y", password2="z")
    page = reader.get("/accounts/2fa/totp/activate/")
    secret = re.search(r'<p class="cp-secret">(\w+)</p>', page.content.decode())
    assert secret
    reader.post("/accounts/2fa/totp/activate/", code="000000")
    reader.post("/accounts/2fa/totp/activate/", code=people.read_code(secret[1]))
    for path in ("", "totp/deactivate/", "recovery-codes/", "recovery-codes/generate/", "reauthenticate/"):
        reader.get(f"/accounts/2fa/{path}")
    reader.post("/accounts/2fa/reauthenticate/", code="000000")
    reader.post("/accounts/2fa/recovery-codes/generate/")
    again = Reader()
    again.post("/accounts/login/", login=user.email, password=people.PASSWORD)
    again.post("/accounts/2fa/authenticate/", code="000000")
    reader.post("/accounts/2fa/totp/deactivate/")
    new = {"password1": "correct horse battery", "password2": "correct horse battery"}
    reader.post("/accounts/password/change/", oldpassword=people.PASSWORD, **new)
    reader.post("/accounts/logout/")


def walk_the_profile_and_a_check_in_the_mail() -> None:
    member = make_household()
    reader = Reader(sign_in(member))
    for path in ("", "language/", "paperless/"):
        reader.get(f"/profile/{path}")
    reader.post("/profile/paperless/", paperless_bills="on")
    reader.get("/profile/email/")
    reader.post("/accounts/reauthenticate/", password=people.PASSWORD)
    reader.get("/profile/phone/")
    reader.post("/profile/phone/", phone="12")
    reader.post("/profile/phone/", phone="617-555-0199")
    reader.get("/profile/email/")
    reader.post("/profile/email/", email="a@")
    reader.post("/profile/email/", email="ana@example.org")
    reader.get("/profile/email/nonsense/")
    told = reader.get(f"/mailed/{find_account(member).pk}/")
    reader.post(told.path, form_key=read_hidden(told, "form_key"))
    typed = {"amount": "20.00", "mailed_on": "2027-01-19"}
    reader.post(told.path, form_key=read_hidden(told, "form_key"), **typed)
    reader.get("/home/")
    check = MailedCheck.objects.get()
    reader.get(f"/mailed/{check.pk}/withdraw/")
    reader.post(f"/mailed/{check.pk}/withdraw/")
    reader.post("/profile/sign-out-everywhere/")


def test_no_page_has_english_left_and_no_page_was_left_out() -> None:
    Reader.seen.clear()
    for walk in (
        walk_public_pages_and_faults,
        walk_signing_in_and_setting_up,
        walk_a_guest_pays,
        walk_a_guest_who_sees_nothing_of_the_account_and_bills_with_a_code,
        walk_a_call_in_the_browser,
        walk_a_member_pays_and_looks_back,
        walk_a_member_whose_payment_came_back_and_one_who_is_behind,
        walk_autopay,
        walk_passwords_and_second_steps,
        walk_the_profile_and_a_check_in_the_mail,
    ):
        walk()
    pages = {name for name in list_names_of(get_resolver()) if not name.startswith("demo_")}
    left_out = pages - Reader.seen - WORDLESS - ONLY_LEADS_ON - NEVER_OPENED
    assert not left_out
