"""What a stolen database login of the portal could do: add to the books and read them, never rewrite or remove them."""

import os
from collections.abc import Iterator
from datetime import date
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg2
import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from psycopg2.errors import CheckViolation, InsufficientPrivilege, UniqueViolation

from billing.models import CorrectionKind, Episode, Receipt
from payments.models import Refund
from tests import databases, people
from tests.billing import correcting
from tests.conftest import CommittedDatabase
from tests.payments import checking, paying
from tests.payments.autopay.granting import turn_on
from tests.standing import GUARDED

APPEND_ONLY = (
    *("billing_movement", "billing_allocation", "payments_authorization", "payments_bankaccountmove"),
    *(
        "payments_validation",
        "payments_paymentmove",
        "payments_filemove",
        "payments_filechunk",
        "payments_fileentry",
        "payments_mandatemove",
        "payments_draftannouncement",
        "payments_refundmove",
        "payments_checkmove",
        "members_noticecopy",
        "payments_checkshare",
        "payments_lockboxfile",
        "billing_mailread",
        "payments_lockboxitem",
        "payments_lockboxreturn",
        "payments_lockboxreturnclosing",
        "payments_returnresolution",
        "payments_fileanswer",
        "billing_withdrawal",
        "billing_printedletter",
        "billing_episodemove",
        "billing_adjustment",
        "billing_invoiceline",
        "billing_receiptchange",
        "billing_correctionmove",
        "billing_outage",
    ),
    *(
        "lib_accesslog",
        "members_memberchoice",
        "members_memberevent",
        "members_roleevent",
        "members_secondstepevent",
        "members_staffevent",
        "billing_duedateoverrideevent",
        "payments_bankingdayoverrideevent",
        "payments_returnline",
        "members_enrollmentmove",
        "members_startmove",
        "members_premiumrate",
        "members_intakeevent",
    ),
)
KEPT = {
    "payments_payment": {"status", "effective_date", "posted_on", "return_code", "is_held"},
    "payments_receivedcheck": {"status", "banked_on", "back_asked_by_id", "back_decided_by_id"},
    "payments_checkbatch": {
        *("source", "deposit_on", "slip_cents", "slip_count", "version", "closed_by_id", "closed_at"),
        *("dropped_by_id", "dropped_at", "drop_reason"),
    },
    "payments_mailedcheck": {"withdrawn_at"},
    "payments_paymenthold": {"released_by_id", "released_at", "release_reason"},
    "payments_bankfile": {"status"},
    "billing_invoice": {"voided_at", "void_reason"},
    "billing_billlink": {"revoked_at", "revoked_by_id"},
    "billing_printbatch": {"closed_at", "closed_by_id"},
    "billing_printpart": {"document", "drawn_at"},
    "billing_receipt": {"cleared_on", "taken_back_on", "account_id", "received_date"},
    "billing_episode": {"status", "kind", "ended_on", "planned_end", "decided_by_id", "decided_on"},
    "billing_duedateoverride": {"reviewed_at"},
    "billing_correction": {"status", "decided_by_id", "decided_at"},
    "billing_startreview": {"decided_at", "decision", "decided_by_id"},
    "members_emailchange": {"confirmed_at"},
    "members_notice": {"sent_at", "failed_tries", "next_try_at"},
}


@pytest.fixture
def login(django_db_setup: None) -> Iterator[psycopg2.extensions.connection]:
    """The portal's own login, as a thief would use it: no Django, no SET ROLE before. Nothing it does is committed."""
    stolen = psycopg2.connect(databases.url_of(connection.settings_dict["NAME"]))
    yield stolen
    stolen.rollback()
    stolen.close()


@pytest.fixture
def committed_login(committed_db: CommittedDatabase) -> Iterator[psycopg2.extensions.connection]:
    """The same on a database of the test's own, where it may commit."""
    stolen = psycopg2.connect(databases.url_of(committed_db.name))
    stolen.autocommit = True
    yield stolen
    stolen.close()


