"""What the exchange has told us so far about the people, plans and enrollments that some events touch.

Intake reads them in a handful of statements, changes them in memory event by event, and writes them back in a
handful.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from django.db.models import Model, Q

from members.choices import find_chosen_here
from members.enrollment_events import EnrollmentEvent
from members.models import Carrier, Enrollment, IntakeEvent, Member, Plan, PremiumRate

# Only these columns of a known row does intake ever change.
CHANGED: dict[type[Model], tuple[str, ...]] = {
    Carrier: ("name",),
    Plan: ("name", "remittance_name", "remittance_address"),
    Member: (
        "first_name",
        "last_name",
        "date_of_birth",
        "email",
        "phone",
        "language",
        "street",
        "city",
        "state",
        "zip_code",
        "paperless_bills",
        "paperless_notices",
    ),
    Enrollment: ("ends_on",),
}


@dataclass
class KnownRecords:
    """The rows by the names the exchange gives them, known and new; `seen` has the known events' content.

    `chosen_here` has what members chose themselves: the member's key and the column.
    """

    seen: dict[str, str] = field(default_factory=dict)
    carriers: dict[str, Carrier] = field(default_factory=dict)
    plans: dict[str, Plan] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    enrollments: dict[str, Enrollment] = field(default_factory=dict)
    rates: list[PremiumRate] = field(default_factory=list)
    events: list[IntakeEvent] = field(default_factory=list)
    changed: dict[type[Model], dict[int, Model]] = field(default_factory=dict)
    chosen_here: set[tuple[int, str]] = field(default_factory=set)

    @classmethod
    def load(cls, *, events: Sequence[EnrollmentEvent]) -> Self:
        """Every row these events name; enrollments, then members are locked until the transaction ends, by ascending id."""
        known = cls()
        seen = IntakeEvent.objects.filter(event_id__in=[event.event_id for event in events])
        known.seen = dict(seen.values_list("event_id", "sha256"))
        names = {event.enrollment_id for event in events}
        enrollments = Enrollment.objects.select_for_update(no_key=True).filter(external_id__in=names)
        known.enrollments = {row.external_id: row for row in enrollments.order_by("pk")}
        known._load_members(events)
        known._load_plans(events)
        return known

    def change(self, row: Model, facts: dict[str, Any]) -> None:
        """Set the row's columns to the facts, and remember a known row that differs."""
        if all(getattr(row, name) == value for name, value in facts.items()):
            return
        for name, value in facts.items():
            setattr(row, name, value)
        if row.pk is not None:
            self.changed.setdefault(type(row), {})[row.pk] = row

    def change_member(self, member: Member, facts: dict[str, Any]) -> None:
        """The same for a member: what they chose here stays as they chose it."""
        self.change(
            member,
            {name: value for name, value in facts.items() if (member.pk, name) not in self.chosen_here},
        )

    def save(self) -> None:
        """Write the new rows and the changed ones, those that others point at first."""
        for model, rows in self._list_rows():
            model._default_manager.bulk_create(row for row in rows if row.pk is None)
        for model, columns in CHANGED.items():
            changed = sorted(self.changed.get(model, {}).items())
            # One statement for all: the rows exist, so each insert becomes an update of these columns.
            model._default_manager.bulk_create(
                [row for _, row in changed],
                update_conflicts=True,
                unique_fields=["id"],
                update_fields=columns,
            )
        PremiumRate.objects.bulk_create(self.rates)
        IntakeEvent.objects.bulk_create(self.events)

    def _list_rows(self) -> list[tuple[type[Model], Iterable[Model]]]:
        return [
            (Carrier, self.carriers.values()),
            (Plan, self.plans.values()),
            (Member, self.members.values()),
            (Enrollment, self.enrollments.values()),
        ]

    def _load_members(self, events: Sequence[EnrollmentEvent]) -> None:
        named = {event.facts["member"]["member_id"] for event in events if event.kind == "enroll"}
        enrolled = {row.member_id for row in self.enrollments.values()}
        rows = Member.objects.select_for_update(no_key=True).filter(
            Q(member_id__in=named) | Q(pk__in=enrolled)
        )
        by_id = {row.pk: row for row in rows.order_by("pk")}
        self.chosen_here = find_chosen_here(member_ids=by_id)
        self.members = {row.member_id: row for row in by_id.values()}
        for enrollment in self.enrollments.values():
            enrollment.member = by_id[enrollment.member_id]

    def _load_plans(self, events: Sequence[EnrollmentEvent]) -> None:
        plans = [event.facts["plan"] for event in events if "plan" in event.facts]
        in_use = {row.plan_id for row in self.enrollments.values()}
        rows = Plan.objects.filter(Q(code__in={plan["code"] for plan in plans}) | Q(pk__in=in_use))
        by_id = {row.pk: row for row in rows}
        carriers = Carrier.objects.filter(
            Q(code__in={plan["carrier"]["code"] for plan in plans})
            | Q(pk__in={row.carrier_id for row in by_id.values()})
        ).in_bulk()
        self.carriers = {row.code: row for row in carriers.values()}
        self.plans = {row.code: row for row in by_id.values()}
        for plan in by_id.values():
            plan.carrier = carriers[plan.carrier_id]
        for enrollment in self.enrollments.values():
            enrollment.plan = by_id[enrollment.plan_id]
