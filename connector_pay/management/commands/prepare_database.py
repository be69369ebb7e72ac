"""`manage.py prepare_database`: makes the portal's own database login and brings the tables up to date, as
the owner.
"""

from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg2
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from psycopg2 import sql


class Command(BaseCommand):
    """Signs in by DATABASE_OWNER_URL; the portal's login and its password are those of DATABASE_URL. Safe
    to repeat.
    """

    help = (
        "As the database's owner: make the portal's login with its few rights, and migrate. Safe to repeat."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the role and the login, then migrate."""
        login = urlsplit(settings.DATABASE_URL)
        owner = urlsplit(settings.DATABASE_OWNER_URL)
        if not login.username or not owner.username:
            raise CommandError(
                "Set DATABASE_URL to the portal's login and DATABASE_OWNER_URL to the owner's."
            )
        if login.username == owner.username:
            raise CommandError("DATABASE_URL must name a login of the portal's own, not the owner's.")
        make_login(name=unquote(login.username), password=unquote(login.password or ""))
        self.stdout.write(
            f"{unquote(login.username)} may sign in, with the rights of {settings.APPLICATION_ROLE}."
        )
        call_command("migrate", interactive=False, verbosity=options["verbosity"], stdout=self.stdout)
        self.stdout.write("The database is up to date.")


def make_login(*, name: str, password: str) -> None:
    """Make the application's role and the login that has its rights, where they are missing; set the
    login's password.
    """
    login, role = sql.Identifier(name), sql.Identifier(settings.APPLICATION_ROLE)
    connection = psycopg2.connect(settings.DATABASE_OWNER_URL)
    try:
        with connection, connection.cursor() as cursor:
            if not _exists(cursor, settings.APPLICATION_ROLE):
                cursor.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(role))
            if not _exists(cursor, name):
                cursor.execute(sql.SQL("CREATE ROLE {} LOGIN").format(login))
            if password:
                cursor.execute(sql.SQL("ALTER ROLE {} PASSWORD %s").format(login), [password])
            cursor.execute(sql.SQL("GRANT {} TO {}").format(role, login))
    finally:
        connection.close()


def _exists(cursor: Any, name: str) -> bool:
    cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name])
    return cursor.fetchone() is not None
