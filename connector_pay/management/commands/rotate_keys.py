"""`manage.py rotate_keys`: seals every account number and bank file anew under the first of SEALING_KEYS, as the owner."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from connector_pay.lib.key_rotation import Rotation, UnableToRotate, rotate_keys


class Command(BaseCommand):
    """Put the new key first in SEALING_KEYS, restart the portal, run this, then take the old key out."""

    help = "As the database's owner: seal everything anew under the first of SEALING_KEYS. May be stopped and run again."

    def handle(self, *args: Any, **options: Any) -> None:
        """Rotate, showing how far it is; fail where something could not be opened."""
        done = Rotation()
        try:
            for done in rotate_keys():
                self.stdout.write(f"{done.sealed_anew:,} sealed anew")
        except UnableToRotate as error:
            raise CommandError(str(error)) from error
        if done.unreadable:
            names = ", ".join(map(str, done.unreadable[:5]))
            raise CommandError(
                f"{len(done.unreadable):,} values were sealed by a key that is not in SEALING_KEYS, and stay as they are: "
                f"{names}. Put that key back and run this again."
            )
        self.stdout.write("Everything is sealed by the first of SEALING_KEYS.")
