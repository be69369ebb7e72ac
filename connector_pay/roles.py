"""Roles of the staff: one table of who may do what, which the database's groups follow at every migration.

An administrator may do everything, and alone says who of the staff has which role.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.db import models
from django.db.models.signals import post_migrate

from members.models import User

OUR_APPS = ("lib", "members", "billing", "payments")


class Role(models.TextChoices):
    """What a person of the staff is there for."""

    REVIEWER = "reviewer", "Reviewer: sees"
    CASHIER = "cashier", "Cashier: records and matches"
    SUPERVISOR = "supervisor", "Supervisor: approves and decides"
    AUDITOR = "auditor", "Auditor: sees and exports, changes nothing"
    ADMINISTRATOR = "administrator", "Administrator: everything, and the staff"


EVERYBODY = frozenset(Role)
CASHIERS = frozenset({Role.CASHIER, Role.SUPERVISOR, Role.ADMINISTRATOR})
SUPERVISORS = frozenset({Role.SUPERVISOR, Role.ADMINISTRATOR})
AUDITORS = frozenset({Role.AUDITOR, Role.SUPERVISOR, Role.ADMINISTRATOR})

# Whoever has a role may read what the staff read; these are what only some may do.
WHO_MAY: dict[str, frozenset[Role]] = {
    "billing.add_printbatch": CASHIERS,
    "billing.adjust_account": CASHIERS,
    "billing.change_billlink": CASHIERS,
    "billing.change_episode": SUPERVISORS,
    "billing.change_printbatch": CASHIERS,
    "billing.close_month": AUDITORS,
    "billing.decide_correction": SUPERVISORS,
    "billing.decide_start": SUPERVISORS,
    "billing.export_movement": AUDITORS,
    "billing.move_due_date": CASHIERS,
    "billing.move_month_due_date": SUPERVISORS,
    "billing.record_outage": SUPERVISORS,
    "billing.waive_premium": CASHIERS,
    "lib.read_access_log": AUDITORS,
    "members.resend_notice": CASHIERS,
    "payments.add_refund": CASHIERS,
    "payments.cancel_payment": CASHIERS,
    "payments.change_bankaccount": SUPERVISORS,
    "payments.change_mandate": CASHIERS,
    "payments.change_received_date": CASHIERS,
    "payments.change_refund": SUPERVISORS,
    "payments.confirm_check": SUPERVISORS,
    "payments.export_payment": AUDITORS,
    "payments.export_refund": AUDITORS,
    "payments.hold_payment": CASHIERS,
    "payments.lift_pause": SUPERVISORS,
    "payments.import_lockbox": CASHIERS,
    "payments.match_money": CASHIERS,
    "payments.move_payment": SUPERVISORS,
    "payments.record_check": CASHIERS,
    "payments.resolve_file": SUPERVISORS,
    "payments.resolve_returnline": CASHIERS,
    "payments.return_check": SUPERVISORS,
    "payments.reveal_account_number": SUPERVISORS,
    "payments.send_back_money": SUPERVISORS,
    "payments.take_phone_payment": CASHIERS,
}


@dataclass(frozen=True)
class Right:
    """One permission in its own words, and whether each role has it, in the roles' order."""

    permission: str
    words: str
    held: tuple[tuple[Role, bool], ...]


def list_rights() -> list[Right]:
    """Who may do what, in words, by what it is about."""
    words = dict(list_permissions())
    rows = [
        Right(permission, words[permission], tuple((role, role in who) for role in Role))
        for permission, who in WHO_MAY.items()
    ]
    return sorted(rows, key=lambda row: row.permission)


def list_permissions() -> Iterator[tuple[str, str]]:
    """Every permission that our models name, with its words."""
    for label in OUR_APPS:
        for model in apps.get_app_config(label).get_models():
            for codename, words in model._meta.permissions:
                yield f"{label}.{codename}", str(words)


def find_role(*, user: User) -> Role | None:
    """The role of one of the staff; none yet where nobody has given one."""
    if user.is_superuser:
        return Role.ADMINISTRATOR
    names = set(user.groups.values_list("name", flat=True))
    return next((role for role in Role if role in names), None)


def give_role(*, user: User, role: Role) -> None:
    """One of the staff has one role: what it may, and nothing of what an earlier one might."""
    User.objects.filter(pk=user.pk).update(is_staff=True, is_superuser=role == Role.ADMINISTRATOR)
    user.is_staff, user.is_superuser = True, role == Role.ADMINISTRATOR
    user.groups.set(Group.objects.filter(name=role))
    user.user_permissions.clear()


def keep_groups(**_sent: Any) -> None:
    """Bring the groups, what each may, and the words of permissions in step with the table."""
    words = dict(list_permissions())
    found = {}
    for row in Permission.objects.select_related("content_type").filter(content_type__app_label__in=OUR_APPS):
        name = f"{row.content_type.app_label}.{row.codename}"
        if name not in words:
            continue
        found[name] = row
        if row.name != words[name]:
            row.name = words[name]
            row.save(update_fields=["name"])
    for role in Role:
        group, _ = Group.objects.get_or_create(name=role.value)
        group.permissions.set([found[name] for name, who in WHO_MAY.items() if role in who])


def follow_migrations() -> None:
    """Keep the groups in step after each migration, once the last of our apps has its permissions."""
    post_migrate.connect(
        keep_groups, sender=apps.get_app_config(OUR_APPS[-1]), dispatch_uid="connector_pay.roles"
    )
