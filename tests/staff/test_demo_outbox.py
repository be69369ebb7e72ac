"""The demo's outbox: staff read every email and letter, newest first, per member; outside a demo there is no such page."""

import pytest
from django.test import Client
from django.urls import reverse

from connector_pay import demo_outbox
from members.models import Notice
from members.outbox import send_unsent
from tests import people
from tests.billing.printing import bill_people, write_to
from tests.diary import Diary, eastern

pytestmark = [pytest.mark.starts(eastern(2027, 1, 12)), pytest.mark.usefixtures("diary")]
PAGE = "/admin/demo-outbox/"


@pytest.fixture
def staff(diary: Diary, settings) -> Client:
    settings.DEMO_MODE = True
    client = Client()
    client.force_login(
        people.make_staff(is_superuser=False), backend="django.contrib.auth.backends.ModelBackend"
    )
    return client


def read(answer) -> str:
    return " ".join(answer.content.decode().split())


def test_every_message_is_there_in_its_readers_words_the_newest_first(staff: Client, diary: Diary) -> None:
    (emailed,) = bill_people("02108", first_name="Ines", paperless_bills=True)
    (written,) = bill_people("02109", first_name="Omar")
    send_unsent(at=diary.moment)
    write_to(written)
    page = read(staff.get(PAGE))
    assert page.index("Your coverage is confirmed") < page.index("Your premium bill is ready")
    assert f"Email to {emailed.email}" in page
    assert "sent January 12, 2027, 12:00 p.m. Eastern" in page
    assert f"Letter to {written.full_name}" in page
    assert "not sent yet" in page
    assert "Hello Ines," in page
    assert "Amount to pay: $284.17" in page
    assert reverse("demo_outbox") in read(staff.get("/admin/"))


def test_one_members_messages_are_found_by_member_id(staff: Client) -> None:
    one, two = bill_people("02108", "02109")
    number = one.member_id
    page = read(staff.get(PAGE, {"member": f"{number[:4]} {number[4:8]}-{number[8:]}"}))
    assert "Messages to" in page
    assert page.count("Your premium bill is ready</h2>") == 1
    assert two.member_id not in page
    assert "No member has this Member ID." in read(staff.get(PAGE, {"member": "999"}))
    assert "No member has this Member ID." in read(staff.get(PAGE, {"member": "<script>"}))


def test_pages_follow_one_another(staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_outbox, "PER_PAGE", 2)
    bill_people("02108", "02109", "02110")
    assert read(staff.get(PAGE)).count("Your premium bill is ready</h2>") == 2
    assert "Page 2 of 2" in read(staff.get(PAGE, {"page": "2"}))
    assert "Page 2 of 2" in read(staff.get(PAGE, {"page": "99"}))
    assert "Page 1 of 2" in read(staff.get(PAGE, {"page": "nonsense"}))


def test_a_letter_is_read_as_it_is_printed(staff: Client) -> None:
    write_to(*bill_people("02108"))
    for notice in Notice.objects.filter(channel="letter"):
        answer = staff.get(f"{PAGE}{notice.pk}/letter.pdf")
        assert answer["Content-Type"] == "application/pdf"
        assert b"pdfuaid" in answer.content
        assert "no-store" in answer["Cache-Control"]
    assert staff.get(f"{PAGE}0/letter.pdf").status_code == 404


def test_an_email_is_no_letter(staff: Client) -> None:
    bill_people("02108", paperless_bills=True)
    assert staff.get(f"{PAGE}{Notice.objects.get(channel='email').pk}/letter.pdf").status_code == 404


def test_outside_a_demo_and_for_anyone_but_staff_there_is_no_such_page(staff: Client, settings) -> None:
    bill_people("02108")
    paths = (PAGE, f"{PAGE}{Notice.objects.get().pk}/letter.pdf")
    member = Client()
    member.force_login(people.make_user(), backend="django.contrib.auth.backends.ModelBackend")
    for path in paths:
        assert Client().get(path).status_code == 302
        assert member.get(path).status_code == 302
    settings.DEMO_MODE = False
    for path in paths:
        assert staff.get(path).status_code == 404
