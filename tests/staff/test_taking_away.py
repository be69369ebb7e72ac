"""What leaves the portal by a person's hand: lists as CSV and whole account numbers, each with a reason, each written down."""

import csv
import io

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from connector_pay.lib.csv_files import make_safe
from connector_pay.lib.models import AccessLog
from connector_pay.roles import Role
from members.models import Member, User
from payments.models import BankAccount, Payment
from tests import people
from tests.payments.payers import read
from tests.payments.paying import make_account, pay

pytestmark = pytest.mark.django_db
NUMBER = "123456789012"


def open_as(role: Role) -> Client:
    client = Client()
    client.force_login(people.make_clerk(role), backend="django.contrib.auth.backends.ModelBackend")
    return client


def take(
    client: Client, model: str = "payments_payment", why: str = "audit 7", query: str = ""
) -> HttpResponse:
    return client.post(reverse(f"admin:{model}_export") + query, {"why": why})


def read_rows(answer: HttpResponse) -> list[dict[str, str]]:
    text = b"".join(answer.streaming_content).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


class TestExports:
    def test_an_auditor_takes_the_list_as_it_was_filtered_and_it_is_written_down(self):
        first, second = pay(make_account()), pay(make_account())
        Payment.objects.filter(pk=second.pk).update(status="canceled")
        auditor = open_as(Role.AUDITOR)
        page = auditor.get(reverse("admin:payments_payment_changelist") + "?status__exact=canceled")
        assert f"{reverse('admin:payments_payment_export')}?status__exact=canceled" in page.content.decode()
        query = "?status__exact=canceled"
        shown = auditor.get(reverse("admin:payments_payment_export") + query)
        assert "The file has 1 row, filtered as the list was" in read(shown)
        assert "status: canceled" in read(shown)
        rows = read_rows(take(auditor, query=query))
        assert [row["Confirmation number"] for row in rows] == [second.confirmation_number]
        assert first.confirmation_number not in str(rows)
        look = AccessLog.objects.get()
        assert (look.what, look.subject) == ("List of payments", "status__exact=canceled")
        assert (look.rows, look.why) == (1, "audit 7")

    @pytest.mark.parametrize("model", ["payments_payment", "billing_movement", "payments_refund"])
    def test_each_list_goes_out_whole(self, model: str):
        pay(make_account())
        answer = take(open_as(Role.SUPERVISOR), model)
        assert answer["Content-Type"].startswith("text/csv")
        assert "no-store" in answer["Cache-Control"]
        assert len(read_rows(answer)) == AccessLog.objects.get().rows

    @pytest.mark.parametrize("why", ["", "   "])
    def test_nothing_goes_out_without_a_reason(self, why: str):
        answer = take(open_as(Role.AUDITOR), why=why)
        assert "Say why" in read(answer)
        assert not answer.streaming
        assert not AccessLog.objects.exists()

    @pytest.mark.parametrize("role", [Role.REVIEWER, Role.CASHIER])
    def test_others_are_refused_and_see_no_way_to_it(self, role: Role):
        client = open_as(role)
        assert take(client).status_code == 403
        assert "Export CSV" not in read(client.get(reverse("admin:payments_payment_changelist")))
        assert not AccessLog.objects.exists()

    @pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
    def test_no_cell_is_run_as_a_formula(self, start: str):
        assert make_safe(f"{start}1+1") == f"'{start}1+1"
        payment = pay(make_account())
        Member.objects.filter(pk=payment.account.enrollment.member_id).update(first_name=f"{start}cmd")
        (row,) = read_rows(take(open_as(Role.AUDITOR)))
        assert row["Name"].startswith(f"'{start}cmd")

    def test_a_made_up_filter_is_no_accident(self):
        auditor = open_as(Role.AUDITOR)
        assert auditor.get(reverse("admin:payments_payment_export") + "?nonsense=1").status_code == 302

    def test_no_account_number_that_was_typed_is_kept(self):
        query = "?q=4820-0123+4567+89+&status__exact=&received_date__gte=2027-01-12"
        auditor = open_as(Role.AUDITOR)
        shown = read(auditor.get(reverse("admin:payments_payment_export") + query))
        assert "received date, from: 2027-01-12" in shown
        assert "searched for: ending 6789" in shown
        take(auditor, query=query, why=f"the payer of {NUMBER} asks")
        look = AccessLog.objects.get()
        assert look.subject == "q=ending+6789&received_date__gte=2027-01-12"
        assert look.why == "the payer of ending 9012 asks"

    def test_no_filter_is_pushed_off_the_record(self):
        answer = take(open_as(Role.AUDITOR), query=f"?_facets={'x' * 300}&status__exact=canceled")
        assert "too long to be kept" in read(answer)
        assert "at most 200 characters" in read(take(open_as(Role.AUDITOR), why="x" * 201))
        assert not AccessLog.objects.exists()


class TestAccountNumbers:
    def show(self, client: Client, account: BankAccount, why: str = "the payer’s bank asks") -> HttpResponse:
        return client.post(reverse("admin:payments_bankaccount_number", args=[account.pk]), {"why": why})

    def test_a_supervisor_sees_it_with_a_reason_and_the_look_is_written_down_first(self):
        account = pay(make_account()).bank_account
        client = open_as(Role.SUPERVISOR)
        asked = client.get(reverse("admin:payments_bankaccount_number", args=[account.pk]))
        assert "Account number:" not in read(asked)
        shown = self.show(client, account)
        number = read(shown).split("Account number: ")[1].split()[0]
        assert number.endswith(account.last_four)
        assert len(number) > 4
        assert "no-store" in shown["Cache-Control"]
        look = AccessLog.objects.get()
        assert look.what == "Account number"
        assert number not in look.subject + look.why

    def test_without_a_reason_nothing_is_shown(self):
        account = pay(make_account()).bank_account
        assert "Account number:" not in read(self.show(open_as(Role.SUPERVISOR), account, why=" "))
        assert not AccessLog.objects.exists()

    @pytest.mark.parametrize("role", [Role.REVIEWER, Role.CASHIER, Role.AUDITOR])
    def test_others_are_refused(self, role: Role):
        account = pay(make_account()).bank_account
        client = open_as(role)
        assert self.show(client, account).status_code == 403
        page = client.get(reverse("admin:payments_bankaccount_change", args=[account.pk]))
        assert "Show the whole account number" not in read(page)


class TestTheLog:
    def test_an_auditor_reads_it(self):
        take(open_as(Role.SUPERVISOR), why="asked by the state")
        page = read(open_as(Role.AUDITOR).get(reverse("admin:lib_accesslog_changelist")))
        assert "asked by the state" in page
        assert User.objects.get(groups__name="supervisor").username in page

    @pytest.mark.parametrize("role", [Role.REVIEWER, Role.CASHIER])
    def test_others_do_not(self, role: Role):
        assert open_as(role).get(reverse("admin:lib_accesslog_changelist")).status_code == 403