def refuse(login, statement: str) -> None:
    """The statement must fail for want of rights, and for nothing else."""
    with login.cursor() as cursor, pytest.raises(InsufficientPrivilege):
        cursor.execute(statement)
    login.rollback()


def read(login, question: str):
    """The first value of the answer."""
    with login.cursor() as cursor:
        cursor.execute(question)
        return cursor.fetchone()[0]


@pytest.mark.django_db
def test_django_signs_in_as_that_login() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT session_user, current_user")
        users = cursor.fetchone()
    assert users == (urlsplit(os.environ["DATABASE_URL"]).username,) * 2


def test_it_is_nobody_special_and_owns_nothing(login) -> None:
    attributes = "rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls"
    assert not read(login, f"SELECT bool_or({attributes}) FROM pg_roles WHERE pg_has_role(rolname, 'USAGE')")
    assert (
        read(
            login,
            "SELECT count(*) FROM pg_class WHERE relowner IN (SELECT oid FROM pg_roles WHERE pg_has_role(oid, 'USAGE'))",
        )
        == 0
    )
    assert read(login, "SELECT count(*) FROM pg_auth_members WHERE member = session_user::regrole") == 1


def test_it_becomes_nobody_else(login) -> None:
    for role in (
        "connector_pay_owner",
        "postgres",
        "pg_read_server_files",
        "pg_read_all_data",
        "pg_write_all_data",
    ):
        refuse(login, f"SET ROLE {role}")
        refuse(login, f"GRANT {role} TO CURRENT_USER")


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_what_is_only_added_to_is_never_changed_or_removed(login, table: str) -> None:
    column = apps.get_model(*table.split("_", 1))._meta.pk.column
    refuse(login, f"UPDATE {table} SET {column} = {column}")
    refuse(login, f"DELETE FROM {table}")
    refuse(login, f"TRUNCATE {table} CASCADE")


@pytest.mark.parametrize("table", KEPT)
def test_rows_stay_and_only_what_the_world_moves_changes(login, table: str) -> None:
    refuse(login, f"DELETE FROM {table}")
    refuse(login, f"TRUNCATE {table} CASCADE")
    for field in apps.get_model(*table.split("_", 1))._meta.concrete_fields:
        statement = f"UPDATE {table} SET {field.column} = {field.column}"
        if field.column in KEPT[table]:
            with login.cursor() as cursor:
                cursor.execute(statement)
        else:
            refuse(login, statement)


def test_which_migrations_have_run_is_read_and_never_written(login) -> None:
    assert read(login, "SELECT count(*) FROM django_migrations") > 0
    refuse(login, "INSERT INTO django_migrations (app, name, applied) VALUES ('lib', '9999', now())")
    refuse(login, "UPDATE django_migrations SET name = name")
    refuse(login, "DELETE FROM django_migrations")
    refuse(login, "TRUNCATE django_migrations")


def test_no_table_of_money_can_be_emptied(login) -> None:
    for model in filter(lambda model: model._meta.managed and not model._meta.proxy, apps.get_models()):
        refuse(login, f"TRUNCATE {model._meta.db_table} CASCADE")


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE billing_movement DISABLE TRIGGER ALL",
        "ALTER TABLE lib_sealedvalue DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE billing_movement DROP CONSTRAINT billing_movement_pkey",
        "DROP POLICY change_drafts ON lib_sealedvalue",
        "CREATE POLICY all_mine ON lib_sealedvalue USING (true)",
        "DROP TABLE billing_movement",
        "ALTER TABLE billing_movement RENAME TO gone",
        "CREATE TABLE public.mine (x int)",
        "CREATE VIEW public.mine AS SELECT 1",
        "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE SCHEMA mine",
        "CREATE TRIGGER mine AFTER INSERT ON payments_payment EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "CREATE INDEX ON payments_payment (id)",
        "ALTER SEQUENCE payments_trace RESTART",
        "SELECT setval('payments_trace', 1)",
        "SET session_replication_role = replica",
        "SELECT rolpassword FROM pg_authid",
        "SELECT pg_read_file('/etc/passwd')",
        "COPY payments_payment TO '/tmp/stolen'",
        "COPY payments_payment TO PROGRAM 'true'",
        "CREATE ROLE mine",
        "ALTER ROLE postgres PASSWORD 'x'",
        "ALTER DEFAULT PRIVILEGES FOR ROLE connector_pay_owner GRANT ALL ON TABLES TO PUBLIC",
    ],
)
def test_the_guards_cannot_be_taken_down(login, statement: str) -> None:
    refuse(login, statement)


