"""The outbox: told once per event, subject and channel; sent once, outside any transaction."""

import socket
import threading
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from smtplib import SMTPRecipientsRefused

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection, transaction
from structlog.testing import capture_logs

from connector_pay import demo_days
from members import outbox, tasks
from members.models import Notice
from members.notices import UnableToTell
from members.outbox import Telling, UnableToReachServer, UnableToSend
from tests.people import make_member, make_staff

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
    """A mail server that refuses the addresses of one domain."""

    def send_messages(self, messages):
        for message in messages:
            if message.to[0].endswith("@refused.example"):
                raise SMTPRecipientsRefused({message.to[0]: (550, b"no such user")})
        return super().send_messages(messages)


@pytest.fixture
def choosy_server(settings):
    settings.EMAIL_BACKEND = "tests.members.test_outbox.ChoosyBackend"


def send(*, at=LATER, limit=500):
    """Send what waits; how many went out, and what is said of those that did not."""
    try:
        return outbox.send_unsent(at=at, limit=limit), ""
    except UnableToSend as problem:
        return problem.sent, str(problem)


def put(*addresses):
    tell(*(received(subject=f"payment to {address}", address=address) for address in addresses))


def list_reached():
    return [email.to[0] for email in mail.outbox]


@pytest.mark.usefixtures("db", "choosy_server")
class TestARefusedAddress:
    def test_it_stops_no_other_email_and_stays_in_the_outbox(self):
        put("a@refused.example", "b@example.org")
        sent, said = send()
        assert (sent, list_reached()) == (1, ["b@example.org"])
        assert said.startswith("1 of 2 emails could not be sent")
        assert Notice.objects.get(address="a@refused.example").sent_at is None

    def test_a_whole_batch_of_them_lets_the_newer_emails_leave(self):
        put(*(f"{number}@refused.example" for number in range(3)), "b@example.org")
        for _ in range(2):
            send(limit=3)
        assert list_reached() == ["b@example.org"]

    def test_those_whose_time_has_come_again_go_after_those_not_tried_yet(self):
        put(*(f"{number}@refused.example" for number in range(3)))
        send()
        put("b@example.org")
        assert send(at=LATER + timedelta(days=1), limit=1) == (1, "")
        assert list_reached() == ["b@example.org"]

    def test_it_is_tried_again_later_each_time_at_least_every_four_hours_and_for_ever(self):
        put("a@refused.example")
        at, waits = LATER, []
        for _ in range(11):
            assert send(at=at)[1]
            again = Notice.objects.get().next_try_at
            assert send(at=again - timedelta(seconds=1)) == (0, "")
            waits.append((again - at) // timedelta(minutes=1))
            at = again
        assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 240, 240, 240]
        assert outbox.find_wait(failed_tries=1_000_000) == timedelta(hours=4)

    def test_once_the_server_takes_it_it_is_sent_and_no_longer_waits(self, settings):
        put("a@refused.example")
        send()
        settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
        assert send(at=LATER + timedelta(minutes=1)) == (1, "")
        notice = Notice.objects.get()
        assert (notice.sent_at, notice.next_try_at) == (LATER + timedelta(minutes=1), None)
        assert notice.failed_tries == 1

    def test_staff_find_it(self, client):
        put("a@refused.example", "b@example.org")
        send()
        client.force_login(make_staff(), backend="django.contrib.auth.backends.ModelBackend")
        page = client.get("/admin/members/notice/?next_try_at__isempty=0").content.decode()
        assert "a@refused.example" in page
        assert "b@example.org" not in page


class ShutBackend(EmailBackend):
    """A mail server that takes two connections and no more."""

    opened = 0

    def open(self):
        type(self).opened += 1
        if self.opened > 2:
            raise ConnectionRefusedError(111, "Connection refused")


@pytest.mark.usefixtures("db")
class TestAServerThatCannotBeReached:
    @pytest.fixture(autouse=True)
    def shut_server(self, settings, monkeypatch):
        settings.EMAIL_BACKEND = "tests.members.test_outbox.ShutBackend"
        monkeypatch.setattr(ShutBackend, "opened", 0)

    def test_the_round_ends_at_the_first_refused_connection_and_puts_nothing_off(self):
        put(*(f"{number}@example.org" for number in range(5)))
        with pytest.raises(UnableToReachServer, match=r"ConnectionRefusedError.*; 2 emails were sent before"):
            outbox.send_unsent(at=LATER)
        assert ShutBackend.opened == 3
        waiting = Notice.objects.filter(sent_at=None)
        assert set(waiting.values_list("failed_tries", "next_try_at")) == {(0, None)}
        assert waiting.count() == 3

    def test_the_next_round_sends_what_waited(self):
        put(*(f"{number}@example.org" for number in range(3)))
        with pytest.raises(UnableToReachServer):
            outbox.send_unsent(at=LATER)
        ShutBackend.opened = 0
        assert outbox.send_unsent(at=LATER) == 1

    def test_the_task_says_so_in_one_line_of_the_log_without_a_traceback(self):
        put(*(f"{number}@example.org" for number in range(5)))
        with capture_logs() as lines:
            assert tasks.send_notices() == 2
        (line,) = lines
        assert (line["event"], line["log_level"]) == ("mail server unreachable", "error")
        assert line["reason"].startswith("ConnectionRefusedError")
        assert "exc_info" not in line

    def test_a_lived_day_says_so_once_and_ends(self):
        put(*(f"{number}@example.org" for number in range(5)))
        (ran,) = demo_days.send_notices()
        assert ran.counts == {"sent": 2}
        assert ran.error.startswith("The mail server cannot be reached")


def test_a_real_connection_that_is_refused_is_the_servers_fault(db, settings):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        settings.EMAIL_HOST, settings.EMAIL_PORT = probe.getsockname()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    put("a@example.org")
    with pytest.raises(UnableToReachServer, match="ConnectionRefusedError"):
        outbox.send_unsent(at=LATER)


def test_an_email_that_cannot_be_written_stops_no_other(db, monkeypatch):
    def fail_for_the_first(**facts):
        if not Notice.objects.exclude(failed_tries=0).exists():
            raise ValueError("no words for this")
        return write(**facts)

    write = outbox.write
    monkeypatch.setattr(outbox, "write", fail_for_the_first)
    put("a@example.org", "b@example.org")
    assert send()[0] == 1
    assert list_reached() == ["b@example.org"]


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
