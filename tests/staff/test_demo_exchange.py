"""The demo exchange: loaded once through the real intake, with people who can sign in and a list of whom
to try.
"""

import json
import stat
from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import decrypt
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command
from django.test import Client, RequestFactory

from billing.balances import read_standings
from connector_pay import demo, self_check
from connector_pay.lib import clock
from connector_pay.roles import find_role
from members.exchange_generator import generate_events
from members.models import Enrollment, IntakeEvent, Member, User
from payments.ach.routing_numbers import find_routing_fault
from payments.bank.magic_accounts import MAGIC_ACCOUNTS
from payments.models import RoutingNumber
from payments.routing_directory import find_bank
from tests.paying import get, open_review, press_pay

pytestmark = pytest.mark.django_db
URL = "http://127.0.0.1:8000"


@pytest.fixture
def folder(settings, tmp_path, monkeypatch):
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr(demo, "HOUSEHOLDS", 60)
    return tmp_path


@pytest.fixture
def people(folder) -> dict:
    return load(folder)


def load(folder, url: str = URL) -> dict:
    call_command("load_demo", url=url, stdout=StringIO())
    return json.loads((folder / "demo.json").read_text())


def list_passwords(people: dict) -> dict[str, str]:
    return {one["email"]: one["password"] for one in people["members"]}


def test_only_its_owner_may_read_the_list(people, folder):
    assert stat.S_IMODE((folder / "demo.json").stat().st_mode) == 0o600


def test_the_list_has_what_programs_rely_on(people):
    assert set(people) == {"url", "guests", "members", "staff", "bank_accounts"}
    assert people["url"] == URL
    assert len(people["guests"]) > 3
    for guest in people["guests"]:
        assert set(guest) == {"member_id", "phone", "date_of_birth", "due"}
        for due in guest["due"]:
            assert set(due) == {"product", "amount_cents", "due_date"}
    for staff in people["staff"]:
        assert set(staff) == {"role", "username", "password", "totp_secret"}
    roles = ["reviewer", "cashier", "supervisor", "auditor", "administrator"]
    assert [staff["role"] for staff in people["staff"]] == roles


def test_the_first_member_owes_for_health_and_dental(people):
    assert [due["product"] for due in people["members"][0]["due"]] == ["health", "dental"]


def test_the_last_guests_phone_belongs_to_one_member_alone(people):
    last = people["guests"][-1]
    assert Member.objects.get(phone=last["phone"]).member_id == last["member_id"]


def test_what_is_said_to_be_due_is_what_the_books_say(people):
    for guest in people["guests"]:
        enrollments = Enrollment.objects.filter(member__member_id=guest["member_id"])
        accounts = enrollments.values_list("account", flat=True)
        standings = read_standings(account_ids=accounts, today=clock.today()).values()
        owed = {(one.product, one.due_cents, one.due_date.isoformat()) for one in standings}
        assert owed == {(due["product"], due["amount_cents"], due["due_date"]) for due in guest["due"]}


def test_members_and_staff_can_sign_in(people):
    request = RequestFactory().post("/")
    for member in people["members"]:
        assert User.objects.get(email=member["email"]).check_password(member["password"])
    for staff in people["staff"]:
        user = authenticate(request, username=staff["username"], password=staff["password"])
        assert user.is_staff
        assert find_role(user=user) == staff["role"]
        secret = Authenticator.objects.get(user=user).data["secret"]
        assert decrypt(secret) == staff["totp_secret"] != secret


def test_the_bank_accounts_are_a_good_one_and_every_magic_one(people):
    accounts = people["bank_accounts"]
    assert [one["account_number"] for one in accounts[1:]] == list(MAGIC_ACCOUNTS)
    assert accounts[0]["account_number"] not in MAGIC_ACCOUNTS
    assert all(one["does"] for one in accounts)
    assert not any(find_routing_fault(routing_number=one["routing_number"]) for one in accounts)


def test_the_routing_number_of_the_list_has_the_name_of_a_bank_that_is_made_up(people, folder):
    numbers = {one["routing_number"] for one in people["bank_accounts"]}
    assert [find_bank(routing_number=number).name for number in numbers] == ["SANDBOX BANK (MADE UP)"]
    assert RoutingNumber.objects.count() > 20
    assert not RoutingNumber.objects.exclude(bank_name__endswith="(MADE UP)").exists()


def test_a_directory_that_the_operator_brought_stays(people, folder):
    RoutingNumber.objects.exclude(number="011000015").delete()
    RoutingNumber.objects.update(bank_name="A BANK OF THE OPERATOR'S")
    load(folder)
    assert RoutingNumber.objects.get().bank_name == "A BANK OF THE OPERATOR'S"


def test_loading_again_keeps_people_and_passwords(people, folder):
    events, users = IntakeEvent.objects.count(), User.objects.count()
    again = load(folder, url="http://127.0.0.1:9000")
    assert again == {**people, "url": "http://127.0.0.1:9000"}
    assert (IntakeEvent.objects.count(), User.objects.count()) == (events, users)


def test_after_months_it_loads_again_and_the_people_of_the_first_list_can_still_sign_in(people, folder):
    with time_machine.travel(clock.now() + timedelta(days=100)):
        call_command("run_day", clock.today().isoformat(), stdout=StringIO())
        said = StringIO()
        call_command("load_demo", url=URL, stdout=said)
    again = json.loads((folder / "demo.json").read_text())
    assert list_passwords(people).items() <= list_passwords(again).items()
    assert "make run FRESH=1 begins anew" in said.getvalue()


def test_a_load_that_was_interrupted_goes_on_where_it_stopped(folder, monkeypatch):
    call_command("load_demo", url=URL, stdout=StringIO())
    events = IntakeEvent.objects.count()
    file = folder / "demo_exchange.jsonl"
    assert not file.exists()
    lines = generate_events(households=61, seed=1, today=clock.today())
    file.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    load(folder)
    assert IntakeEvent.objects.count() > events
    assert not file.exists()


def test_once_the_first_member_has_paid_another_who_owes_stands_first_and_the_first_stays_listed(
    people, folder
):
    first = people["members"][0]
    client = Client()
    get(client, "/accounts/login/").submit(login=first["email"], password=first["password"])
    press_pay(open_review(client, enrollment=None))
    again = load(folder)
    assert again["members"][0]["email"] != first["email"]
    assert [due["product"] for due in again["members"][0]["due"]] == ["health", "dental"]
    assert {**first, "due": []} in again["members"]


def test_a_lost_list_is_written_anew_with_new_passwords(people, folder):
    (folder / "demo.json").unlink()
    again = load(folder)
    assert [one["email"] for one in again["members"]] == [one["email"] for one in people["members"]]
    was, now = people["staff"][0], again["staff"][0]
    assert now["password"] != was["password"]
    assert now["totp_secret"] != was["totp_secret"]
    reviewer = User.objects.get(username="reviewer")
    assert reviewer.check_password(now["password"])
    assert decrypt(Authenticator.objects.get(user=reviewer).data["secret"]) == now["totp_secret"]


def test_what_must_always_hold_holds_in_it(people):
    assert self_check.find_violations() == []


def test_it_is_for_demo_mode_only(folder, settings):
    settings.DEMO_MODE = False
    with pytest.raises(CommandError, match="DEMO_MODE=true only"):
        load(folder)
