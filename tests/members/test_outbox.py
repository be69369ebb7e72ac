"""The outbox: told once per event, subject and channel; sent once, outside any transaction."""

import threading
from contextlib import suppress
from datetime import UTC, date, datetime
from smtplib import SMTPRecipientsRefused

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection, transaction

from members import outbox, tasks
from members.models import Notice
from members.notices import UnableToTell
from members.outbox import Telling, UnableToSend
from tests.people import make_member

AT = datetime(2027, 1, 20, 15, 0, tzinfo=UTC)
LATER = datetime(2027, 1, 20, 15, 1, tzinfo=UTC)
TODAY = date(2027, 1, 20)
FACTS = {
    "product": "dental",
    "amount_cents": 31_85,
    "received_date": TODAY,
    "confirmation_number": "ABCDEFGHJK",
    "last_four": "6789",
    "effect": "Received today, your coverage starts February 1, 2027.",
    "clearing_date": date(2027, 1, 27),
}


def received(subject="payment:1", **facts):
    return Telling(event="payment_received", subject=subject, facts=FACTS, **facts)


def returned(member, subject="payment:1"):
    return Telling(event="payment_returned", subject=subject, member=member, facts=FACTS)


def tell(*tellings):
    return outbox.tell(tellings=tellings, at=AT, today=TODAY)


def test_a_notice_waits_for_each_channel_with_the_members_language_and_address(db):
    member = make_member(language="es", email="ines@example.org")

    assert tell(returned(member)) == 2

    email, letter = Notice.objects.order_by("channel")
    assert (email.channel, email.address) == ("email", "ines@example.org")
    assert (letter.channel, letter.address) == ("letter", "")
    for notice in (email, letter):
        assert (notice.member, notice.language, notice.subject) == (member, "es", "payment:1")
        assert (notice.at, notice.business_date, notice.sent_at) == (AT, TODAY, None)
        assert notice.facts["received_date"] == "2027-01-20"


def test_telling_twice_tells_once_and_counts_only_what_is_new(db):
    member = make_member()
    tell(returned(member))
    assert tell(returned(member), returned(member, subject="payment:2")) == 2
    assert tell(returned(member), returned(member)) == 0
    assert Notice.objects.count() == 4


def test_nothing_to_tell_is_no_fault(db):
    assert tell() == 0


def test_telling_nobody_or_without_a_needed_fact_is_refused_and_tells_nothing(db):
    with pytest.raises(UnableToTell, match="Nobody to tell payment_received about payment:9"):
        tell(received(address="a@example.org"), received(subject="payment:9"))
    with pytest.raises(UnableToTell, match="last_four"):
        tell(Telling(event="bank_details_corrected", subject="x", address="a@example.org", facts={}))
    assert not Notice.objects.exists()


def test_a_guests_receipt_goes_to_the_address_alone_in_the_guests_language(db):
    tell(received(address="guest@example.org", language="es"))

    notice = Notice.objects.get()
    assert (notice.member, notice.address, notice.language) == (None, "guest@example.org", "es")
    assert outbox.send_unsent(at=LATER) == 1
    (email,) = mail.outbox
    assert email.to == ["guest@example.org"]
    assert email.subject == "Recibimos su pago"
    assert email.body.startswith("Hola:")
    assert "$31.85" in email.body


def test_emails_are_sent_once_and_letters_stay_for_the_print_batch(db):
    member = make_member(first_name="Inés")
    tell(returned(member))

    assert outbox.send_unsent(at=LATER) == 1
    assert outbox.send_unsent(at=LATER) == 0

    assert len(mail.outbox) == 1
    assert mail.outbox[0].body.startswith("Hello Inés,")
    assert Notice.objects.get(channel="email").sent_at == LATER
    assert Notice.objects.get(channel="letter").sent_at is None


def test_a_batch_takes_the_oldest_first(db):
    for number in range(3):
        tell(received(subject=f"payment:{number}", address=f"guest{number}@example.org"))
    assert outbox.send_unsent(at=LATER, limit=2) == 2
    assert [email.to for email in mail.outbox] == [["guest0@example.org"], ["guest1@example.org"]]


class ChoosyBackend(EmailBackend):
    """A mail server that refuses one address."""

    def send_messages(self, messages):
        for message in messages:
            if message.to == ["refused@example.org"]:
                raise SMTPRecipientsRefused({"refused@example.org": (550, b"no such user")})
        return super().send_messages(messages)


def test_an_address_that_is_refused_stops_no_other_email_and_is_not_passed_over(db, settings):
    settings.EMAIL_BACKEND = "tests.members.test_outbox.ChoosyBackend"
    tell(received(address="refused@example.org"), received(subject="payment:2", address="b@example.org"))

    with pytest.raises(UnableToSend, match="1 of 2 emails"):
        outbox.send_unsent(at=LATER)

    assert [email.to for email in mail.outbox] == [["b@example.org"]]
    assert Notice.objects.get(address="refused@example.org").sent_at is None


def test_a_telling_that_is_rolled_back_was_never_told(db):
    with transaction.atomic():
        tell(received(address="guest@example.org"))
        transaction.set_rollback(True)
    assert not Notice.objects.exists()


class SlowBackend(EmailBackend):
    """A mail server that takes an email only when the others have had their chance to send it too."""

    chance = threading.Barrier(2, timeout=1)

    def send_messages(self, messages):
        with suppress(threading.BrokenBarrierError):
            self.chance.wait()
        return super().send_messages(messages)


def test_two_workers_at_once_send_an_email_once(committed_db, settings):
    settings.EMAIL_BACKEND = "tests.members.test_outbox.SlowBackend"
    tell(received(address="guest@example.org"))
    sent = []

    def work():
        try:
            sent.append(outbox.send_unsent(at=LATER))
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert sorted(sent) == [0, 1]
    assert len(mail.outbox) == 1


def test_the_task_sends_what_waits(db):
    tell(received(address="guest@example.org"))
    assert tasks.send_notices() == 1


def test_the_portal_can_mark_a_notice_as_sent_but_never_reword_or_remove_it(db):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT has_table_privilege('members_notice', 'DELETE'), "
            "has_column_privilege('members_notice', 'facts', 'UPDATE'), "
            "has_column_privilege('members_notice', 'sent_at', 'UPDATE')"
        )
        assert cursor.fetchone() == (False, False, True)
