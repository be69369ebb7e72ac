"""Proof of authorization: found by any number staff have, complete, in one PDF; the account number never in it."""

from datetime import date
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from connector_pay.lib.models import AccessLog
from members import outbox
from payments.autopay.drafting import draft_all
from payments.mandates import suspend_mandates
from payments.models import Mandate, Payment
from payments.proofs import (
    UnableToFindDebit,
    _list_facts,
    _list_mandate_facts,
    find_debit,
    prove_authorization,
    prove_mandate,
)
from tests.diary import eastern
from tests.payments.autopay.granting import turn_on
from tests.payments.paying import GOOD, TUESDAY, make_account, make_payer, noon, pay, send
from tests.people import make_staff

pytestmark = pytest.mark.usefixtures("books")
AT = noon(date(2027, 3, 1))


@pytest.fixture
def sent() -> Payment:
    payer = make_payer(receipt_email="grace@example.org", address="192.0.2.7", browser="Firefox")
    payment = pay(make_account(), payer=payer)
    send(TUESDAY)
    return find_debit(number=payment.confirmation_number)


def read(payment: Payment) -> dict[str, str]:
    """Every row of the proof, by its label."""
    return {
        label: value
        for section in _list_facts(payment, at=AT)["sections"]
        for label, value in section["rows"]
    }


def test_a_debit_is_found_by_confirmation_number_or_trace_however_it_is_written(sent: Payment) -> None:
    number = sent.confirmation_number
    for written in (
        number,
        f"{number[:5]}-{number[5:]}".lower(),
        f" {number[:5]} {number[5:]} ",
        sent.entry.trace,
    ):
        assert find_debit(number=written).pk == sent.pk
    with pytest.raises(UnableToFindDebit, match="Check the number"):
        find_debit(number="NOSUCHNUMB")


def test_it_says_what_was_authorized_when_how_and_what_was_made_of_it(sent: Payment) -> None:
    rows = read(sent)
    assert rows["Given by"] == "Alice Alvarez"
    assert rows["Given"].startswith(
        "on the website, as a guest, January 12, 2027, 12:00 p.m. Eastern (2027-01-12 17:00:00 UTC)"
    )
    assert (rows["Network address"], rows["Browser"]) == ("192.0.2.7", "Firefox")
    assert rows["Amount"] == "$284.17"
    assert rows["Bank account"] == "Checking ending 4567, routing 011000015"
    assert rows["Trace number"] == sent.entry.trace
    assert rows["Effective entry date"] == "January 13, 2027"
    assert _list_facts(sent, at=AT)["sections"][0]["words"] == sent.authorization.text


def test_it_says_when_the_copy_was_delivered_and_where(sent: Payment) -> None:
    assert "not sent yet" in read(sent)["By email to grace@example.org"]
    outbox.send_unsent(at=noon(TUESDAY))
    assert read(sent)["By email to grace@example.org"] == "sent January 12, 2027, 12:00 p.m. Eastern"


def test_it_is_an_accessible_pdf_the_same_each_time_without_the_account_number(sent: Payment) -> None:
    document = prove_authorization(payment=sent, at=AT)
    assert document.startswith(b"%PDF-")
    assert b"pdfuaid" in document
    assert prove_authorization(payment=sent, at=AT) == document
    assert GOOD not in str(_list_facts(sent, at=AT))


def test_a_name_that_is_markup_or_that_no_font_has_is_only_a_name(sent: Payment) -> None:
    for name in ('#panic("no") *bold* $x$', "山田太郎 😀"):
        sent.authorization.payer_name = name
        assert prove_authorization(payment=sent, at=AT).startswith(b"%PDF-")


def test_the_command_writes_one_file_and_never_over_another(sent: Payment, tmp_path: Path) -> None:
    path, said = tmp_path / "proof.pdf", StringIO()
    call_command("prove_authorization", sent.confirmation_number, output=path, stdout=said)
    assert path.read_bytes().startswith(b"%PDF-")
    assert str(path) in said.getvalue()
    with pytest.raises(CommandError, match="exists already"):
        call_command("prove_authorization", sent.confirmation_number, output=path)
    with pytest.raises(CommandError, match="No debit has"):
        call_command("prove_authorization", "123")
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("prove_authorization", sent.confirmation_number, output=tmp_path / "none" / "proof.pdf")


def test_staff_get_it_with_one_click_and_nobody_else_does(sent: Payment, client: Client) -> None:
    address = f"/admin/payments/payment/{sent.pk}/proof/"
    assert client.get(address).status_code == 302
    client.force_login(make_staff())
    assert address in client.get(f"/admin/payments/payment/{sent.pk}/change/").content.decode()
    answer = client.get(address)
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"] == f'attachment; filename="proof-{sent.confirmation_number}.pdf"'
    assert answer.content.startswith(b"%PDF-")
    assert "no-store" in answer["Cache-Control"]
    assert client.post(address).status_code == 405
    look = AccessLog.objects.get()
    assert (look.what, look.subject) == (
        "Proof of authorization",
        f"proof-{sent.confirmation_number}.pdf",
    )


class TestAutoPay:
    @pytest.fixture
    def mandate(self) -> Mandate:
        (mandate,) = turn_on(make_account(), at=noon(TUESDAY))
        outbox.send_unsent(at=noon(TUESDAY))
        return mandate

    def test_the_proof_of_a_standing_authorization_says_what_was_agreed_and_what_became_of_it(
        self, mandate: Mandate
    ) -> None:
        send(TUESDAY)
        draft_all(today=date(2027, 1, 21), at=eastern(2027, 1, 21, 16, 59))
        draft = Payment.objects.get(channel="autopay")
        suspend_mandates(mandate_ids=[mandate.pk], at=AT, why="after a return: R08")
        facts = _list_mandate_facts(mandate, at=AT)
        assert facts["sections"][0]["words"] == mandate.authorization.text
        rows = {label: value for section in facts["sections"] for label, value in section["rows"]}
        assert rows["Amount"] == "What is due each month, never more than $10,000.00"
        assert rows["On or after"] == rows["First draft"] == "January 22, 2027"
        assert rows["Given"].startswith("on the website, signed in, January 12, 2027, 12:00 p.m. Eastern")
        number = f"{draft.confirmation_number[:5]}-{draft.confirmation_number[5:]}"
        assert rows["Draft"] == f"$284.17 on January 22, 2027, confirmation number {number}"
        assert rows["Suspended until the payer or staff act"].endswith("after a return: R08")
        assert rows["By letter"].startswith("written January 12, 2027")
        assert GOOD not in str(facts)
        assert prove_mandate(mandate=mandate, at=AT).startswith(b"%PDF-")

    def test_the_proof_of_a_draft_says_that_it_is_recurring_and_that_the_copy_came_with_autopay(
        self, mandate: Mandate
    ) -> None:
        send(TUESDAY)
        draft_all(today=date(2027, 1, 21), at=eastern(2027, 1, 21, 16, 59))
        number = Payment.objects.get(channel="autopay").confirmation_number
        payment = find_debit(number=number)
        facts = _list_facts(payment, at=AT)
        assert facts["sections"][1]["title"] == "Recurring authorization"
        copies = [label for label, _value in facts["sections"][3]["rows"]]
        assert copies == ["By letter", "By letter"], "with AutoPay, and when it was scheduled"
