"""Print batches in the admin: staff make, watch, download and close them; who only reviews reads; every download is logged."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from billing import paper_admin, tasks
from billing.bill_links import ensure_links
from billing.models import BillLink, Invoice, PrintBatch, PrintPart
from connector_pay.lib import clock
from connector_pay.lib.models import AccessLog
from tests import people
from tests.billing.printing import bill_people, draw, write_to
from tests.diary import Diary, eastern

pytestmark = [pytest.mark.starts(eastern(2027, 1, 12)), pytest.mark.usefixtures("diary")]
LIST = "/admin/billing/printbatch/"


def sign_in(*rights: str) -> Client:
    client, staff = Client(), people.make_staff(is_superuser=False)
    staff.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client.force_login(staff, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def printer(diary: Diary) -> Client:
    return sign_in("add_printbatch", "change_printbatch", "change_billlink")


def make(client: Client, kind: str = "bills"):
    return client.post(f"{LIST}make/{kind}/", follow=True)


def read(answer) -> str:
    return " ".join(answer.content.decode().split())


def test_a_batch_is_made_watched_downloaded_and_closed(printer: Client, monkeypatch) -> None:
    logged: list[dict] = []
    monkeypatch.setattr(
        paper_admin.log, "info", lambda words, **facts: logged.append({"words": words, **facts})
    )
    bill_people("02108", "01002")
    assert "Make a batch of bills (2 waiting)" in read(printer.get(LIST))
    page = make(printer)
    batch, part = PrintBatch.objects.get(), PrintPart.objects.get()
    assert "0 of 2 (0 %)" in read(page)
    assert "Being drawn" in read(page)
    assert "still being drawn" in read(printer.get(f"{LIST}{batch.pk}/batch.zip", follow=True))
    assert printer.get(f"{LIST}parts/{part.pk}.pdf").status_code == 404
    draw()
    page = printer.get(f"{LIST}{batch.pk}/change/")
    assert "2 of 2 (100 %)" in read(page)
    assert f"{LIST}parts/{part.pk}.pdf" in read(page)
    document = printer.get(f"{LIST}parts/{part.pk}.pdf")
    assert document["Content-Type"] == "application/pdf"
    assert document["Content-Disposition"] == f'attachment; filename="batch-{batch.pk}-part-0001.pdf"'
    assert "no-store" in document["Cache-Control"]
    archive = printer.get(f"{LIST}{batch.pk}/batch.zip")
    assert b"".join(archive).startswith(b"PK")
    assert "Closed. Its 2 letters count as sent." in read(
        printer.post(f"{LIST}{batch.pk}/close/", follow=True)
    )
    assert "closed already" in read(printer.post(f"{LIST}{batch.pk}/close/", follow=True))
    assert "2 of 2 (100 %)" in read(printer.get(LIST))
    assert [item["words"] for item in logged] == ["print batch downloaded"] * 2 + ["print batch closed"]
    assert all(item["by"] for item in logged)
    assert PrintBatch.objects.get().closed_by_id == logged[-1]["by"]
    looks = AccessLog.objects.order_by("pk").values_list("what", "subject", "why", "rows", "by")
    assert list(looks) == [
        ("Print batch", name, "for print and mail", 2, logged[-1]["by"])
        for name in (f"batch-{batch.pk}-part-0001.pdf", f"batch-{batch.pk}.zip")
    ]


def test_where_nothing_waits_no_batch_is_made(printer: Client) -> None:
    assert "Letters waiting to be printed: 0." in read(printer.get(LIST))
    assert "There are no letters to print." in read(make(printer, "letters"))
    assert make(printer, "postcards").status_code == 404
    assert not PrintBatch.objects.exists()


def test_letters_are_made_beside_bills(printer: Client) -> None:
    write_to(*bill_people("02108"))
    assert "Make a batch of letters (1 waiting)" in read(printer.get(LIST))
    make(printer, "letters")
    assert PrintBatch.objects.get().kind == "letters"


def test_who_only_reviews_reads_and_does_nothing(diary: Diary) -> None:
    bill_people("02108")
    reviewer = sign_in()
    assert "Make a batch" not in read(reviewer.get(LIST))
    assert make(reviewer).status_code == 403
    make(sign_in("add_printbatch"))
    batch = PrintBatch.objects.get()
    draw()
    page = read(reviewer.get(f"{LIST}{batch.pk}/change/"))
    assert "count it as sent" not in page
    assert "Download" not in page
    assert "is being drawn" not in page
    for path in (f"parts/{PrintPart.objects.get().pk}.pdf", f"{batch.pk}/batch.zip"):
        assert reviewer.get(LIST + path).status_code == 403
    assert not AccessLog.objects.exists()
    assert reviewer.post(f"{LIST}{batch.pk}/close/").status_code == 403
    assert reviewer.get(f"{LIST}{batch.pk}/close/").status_code == 405


def test_members_and_strangers_get_nothing(client: Client) -> None:
    bill_people("02108")
    make(sign_in("add_printbatch"))
    draw()
    part = PrintPart.objects.get()
    member = Client()
    member.force_login(people.make_user(), backend="django.contrib.auth.backends.ModelBackend")
    for someone in (client, member):
        for path in (LIST, f"{LIST}parts/{part.pk}.pdf", f"{LIST}{part.batch_id}/batch.zip"):
            assert someone.get(path).status_code in (302, 403)


def test_the_task_draws_what_is_left(printer: Client) -> None:
    bill_people("02108")
    make(printer)
    assert tasks.draw_print_batches() == {"parts": 1, "letters": 1}
    assert tasks.draw_print_batches() == {"parts": 0, "letters": 0}


def test_a_code_is_revoked_once_by_those_who_may(printer: Client) -> None:
    bill_people("02108")
    ensure_links(invoice_ids=[Invoice.objects.get().pk], today=clock.today(), at=clock.now())
    link = BillLink.objects.get()
    page = reverse("admin:billing_billlink_change", args=[link.pk])
    address = reverse("admin:billing_billlink_revoke", args=[link.pk])
    assert "Revoke this code" not in read(sign_in().get(page))
    assert sign_in().post(address).status_code == 403
    assert "Revoke this code" in read(printer.get(page))
    assert "Revoked." in read(printer.post(address, follow=True))
    assert "revoked before" in read(printer.post(address, follow=True))
    link.refresh_from_db()
    assert (link.revoked_at, str(link.revoked_by_id)) == (clock.now(), printer.session["_auth_user_id"])