def test_sealed_account_numbers_and_file_bytes_stay_as_they_are(committed_login) -> None:
    payment = paying.pay(paying.make_account())
    paying.send(paying.TUESDAY)
    sealed = payment.bank_account.sealed_id
    with committed_login.cursor() as cursor:
        cursor.execute("UPDATE lib_sealedvalue SET token = 'x'")
        assert cursor.rowcount == 0
        cursor.execute("DELETE FROM lib_sealedvalue")
        assert cursor.rowcount == 0
        cursor.execute("SELECT count(*) FROM lib_sealedvalue WHERE token <> 'x'")
        assert cursor.fetchone()[0] >= 2
        cursor.execute("UPDATE lib_sealedvalue SET purpose = 'payment_draft' WHERE id = %s", [str(sealed)])
        assert cursor.rowcount == 0


def test_a_draft_cannot_be_turned_into_an_account_number(login) -> None:
    with login.cursor() as cursor:
        cursor.execute("INSERT INTO lib_sealedvalue VALUES (gen_random_uuid(), 'payment_draft', 'x')")
    refuse(login, "UPDATE lib_sealedvalue SET purpose = 'account_number' WHERE purpose = 'payment_draft'")


def test_every_table_that_is_only_added_to_is_named_here() -> None:
    """A history made later must not be left open."""
    histories = {
        model._meta.db_table for model in apps.get_models() if "Append-only" in (model.__doc__ or "")
    }
    histories |= {
        model._meta.db_table
        for model in apps.get_models()
        if hasattr(model, "pgh_tracked_model") and model._meta.managed
    }
    assert histories <= set(APPEND_ONLY)


@pytest.fixture
def story(committed_db: CommittedDatabase) -> Iterator[psycopg2.extensions.connection]:
    """One of all that moves: a payment that is recorded and another in a file under way; and the portal's login."""
    account = paying.make_account()
    payment = paying.pay(account, today=paying.TUESDAY)
    paying.send(paying.TUESDAY)
    paying.pay(paying.make_account(), today=date(2027, 1, 13))
    receipt, facts = Receipt.objects.get(reference=payment.reference), {"method": "check", "payee": "Alice"}
    by, at = people.make_staff(), paying.noon(paying.TUESDAY)
    Refund.objects.create(
        receipt=receipt, cents=1, why="x", form_key=uuid4(), asked_by=by, asked_at=at, **facts
    )
    checking.receive(cents=5_00)
    turn_on(paying.make_account(), at=at)
    what = {"month": paying.FEBRUARY, "cents": -1_00}
    correcting.ask(CorrectionKind.ADJUSTMENT, account, today=paying.TUESDAY, **what)
    behind = {"oldest_month": paying.FEBRUARY, "kind": "short", "found_on": paying.TUESDAY}
    Episode.objects.create(account=account, opened_at=at, **behind)
    stolen = psycopg2.connect(databases.url_of(committed_db.name))
    yield stolen
    stolen.rollback()
    stolen.close()


def list_statuses(table: str) -> list[str]:
    """Every status that a row of the table may have."""
    field = apps.get_model(*table.split("_", 1))._meta.get_field("status")
    return [status for status, _ in field.choices]


