"""Staff can find and read everything, and change nothing; no page shows a whole account number."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import uuid4

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from billing.models import Account, Allocation, Chart, Episode, Invoice, Movement, Receipt
from connector_pay.lib.models import JobRun, SealedValue
from connector_pay.lib.read_only_admin import ReadOnlyAdmin
from connector_pay.roles import find_role
from members.models import Enrollment, Member, Notice, User
from payments.models import Authorization, BankAccount, BankFile, FileEntry, Payment, PaymentMove, ReturnLine
from tests import people
from tests.standing import create_at

AT = datetime(2027, 1, 6, 15, 0, tzinfo=UTC)
DAY = date(2027, 1, 6)
NUMBER = "987654321012"
TRACE = "011000010000007"


@dataclass
class Road:
    """One payment with all that hangs on it."""

    member: Member
    enrollment: Enrollment
    account: Account
    payment: Payment


@pytest.fixture
def road(db) -> Road:
    member = people.make_member(
        member_id="003456789011", first_name="Rosa", last_name="Delgado", phone="+16175550142"
    )
    enrollment = people.make_enrollment(member=member)
    account = Account.objects.create(enrollment=enrollment, opened_at=AT)
    month = {
        "coverage_month": date(2027, 2, 1),
        "due_date": date(2027, 1, 23),
        "issued_on": DAY,
        "issued_at": AT,
    }
    invoice = Invoice.objects.create(account=account, premium_cents=284_17, amount_cents=284_17, **month)
    payment = _make_payment(account)
    receipt = Receipt.objects.create(
        account=account, reference=payment.reference, cents=284_17, received_date=DAY, counted_at=AT
    )
    Allocation.objects.create(receipt=receipt, invoice=invoice, cents=284_17, reference="a1", at=AT)
    Movement.objects.create(
        debit=Chart.IN_TRANSIT,
        credit=Chart.RECEIVABLE,
        cents=284_17,
        account=account,
        reference=f"{payment.reference}:received",
        business_date=DAY,
        at=AT,
    )
    _send(payment)
    Notice.objects.create(
        event="payment_received",
        subject=payment.reference,
        channel="email",
        member=member,
        at=AT,
        business_date=DAY,
    )
    Episode.objects.create(
        account=account, oldest_month=date(2027, 2, 1), kind="short", found_on=DAY, opened_at=AT
    )
    JobRun.objects.create(
        job="send_files", business_date=DAY, asked_at=AT, finished_at=AT, counts={"files": 1}
    )
    return Road(member, enrollment, account, payment)


def _make_payment(account: Account) -> Payment:
    sealed = SealedValue.make(clear=NUMBER.encode(), purpose="bank_account")
    sealed.save()
    bank_account = BankAccount.objects.create(
        holder_name="Rosa Delgado",
        kind="checking",
        routing_number="011000015",
        last_four=NUMBER[-4:],
        blind_index="0" * 64,
        sealed=sealed,
        added_at=AT,
    )
    authorization = Authorization.objects.create(
        account=account,
        bank_account=bank_account,
        channel="web",
        sec_code="WEB",
        amount_cents=284_17,
        debit_on_or_after=DAY,
        text="I authorize one debit of $284.17.",
        text_version="1",
        language="en",
        payer_name="Rosa Delgado",
        account_last_four=NUMBER[-4:],
        given_at=AT,
    )
    payment = Payment.objects.create(
        confirmation_number="ABCDEFGHJK",
        account=account,
        bank_account=bank_account,
        authorization=authorization,
        amount_cents=284_17,
        received_date=DAY,
        channel="web",
        form_key=uuid4(),
        coverage_sentence="Received today, your coverage starts February 1, 2027.",
        recorded_at=AT,
    )
    PaymentMove.objects.create(payment=payment, before="recorded", after="sending", at=AT)
    return payment


def _send(payment: Payment) -> None:
    facts = {"business_date": DAY, "line_count": 10, "stored_at": AT}
    out = create_at(
        BankFile,
        name="debits.ach",
        direction="out",
        kind="entries",
        status="sent",
        sha256="1" * 64,
        entry_count=1,
        **facts,
    )
    entry = FileEntry.objects.create(
        file=out, line=3, kind="debit", payment=payment, trace=TRACE, cycle=1, amount_cents=284_17
    )
    back = BankFile.objects.create(
        name="returns.ach", direction="in", kind="returns", status="read", sha256="2" * 64, **facts
    )
    sealed = SealedValue.make(clear=b"raw lines", purpose="return_line")
    sealed.save()
    ReturnLine.objects.create(
        file=back,
        line=3,
        code="R01",
        trace=TRACE,
        amount_cents=284_17,
        entry=entry,
        applied=True,
        sealed=sealed,
        at=AT,
    )


@pytest.fixture
def reviewer(client: Client, db) -> Client:
    client.force_login(
        people.make_staff(is_superuser=False), backend="django.contrib.auth.backends.ModelBackend"
    )
    return client


@pytest.fixture
def administrator(client: Client, db) -> Client:
    client.force_login(people.make_staff(), backend="django.contrib.auth.backends.ModelBackend")
    return client


def list_reviews() -> list[type]:
    reviews = admin.site._registry.items()
    return [
        model for model, review in reviews if isinstance(review, ReadOnlyAdmin) and not review.read_permission
    ]


def address(model: type, page: str, *args) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def search(client: Client, model: type, term: str) -> list:
    answer = client.get(address(model, "changelist"), {"q": term})
    assert answer.status_code == 200
    return list(answer.context["cl"].result_list)


class TestReading:
    def test_every_list_and_every_row_of_it_can_be_read(self, road, reviewer):
        assert len(list_reviews()) >= 28
        for model in list_reviews():
            assert reviewer.get(address(model, "changelist")).status_code == 200, model
            for row in model.objects.all():
                assert reviewer.get(address(model, "change", row.pk)).status_code == 200, row

    def test_no_page_shows_the_whole_account_number_or_what_is_sealed(self, road, reviewer):
        for model in list_reviews():
            pages = [
                address(model, "changelist"),
                *(address(model, "change", row.pk) for row in model.objects.all()),
            ]
            for page in pages:
                words = reviewer.get(page).content.decode()
                assert NUMBER not in words
                assert "sealed bank_account" not in words
                assert "0" * 64 not in words

    def test_a_bank_account_is_known_by_how_its_number_ends(self, road, reviewer):
        page = reviewer.get(address(BankAccount, "change", road.payment.bank_account_id))
        assert "ending 1012" in page.content.decode()

    def test_a_payment_leads_to_all_that_hangs_on_it(self, road, reviewer):
        page = reviewer.get(address(Payment, "change", road.payment.pk)).content.decode()
        file = BankFile.objects.get(direction="out")
        for linked in (
            road.member,
            road.account,
            road.payment.bank_account,
            road.payment.authorization,
            file,
        ):
            assert f'href="{address(type(linked), "change", linked.pk)}"' in page
        assert "sending" in page
        assert TRACE in page
        assert "$284.17" in page

    def test_the_links_of_a_payment_lead_to_its_movements_and_notices_alone(self, road, reviewer):
        other = address(Movement, "changelist") + "?reference__startswith=payment:0:"
        assert reviewer.get(other).context["cl"].result_count == 0
        own = address(Movement, "changelist") + f"?reference__startswith={road.payment.reference}:"
        assert reviewer.get(own).context["cl"].result_count == 1

    def test_a_list_asks_the_database_as_often_for_many_rows_as_for_one(
        self, road, reviewer, django_assert_max_num_queries
    ):
        for number in range(20):
            enrollment = people.make_enrollment()
            account = Account.objects.create(enrollment=enrollment, opened_at=AT)
            Payment.objects.create(
                confirmation_number=f"ABCDEFGH{number:02d}",
                account=account,
                bank_account=road.payment.bank_account,
                authorization=road.payment.authorization,
                amount_cents=1_00,
                received_date=DAY,
                channel="web",
                form_key=uuid4(),
                coverage_sentence="",
                recorded_at=AT,
            )
        for model in (Payment, Account, Enrollment, Invoice, Movement):
            with django_assert_max_num_queries(12):
                reviewer.get(address(model, "changelist"))


class TestFinding:
    @pytest.mark.parametrize(
        "term",
        [
            "ABCDE-FGHJK",
            "abcdefghjk",
            "0034 5678 9011",
            "0034-5678",
            "(617) 555-0142",
            "Delgado",
            "rosa del",
            TRACE,
        ],
    )
    def test_a_payment_is_found_by_what_people_have_before_them(self, road, reviewer, term):
        assert search(reviewer, Payment, term) == [road.payment]

    @pytest.mark.parametrize(
        "term", ["ABCDE-FGHJM", "0034 5678 9012", "617 555 0143", "Delgada", "rosa x", "😀", "' OR 1=1"]
    )
    def test_another_number_or_name_finds_nothing(self, road, reviewer, term):
        assert search(reviewer, Payment, term) == []

    def test_an_invoice_is_found_by_its_number_with_leading_zeros(self, road, reviewer):
        invoice = Invoice.objects.get()
        assert search(reviewer, Invoice, invoice.number) == [invoice]

    @pytest.mark.parametrize(
        "model", [Member, Enrollment, Account, Invoice, Receipt, Movement, Notice, Authorization]
    )
    def test_everything_of_a_person_is_found_by_the_member_id(self, road, reviewer, model):
        assert len(search(reviewer, model, "0034 5678 9011")) == 1

    def test_a_number_too_long_for_any_id_finds_nothing(self, road, reviewer):
        assert search(reviewer, Invoice, "9" * 40) == []


class TestWriting:
    def test_nothing_can_be_added_changed_or_deleted_not_even_by_an_administrator(self, road, administrator):
        for model in list_reviews():
            row = model.objects.first()
            assert administrator.get(address(model, "add")).status_code == 403, model
            if row is not None:
                assert administrator.post(address(model, "change", row.pk), {}).status_code == 403, model
                assert (
                    administrator.post(address(model, "delete", row.pk), {"post": "yes"}).status_code == 403
                ), model

    def test_only_administrators_manage_the_staff(self, reviewer):
        assert reviewer.get(address(User, "changelist")).status_code == 403
        assert reviewer.get(address(User, "add")).status_code == 403

    def test_an_administrator_adds_a_member_of_staff_who_chooses_a_password_by_link(self, administrator):
        facts = {"username": "newcomer", "email": "newcomer@example.org", "role": "cashier"}
        administrator.post(address(User, "add"), facts)
        newcomer = User.objects.get(username="newcomer")
        assert (newcomer.is_staff, newcomer.is_superuser) == (True, False)
        assert not newcomer.has_usable_password()
        assert find_role(user=newcomer) == "cashier"
        assert newcomer.has_perm("payments.add_refund")

    def test_an_administrator_gives_another_role_and_locks_somebody_out(self, administrator):
        clerk = people.make_clerk("supervisor")
        facts = {"username": clerk.username, "email": clerk.email, "role": "auditor"}
        administrator.post(address(User, "change", clerk.pk), {**facts, "is_active": "on"})
        clerk = User.objects.get(pk=clerk.pk)
        assert find_role(user=clerk) == "auditor"
        assert not clerk.has_perm("payments.change_refund")
        administrator.post(address(User, "change", clerk.pk), facts)
        assert not User.objects.get(pk=clerk.pk).is_active

    def test_nobody_takes_their_own_rights_away(self, administrator):
        own = User.objects.get(pk=administrator.session["_auth_user_id"])
        facts = {"username": own.username, "email": own.email, "role": "reviewer"}
        answer = administrator.post(address(User, "change", own.pk), facts)
        assert answer.content.decode().count("Ask another administrator") == 2
        own.refresh_from_db()
        assert (own.is_superuser, own.is_active) == (True, True)

    def test_members_sign_ins_are_not_among_the_staff(self, administrator):
        user = people.make_user()
        assert administrator.get(address(User, "change", user.pk)).status_code == 302
        assert search(administrator, User, user.username) == []

    def test_nobody_on_the_staff_is_deleted(self, administrator):
        other = people.make_staff()
        assert administrator.post(address(User, "delete", other.pk), {"post": "yes"}).status_code == 403


def test_notices_are_named_in_words(reviewer: Client, road: Road) -> None:
    for path in (
        reverse("admin:members_notice_changelist"),
        reverse("admin:members_member_change", args=[road.member.pk]),
    ):
        page = reviewer.get(path).content.decode()
        assert "We received your payment" in page
        assert f"Payment {road.payment.pk}" in page
