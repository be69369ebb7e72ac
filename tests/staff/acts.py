"""What the tests of staff's pages do: sign in as one of the staff with some rights, open an act's page, press its button."""

from typing import Any

from django.contrib.auth.models import Permission
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from tests import people
from tests.payments.payers import read, read_hidden


def make_clerk(*rights: str) -> Client:
    """The browser of one of the staff with these rights alone."""
    clerk = people.make_staff(is_superuser=False)
    clerk.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client = Client()
    client.force_login(clerk, backend="django.contrib.auth.backends.ModelBackend")
    return client


def press(client: Client, name: str, *args: object, **typed: Any) -> tuple[HttpResponse, dict[str, Any]]:
    """Open the page of an act, look at what it does where it must be seen, press its button; the answer, and what was sent."""
    address = reverse(f"admin:{name}", args=args)
    first = client.get(address)
    assert first.status_code == 200, read(first)
    sent = {"why": "the member asked for it", "form_key": read_hidden(first, "form_key"), **typed}
    if 'name="preview"' in first.content.decode():
        shown = client.post(address, sent | {"preview": "yes"})
        assert 'name="seen"' in shown.content.decode(), read(shown)
        sent["seen"] = read_hidden(shown, "seen")
    sent["act"] = "yes"
    return client.post(address, sent, follow=True), sent


def press_again(client: Client, name: str, *args: object, sent: dict[str, Any]) -> HttpResponse:
    """The same form once more: a double click, or a page that is sent again."""
    return client.post(reverse(f"admin:{name}", args=args), sent, follow=True)


def check_refused(client: Client, name: str, *args: object) -> None:
    """Neither the page nor its button is this person's."""
    address = reverse(f"admin:{name}", args=args)
    assert client.get(address).status_code == 403
    assert client.post(address, {"act": "yes", "why": "because"}).status_code == 403
