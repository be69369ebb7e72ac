"""Pages anyone may read: one language each, and the ways on from every one of them."""

import pytest
from django.conf import settings
from django.template.loader import render_to_string
from django.test import Client

from tests.payments.payers import read

pytestmark = pytest.mark.django_db


def test_pages_are_in_english_whatever_the_browser_asks_until_there_is_a_spanish_catalog() -> None:
    assert [code for code, _name in settings.LANGUAGES] == ["en"]
    for path in ("/", "/guest/", "/accounts/login/", "/help/"):
        answer = Client().get(path, headers={"accept-language": "es-MX,es;q=0.9"})
        assert '<html lang="en">' in answer.content.decode()
    assert "Este campo" not in read(Client().post("/guest/", {}, headers={"accept-language": "es"}))
