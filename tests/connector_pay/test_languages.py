"""The language of a page, and the switch that keeps the page, its query and what was typed."""

import re
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from connector_pay.languages import SWITCH
from payments.models import Payment
from tests import people
from tests.diary import eastern
from tests.payments.payers import (
    NUMBER,
    fill_bank,
    find_account,
    find_as_guest,
    go_to_review,
    make_household,
    read,
    sign_in,
    start,
)

pytestmark = [pytest.mark.starts(eastern(2027, 1, 20)), pytest.mark.usefixtures("diary")]

SPANISH = {"headers": {"accept-language": "es-MX,es;q=0.9,en;q=0.5"}}


def read_language(answer: HttpResponse) -> str:
    """The language that the page says it is in."""
    found = re.search(r'<html lang="(\w+)">', answer.content.decode())
    assert found
    return found[1]


def switch(client: Client, path: str, language: str = "es", **typed: str) -> Any:
    """Press the switch of the header, with what is typed in the page's form."""
    return client.post(path, {SWITCH: language, **typed})


def find_box(answer: HttpResponse, name: str) -> str:
    """The box of this name, as it stands in the page."""
    found = re.search(rf'<(?:input|select)[^>]*name="{name}"[^>]*>', answer.content.decode())
    assert found, name
    return found[0]


def test_the_browser_decides_until_the_reader_chooses() -> None:
    client = Client()
    answer = client.get("/help/", **SPANISH)
    assert (read_language(answer), answer["Content-Language"]) == ("es", "es")
    assert {"Accept-Language", "Cookie"} <= set(answer["Vary"].split(", "))
    assert "Dónde está su número de miembro" in read(answer)
    assert read_language(client.get("/help/")) == "en"
    assert read_language(client.get("/help/", headers={"accept-language": "fr"})) == "en"
    switch(client, "/help/", "en")
    assert read_language(client.get("/help/", **SPANISH)) == "en"


def test_a_member_reads_in_their_own_language_unless_they_choose_another() -> None:
    client = sign_in(make_household(language="es"))
    assert read_language(client.get("/home/")) == "es"
    assert read_language(client.get("/home/", headers={"accept-language": "en"})) == "es"
    switch(client, "/home/", "en")
    assert read_language(client.get("/home/")) == "en"


def test_a_language_that_is_not_offered_is_not_chosen() -> None:
    client = Client()
    assert client.post("/help/", {SWITCH: "fr"}).status_code == 405
    client.cookies["django_language"] = "xx"
    assert read_language(client.get("/help/", **SPANISH)) == "es"


def test_the_switch_is_named_in_the_other_language_and_keeps_page_and_query() -> None:
    client = Client()
    page = client.get("/receipts/?from=letter")
    assert re.search(
        r'<button id="language".*?value="es" lang="es">Español</button>', page.content.decode(), re.S
    )
    page = client.get("/help/?a=1")
    assert 'action="/help/?a=1#language"' in page.content.decode()
    answer = switch(client, "/help/?a=1")
    assert (answer.status_code, answer["Location"]) == (303, "/help/?a=1")
    cookie = answer.cookies["django_language"]
    assert (cookie.value, cookie["httponly"], cookie["samesite"]) == ("es", True, "Lax")
    page = client.get("/help/?a=1")
    assert re.search(
        r'<button id="language".*?value="en" lang="en">English</button>', page.content.decode(), re.S
    )


def test_the_switch_never_leads_to_another_site() -> None:
    answer = Client().post("/", {SWITCH: "es"}, PATH_INFO="//evil.example/")
    assert answer["Location"] == "/%2Fevil.example/"


def test_what_a_guest_typed_is_kept_unchecked() -> None:
    client = Client()
    answer = switch(
        client,
        "/guest/",
        identifier="12 <b>",
        date_of_birth_month="4",
        date_of_birth_day="",
        date_of_birth_year="86",
    )
    assert (answer.status_code, read_language(answer)) == (200, "es")
    assert "Hay un problema" not in read(answer)
    assert 'value="12 &lt;b&gt;"' in find_box(answer, "identifier")
    assert 'value="4"' in find_box(answer, "date_of_birth_month")
    assert 'value="86"' in find_box(answer, "date_of_birth_year")
    assert "no-store" in answer["Cache-Control"]


def test_the_amounts_that_a_member_typed_are_kept_and_ticks_that_were_taken_away_stay_away() -> None:
    member = make_household(products=("health", "dental"))
    client = sign_in(member)
    health, dental = find_account(member).pk, find_account(member, "dental").pk
    typed = {
        f"pay_{dental}": "on",
        f"choice_{dental}": "other",
        f"other_{dental}": "12.3x",
        f"other_{health}": "",
    }
    answer = switch(client, start(client), **typed, when="later", later="2027-01-22")
    assert "checked" not in find_box(answer, f"pay_{health}")
    assert "checked" in find_box(answer, f"pay_{dental}")
    assert 'value="12.3x"' in find_box(answer, f"other_{dental}")
    assert 'value="2027-01-22"' in find_box(answer, "later")
    assert re.search(r'value="later"[^>]*checked', answer.content.decode())


def test_the_bank_page_keeps_what_was_typed_except_a_cards_number() -> None:
    client = Client()
    member = make_household()
    amount = find_as_guest(client, member.member_id, member.date_of_birth)["Location"]
    bank = client.post(amount, {})["Location"]
    answer = switch(client, bank, **fill_bank(kind="savings", confirm_account_number="4111 1111 1111 1111"))
    assert f'value="{NUMBER}"' in find_box(answer, "account_number")
    assert "4111" not in answer.content.decode()
    assert re.search(r'value="savings"[^>]*checked', answer.content.decode())
    assert "no-store" in answer["Cache-Control"]
    assert NUMBER not in client.get(bank).content.decode()


def test_the_review_is_shown_anew_with_no_box_ticked_and_nothing_is_paid() -> None:
    client = sign_in(make_household())
    review = go_to_review(client, start(client), {})
    key = re.search(r'name="(authorize_\d+)"', client.get(review).content.decode())
    assert key
    answer = switch(client, review, token="x", **{key[1]: "on"})
    assert "Revise y autorice su pago" in read(answer)
    assert "Autorizo a" in read(answer)
    assert "checked" not in find_box(answer, key[1])
    assert not Payment.objects.exists()


def test_a_password_is_never_sent_back() -> None:
    answer = switch(Client(), "/accounts/login/", login="rosa@example.org", password="not to be seen")
    assert 'value="rosa@example.org"' in find_box(answer, "login")
    assert "not to be seen" not in answer.content.decode()


def test_pages_of_errors_speak_the_readers_language() -> None:
    client = Client(enforce_csrf_checks=True)
    assert "No podemos encontrar esa página" in read(client.get("/nowhere/", **SPANISH))
    assert "Inténtelo otra vez" in read(client.post("/guest/", {"identifier": "1"}, **SPANISH))
    assert "Este campo" not in read(Client().post("/guest/", {}, **SPANISH))


def test_the_staffs_side_is_english_whatever_was_chosen() -> None:
    client = Client()
    staff = people.make_staff(is_superuser=True)
    client.force_login(staff, backend="django.contrib.auth.backends.ModelBackend")
    people.pass_second_step(client, staff)
    switch(client, "/help/")
    assert read_language(client.get("/help/")) == "es"
    answer = client.get("/admin/", **SPANISH)
    assert (answer.status_code, answer["Content-Language"]) == (200, "en")
    assert 'lang="en' in answer.content.decode()
    assert "Cerrar sesión" not in read(answer)
