"""What the application's database role may do: migration operations that take rights away table by table.

The first migration gives the role ordinary rights on every table, present and future; these operations take back what the
books must never allow, so that neither a bug nor a stolen login of the portal can rewrite history.
"""

from django.conf import settings
from django.db.migrations import RunSQL

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