@pytest.mark.parametrize("table", GUARDED)
def test_what_moves_takes_only_the_arrows_that_are_allowed(story, table: str) -> None:
    moves = GUARDED[table].moves
    with story.cursor() as cursor:
        cursor.execute(f"SELECT id, status FROM {table}")
        rows = cursor.fetchall()
        assert rows
        for key, before in rows:
            for after in list_statuses(table):
                said = try_out(cursor, f"UPDATE {table} SET status = %s WHERE id = %s", [after, key])
                allowed = after == before or moves.allows(before=before, after=after)
                assert (f"{table} may not go from {before} to {after}" in said) != allowed, said


def try_out(cursor, statement: str, values: list[object]) -> str:
    """Why the database refuses it, if it does; what it did is taken back. Other constraints may have their own reasons."""
    cursor.execute("SAVEPOINT before")
    try:
        cursor.execute(statement, values)
    except (CheckViolation, UniqueViolation) as refusal:
        return str(refusal)
    finally:
        cursor.execute("ROLLBACK TO before")
    return ""


@pytest.mark.parametrize("table", GUARDED)
def test_what_moves_begins_where_its_arrows_begin(story, table: str) -> None:
    with story.cursor() as cursor:
        cursor.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND column_name <> 'id'",
            [table],
        )
        columns = [name for (name,) in cursor.fetchall()]
        copied = ", ".join("%s" if name == "status" else name for name in columns)
        copy = f"INSERT INTO {table} ({', '.join(columns)}) SELECT {copied} FROM {table} LIMIT 1"
        for status in list_statuses(table):
            is_first = status == GUARDED[table].first
            said = try_out(cursor, copy, [status])
            assert (f"{table} may not begin as {status}" in said) != is_first, said


def test_a_file_that_came_from_the_bank_begins_as_read_or_refused(story) -> None:
    with story.cursor() as cursor:
        copy = (
            "INSERT INTO payments_bankfile (name, direction, kind, status, business_date, origin, created_time, modifier, "
            "sha256, line_count, entry_count, debit_cents, credit_cents, fault, stored_at) SELECT 'x', 'in', kind, 'read', "
            "business_date, origin, created_time, 'Q', repeat('7', 64), 1, 0, 0, 0, '', stored_at "
            "FROM payments_bankfile LIMIT 1"
        )
        cursor.execute(copy)
        assert cursor.rowcount == 1


def test_one_forbidden_move_refuses_the_whole_set(story) -> None:
    with story.cursor() as cursor, pytest.raises(CheckViolation):
        cursor.execute("UPDATE payments_payment SET status = 'canceled'")
    story.rollback()
    assert read(story, "SELECT count(*) FROM payments_payment WHERE status = 'canceled'") == 0


@pytest.mark.django_db
@pytest.mark.parametrize(
    "name", ["payments/payment", "payments/bankfile", "billing/movement", "payments/authorization"]
)
def test_no_bulk_action_of_the_admin_deletes_or_changes_any(client: Client, name: str) -> None:
    payment = paying.pay(paying.make_account())
    client.force_login(people.make_staff(), backend="django.contrib.auth.backends.ModelBackend")
    model = apps.get_model(*name.split("/"))
    before = list(model.objects.order_by("pk").values())
    chosen = [str(row["id"]) for row in before] or [str(payment.pk)]
    for typed in (
        {"action": "delete_selected", "_selected_action": chosen, "post": "yes"},
        {"form-TOTAL_FORMS": "1", "form-0-id": chosen[0], "form-0-status": "canceled", "_save": "Save"},
    ):
        assert client.post(f"/admin/{name}/", typed).status_code in (200, 302, 403)
        assert client.post(f"/admin/{name}/{chosen[0]}/change/", typed).status_code in (302, 403)
    assert list(model.objects.order_by("pk").values()) == before
