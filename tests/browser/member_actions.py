"""What administrators do with the staff themselves."""

from tests import people
from tests.browser.office import Office
from tests.browser.staff_actions import ADMINISTRATOR, CASHIER, SUPERVISOR, Action, Case, in_list


def another(office: Office) -> Case:
    """One of the staff."""
    clerk = people.make_clerk(CASHIER)
    return Case(clerk, (clerk.pk,))


STAFF = (
    Action(
        "members_user_add",
        *(ADMINISTRATOR, SUPERVISOR, in_list("members.User"), "Add"),
        pressed=("Save",),
        typed={"Username:": "newcomer", "Email address:": "newcomer@example.org", "Role:": "cashier"},
        says="was added successfully",
    ),
    Action(
        "members_user_change",
        *(ADMINISTRATOR, SUPERVISOR, another, "Save"),
        typed={"Role:": "auditor"},
        says="was changed successfully",
    ),
    Action(
        "members_user_end_session",
        ADMINISTRATOR,
        SUPERVISOR,
        another,
        "Sign them out everywhere",
        says="is signed out",
    ),
    Action(
        "members_user_send_link",
        ADMINISTRATOR,
        SUPERVISOR,
        another,
        "Send them a password link",
        says="is sent the link",
    ),
    Action(
        "members_user_reset_step",
        ADMINISTRATOR,
        SUPERVISOR,
        another,
        "Reset their second step",
        says="sets up a new second step",
    ),
)
