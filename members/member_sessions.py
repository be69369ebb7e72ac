"""Sessions of members: signing out everywhere ends all of them at once, on every phone and computer."""

import secrets

from members.models import User


def end_all(*, user: User) -> None:
    """End every session of this person, this one too."""
    user.sessions_key = secrets.token_hex(16)
    user.save(update_fields=["sessions_key"])
