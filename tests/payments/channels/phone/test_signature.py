"""The carrier's signature: the public example of its documentation, and webhooks that nobody has signed."""

import pytest
from django.test import Client

from payments.channels.phone.signature import is_signed, sign
from payments.models import PhoneCall

TOKEN = "12345"
EXAMPLE = {
    "CallSid": ["CA1234567890ABCDE"],
    "Caller": ["+14158675309"],
    "Digits": ["1234"],
    "From": ["+14158675309"],
    "To": ["+18005551212"],
}
URL = "https://mycompany.com/myapp.php?foo=1&bar=2"


def test_the_example_of_the_documentation_is_signed_as_it_says() -> None:
    assert sign(url=URL, parameters=EXAMPLE, token=TOKEN) == "RSOYDt4T1cUTdK1PDd93/VVr8B8="


def test_another_address_parameter_token_or_none_is_not_signed() -> None:
    signature = sign(url=URL, parameters=EXAMPLE, token=TOKEN)
    facts = {"url": URL, "parameters": EXAMPLE, "token": TOKEN, "signature": signature}
    assert is_signed(**facts)
    for change in (
        {"url": URL + "3"},
        {"parameters": EXAMPLE | {"Digits": ["1235"]}},
        {"token": "12346"},
        {"signature": ""},
        {"signature": "ñ"},
        {"token": "", "signature": sign(url=URL, parameters=EXAMPLE, token="")},
    ):
        assert not is_signed(**facts | change)


def test_only_what_the_carrier_has_signed_is_heard(db: None, settings) -> None:
    settings.DEMO_MODE = settings.SECURE_SSL_REDIRECT = False
    settings.PORTAL_URL = "https://pay.example.org"
    started = {"CallSid": "CA1", "From": "+16175550123"}
    assert Client().post("/phone/", started).status_code == 404  # there is no payment line
    settings.PHONE_TOKEN = TOKEN
    parameters = {name: [value] for name, value in started.items()}
    for url, status in (("https://pay.example.org/phone/", 200), ("https://pay.example.com/phone/", 403)):
        signature = sign(url=url, parameters=parameters, token=TOKEN)
        answer = Client().post("/phone/", started, headers={"X-Twilio-Signature": signature})
        assert answer.status_code == status
    assert Client().post("/phone/", started).status_code == 403
    member = {"CallSid": "CA1", "Digits": "1"}
    signature = sign(
        url="https://pay.example.org/phone/language/?turn=1",
        parameters={name: [value] for name, value in member.items()},
        token=TOKEN,
    )
    headers = {"X-Twilio-Signature": signature}
    assert Client().post("/phone/language/?turn=1", member, headers=headers).status_code == 200
    assert Client().post("/phone/member/?turn=1", member, headers=headers).status_code == 403
    assert PhoneCall.objects.get().step == "member"


@pytest.mark.parametrize("path", ["/phone/try/"])
def test_the_page_that_needs_no_carrier_is_a_demos(settings, path: str) -> None:
    settings.DEMO_MODE = settings.SECURE_SSL_REDIRECT = False
    assert Client().get(path).status_code == 404
