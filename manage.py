#!/usr/bin/env python3
"""Runs one management command, on this checkout's own servers unless the environment names others."""

import importlib.util
import os
import sys
from pathlib import Path

OWN_PYTHON = Path(__file__).resolve().parent / ".venv" / "bin" / "python"


def use_own_python() -> None:
    """Start again with the virtual environment's Python where this is the system's, or has no Django."""
    in_own = Path(sys.prefix).resolve() == OWN_PYTHON.parents[1].resolve()
    has_django = importlib.util.find_spec("django") is not None
    is_bare = sys.prefix == sys.base_prefix
    if not in_own and OWN_PYTHON.exists() and (is_bare or not has_django):
        os.execv(OWN_PYTHON, [str(OWN_PYTHON), *sys.argv])  # noqa: S606 - our own command again
    if not has_django:
        sys.exit("Django is not installed here. Run `make run` once: it installs what the portal needs.")


def main() -> None:
    """Prepare the environment, then hand over to Django."""
    use_own_python()
    from connector_pay.lib.environment import UnableToReadSettings
    from connector_pay.local.commands import UnableToMigrate, prepare_command
    from connector_pay.local.servers import UNABLE_TO_PROVIDE

    try:
        prepare_command(sys.argv)
    except (UnableToMigrate, *UNABLE_TO_PROVIDE) as error:
        sys.exit(str(error))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "connector_pay.settings")
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except UnableToReadSettings as error:
        sys.exit(str(error))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)  # as shells say it: ended by Ctrl-C
