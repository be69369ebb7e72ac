"""People at the pages: a browser without a screen that fills in the steps of paying."""

import re
from datetime import date
from html import unescape
from typing import Any

from django.http import HttpResponse
from django.test import Client

from billing import invoices
from billing.models import Account
from connector_pay.lib import clock
from members.models import Member
from tests import people

ROUTING = "011000015"
NUMBER = "48200123456789"


def make_household(*, products: tuple[str, ...] = ("health",), **facts: Any) -> Member:
    """A member with a first bill due for each product, $284.17 for health and $31.50 for dental."""
    member = people.make_member(**facts)
    for product in products:
        cents = 284_17 if product == "health" else 31_50
        people.make_enrollment(member=member, product=product, premium_cents=cents)
    invoices.issue_missing(today=clock.today(), at=clock.now())
    return member


def find_account(member: Member, product: str = "health") -> Account:
    """The member's account of a product."""
    return Account.objects.get(enrollment__member=member, enrollment__plan__product=product)


def sign_in(member: Member) -> Client:
    """The member's browser, signed in."""
    client = Client()
    client.force_login(people.make_user(member=member), backend="django.contrib.auth.backends.ModelBackend")
    return client


def read(answer: HttpResponse) -> str:
    """The page as text, without tags."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def read_hidden(answer: HttpResponse, name: str) -> str:
    """The value of a hidden box."""
    found = re.search(rf'<input type="hidden" name="{name}" value="([^"]*)"', answer.content.decode())
    assert found, read(answer)
    return unescape(found[1])


def read_title(answer: HttpResponse) -> str:
    """What the browser's tab says."""
    found = re.search(r"<title>(.*?)</title>", answer.content.decode(), re.DOTALL)
    assert found
    return " ".join(unescape(found[1]).split())


def fill_bank(**typed: str) -> dict[str, str]:
    """What is typed on the bank page."""
    number = typed.get("account_number", NUMBER)
    return {
        "holder_name": "Alice Alvarez",
        "kind": "checking",
        "routing_number": ROUTING,
        "account_number": number,
        "confirm_account_number": number,
        **typed,
    }


def find_as_guest(client: Client, identifier: str, born: date | None = None) -> Any:
    """Send the guest's first page."""
    typed = {"identifier": identifier}
    if born:
        typed |= {
            "date_of_birth_month": str(born.month),
            "date_of_birth_day": str(born.day),
            "date_of_birth_year": str(born.year),
        }
    return client.post("/guest/", typed)


def start(client: Client) -> str:
    """Begin a member's payment; the address of its amount page."""
    answer = client.get("/pay/")
    assert answer.status_code == 302
    return str(answer["Location"])


def go_to_review(client: Client, amount_url: str, amounts: dict[str, str], **bank: str) -> str:
    """Fill in amount and bank account; the address of the review page."""
    answer = client.post(amount_url, amounts)
    assert answer.status_code == 303, read(answer)
    answer = client.post(answer["Location"], fill_bank(**bank))
    assert answer.status_code == 303, read(answer)
    return str(answer["Location"])


def authorize(client: Client, review_url: str, page: Any = None) -> Any:
    """Tick every box of the review page and press Pay."""
    page = page or client.get(review_url)
    boxes = re.findall(r'name="(authorize_\d+)"', page.content.decode())
    return client.post(review_url, {"token": read_hidden(page, "token"), **dict.fromkeys(boxes, "on")})
