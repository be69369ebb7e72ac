"""Where a request comes from: nobody can say so but our own proxies, and nobody is taken for everybody."""

import pytest
from django.test import Client, RequestFactory

from connector_pay.lib.addresses import read_address, read_network
from members import activation
from payments.models import Authorization
from tests import people
from tests.diary import eastern
from tests.payments.payers import authorize, find_as_guest, go_to_review, make_household

PROXY, PAYER, LIE = "10.0.0.1", "198.51.100.7", "203.0.113.99"


def ask(forwarded: str | None, remote: str = PROXY):
    """A request as gunicorn hands it on."""
    written = {} if forwarded is None else {"HTTP_X_FORWARDED_FOR": forwarded}
    return RequestFactory().get("/", REMOTE_ADDR=remote, **written)


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, None, PROXY),
        (0, LIE, PROXY),
        (1, PAYER, PAYER),
        (1, f"{LIE}, {PAYER}", PAYER),
        (1, f"{LIE},{LIE},  {PAYER} ", PAYER),
        (2, f"{LIE}, {PAYER}, 10.0.0.2", PAYER),
        (1, None, PROXY),
        (1, "", PROXY),
        (2, PAYER, PROXY),
        (1, "unknown", PROXY),
        (1, "<script>", PROXY),
        (1, f"::ffff:{PAYER}", PAYER),
        (1, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2:3:4:5:6"),
    ],
)
def test_only_what_our_own_proxies_wrote_is_believed(settings, proxies, forwarded, address) -> None:
    settings.TRUSTED_PROXIES = proxies
    assert read_address(ask(forwarded)) == address


def test_where_nobody_can_say_there_is_none(settings) -> None:
    settings.TRUSTED_PROXIES = 1
    assert read_address(ask(None, remote="")) is None
    assert read_network(ask(None, remote="")) is None


def test_limits_count_the_network_that_one_household_is_given() -> None:
    same = {read_network(ask(None, remote=f"2001:db8:1:2::{number:x}")) for number in range(1, 50)}
    assert same == {"2001:db8:1:2::"}
    assert read_network(ask(None, remote="2001:db8:1:3::1")) == "2001:db8:1:3::"
    assert read_network(ask(None, remote=PAYER)) == PAYER


@pytest.mark.starts(eastern(2027, 1, 20))
@pytest.mark.usefixtures("diary")
@pytest.mark.parametrize(("proxies", "kept"), [(0, PROXY), (1, PAYER)])
def test_the_proof_of_authorization_keeps_no_lie(settings, proxies: int, kept: str) -> None:
    settings.TRUSTED_PROXIES = proxies
    member = make_household()
    client = Client(REMOTE_ADDR=PROXY, HTTP_X_FORWARDED_FOR=f"{LIE}, {PAYER}")
    amount = find_as_guest(client, member.member_id, member.date_of_birth)["Location"]
    assert authorize(client, go_to_review(client, amount, {})).status_code == 303
    assert Authorization.objects.get().address == kept


def identify(client: Client, member, **typed: str):
    """Who somebody says they are, on the activation page."""
    born = member.date_of_birth
    facts = {"member_id": member.member_id, "zip_code": member.zip_code}
    facts |= {f"date_of_birth_{part}": getattr(born, part) for part in ("month", "day", "year")}
    return client.post("/activate/", facts | typed)


@pytest.mark.django_db
def test_behind_a_proxy_one_mans_misses_stop_nobody_else_from_activating(settings) -> None:
    settings.TRUSTED_PROXIES = 1
    member = people.make_member()
    attacker = Client(REMOTE_ADDR=PROXY, HTTP_X_FORWARDED_FOR=LIE)
    for number in range(activation.MISSES_PER_ADDRESS):
        identify(attacker, member, member_id=f"9{number:011d}")
    assert identify(attacker, member).status_code == 429
    assert identify(Client(REMOTE_ADDR=PROXY, HTTP_X_FORWARDED_FOR=PAYER), member).status_code == 302


@pytest.mark.django_db
@pytest.mark.parametrize("proxies", [0, 1])
def test_a_made_up_address_does_not_begin_the_misses_anew(settings, proxies: int) -> None:
    settings.TRUSTED_PROXIES = proxies
    member = people.make_member()
    for number in range(activation.MISSES_PER_ADDRESS):
        liar = Client(REMOTE_ADDR=PROXY, HTTP_X_FORWARDED_FOR=f"203.0.113.{number}, {PAYER}")
        identify(liar, member, member_id=f"9{number:011d}")
    liar = Client(REMOTE_ADDR=PROXY, HTTP_X_FORWARDED_FOR=f"{LIE}, {PAYER}")
    assert identify(liar, member).status_code == 429
