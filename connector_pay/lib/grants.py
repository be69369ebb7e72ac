"""What the application's database role may do: migration operations that take rights away, and guard moves, table by table.

The first migration gives the role ordinary rights on every table, present and future; these operations take back what the
books must never allow, so that neither a bug nor a stolen login of the portal can rewrite history.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.conf import settings
from django.db import connection
from django.db.migrations import RunSQL

from connector_pay.lib.states import StateMachine

ROLE = settings.APPLICATION_ROLE


def create_role() -> list[RunSQL]:
    """The application's role, with ordinary rights on all tables the owner has made and will make."""
    return [
        RunSQL(
            f"""
            DO $$ BEGIN
                IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{ROLE}') THEN
                    CREATE ROLE {ROLE} NOLOGIN;
                END IF;
                EXECUTE format('GRANT {ROLE} TO %I', current_user);
            EXCEPTION WHEN duplicate_object OR invalid_grant_operation THEN NULL;
            END $$;
            GRANT USAGE ON SCHEMA public TO {ROLE};
            GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {ROLE};
            GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {ROLE};
            ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {ROLE};
            ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {ROLE};
            """,
            RunSQL.noop,
        )
    ]


def make_read_only(*tables: str) -> list[RunSQL]:
    """Rows of these tables are the owner's to write; the application reads them."""
    return [
        RunSQL(
            f"REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON {table} FROM {ROLE}",
            f"GRANT INSERT, UPDATE, DELETE ON {table} TO {ROLE}",
        )
        for table in tables
    ]


def make_append_only(*tables: str) -> list[RunSQL]:
    """Rows of these tables are added and read, never changed or removed."""
    return [
        RunSQL(
            f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM {ROLE}",
            f"GRANT UPDATE, DELETE ON {table} TO {ROLE}",
        )
        for table in tables
    ]


def keep_rows(table: str, *, changing: tuple[str, ...]) -> list[RunSQL]:
    """Rows of this table are never removed, and only the named columns ever change."""
    return [
        RunSQL(
            f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM {ROLE};"
            f"GRANT UPDATE ({', '.join(changing)}) ON {table} TO {ROLE}",
            f"GRANT UPDATE, DELETE ON {table} TO {ROLE}",
        )
    ]


def guard_moves(table: str, *, moves: StateMachine) -> list[RunSQL]:
    """The status of a row of this table takes only the arrows of its table, whoever writes and by whatever way.

    The arrows stand in the trigger's condition, so that a set of allowed moves calls no function: it costs next to nothing.
    """
    arrows = ", ".join(f"'{arrow}'" for arrow in list_arrows(moves))
    return [
        RunSQL(
            f"""
            CREATE OR REPLACE FUNCTION lib_refuse_move() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                RAISE EXCEPTION '% may not go from % to %', TG_TABLE_NAME, OLD.status, NEW.status
                    USING ERRCODE = 'check_violation';
            END $$;
            DROP TRIGGER IF EXISTS guard_moves ON {table};
            CREATE TRIGGER guard_moves BEFORE UPDATE OF status ON {table} FOR EACH ROW
                WHEN (OLD.status <> NEW.status AND OLD.status || '>' || NEW.status NOT IN ({arrows}))
                EXECUTE FUNCTION lib_refuse_move();
            """,
            f"DROP TRIGGER guard_moves ON {table}",
        )
    ]


def guard_beginning(table: str, *, first: str, where: str = "TRUE") -> list[RunSQL]:
    """A row of this table begins where its arrows begin, whoever writes and by whatever way; `where` says which rows are meant.

    Whoever could add a row that stands further on would need no arrow.
    """
    return [
        RunSQL(
            f"""
            CREATE OR REPLACE FUNCTION lib_refuse_beginning() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                RAISE EXCEPTION '% may not begin as %', TG_TABLE_NAME, NEW.status USING ERRCODE = 'check_violation';
            END $$;
            DROP TRIGGER IF EXISTS guard_beginning ON {table};
            CREATE TRIGGER guard_beginning BEFORE INSERT ON {table} FOR EACH ROW
                WHEN (({where}) AND NEW.status <> '{first}') EXECUTE FUNCTION lib_refuse_beginning();
            """,
            f"DROP TRIGGER guard_beginning ON {table}",
        )
    ]


@dataclass(frozen=True)
class Guarded:
    """What the database holds a table's rows to: where they begin, and their arrows."""

    first: str
    moves: StateMachine


def list_arrows(moves: StateMachine) -> list[str]:
    """Each allowed arrow as the trigger writes it, in order."""
    return sorted(f"{before}>{after}" for before, afters in moves.arrows.items() for after in afters)


def find_unguarded_moves(guarded: Mapping[str, Guarded]) -> list[tuple[str, str]]:
    """The tables whose triggers are not there, not on, or know another beginning or other arrows than the table of moves."""
    arrows = _read_triggers("guard_moves", r"'(\w+>\w+)'", guarded)
    firsts = _read_triggers("guard_beginning", r"<> '(\w+)'", guarded)
    wrong = [
        (table, "the trigger guard_moves is missing, off, or knows other arrows")
        for table, kept in guarded.items()
        if arrows.get(table) != list_arrows(kept.moves)
    ]
    return wrong + [
        (table, "the trigger guard_beginning is missing, off, or knows another beginning")
        for table, kept in guarded.items()
        if firsts.get(table) != [kept.first]
    ]


def _read_triggers(name: str, words: str, tables: Iterable[str]) -> dict[str, list[str]]:
    """By table, what stands in the condition of its trigger of this name, where it is on."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text, pg_get_triggerdef(oid) FROM pg_trigger "
            "WHERE tgname = %s AND tgenabled = 'O' AND tgrelid::regclass::text = ANY(%s)",
            [name, list(tables)],
        )
        return {table: sorted(re.findall(words, text)) for table, text in cursor.fetchall()}
