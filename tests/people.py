"""The people of the tests: builders with believable defaults; their rows pass the self-check.

Everything lives around January 2027: enrolled on January 5, asked to start on February 1, due on January 23.
"""

import time
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

from allauth.account.internal.flows.login import (
    _AUTHENTICATION_METHODS_USER_SESSION_KEY,
    AUTHENTICATION_METHODS_SESSION_KEY,
)
from allauth.account.internal.userkit import user_id_to_str
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.test import Client

from connector_pay.roles import Role, give_role
from members import staff_sessions
from members.models import (
    ENROLLMENT_MOVES,
    Carrier,
    Enrollment,
    EnrollmentMove,
    EnrollmentStatus,
    Member,
    Plan,
    PremiumRate,
    Product,
    User,
)

ENROLLED_AT = datetime(2027, 1, 5, 15, 0, tzinfo=UTC)
FEBRUARY = date(2027, 2, 1)
PASSWORD = "correct horse battery staple"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"  # of an authenticator app
REMITTANCE = "PO Box 970063\nBoston, MA 02297-0063"

_numbers = count(1)


def make_member(**facts: Any) -> Member:
    """A member with a Member ID, a phone number and an email of their own; any column may be given."""
    number = next(_numbers)
    defaults = {
        "member_id": f"0034{number:08d}",
        "first_name": "Alice",
        "last_name": "Alvarez",
        "date_of_birth": date(1986, 4, 9),
        "email": f"member{number}@example.org",
        "phone": f"+1617555{number % 10_000:04d}",
        "street": f"{number} Beacon Street",
        "city": "Boston",
        "state": "MA",
        "zip_code": "02108",
    }
    return Member.objects.create(**(defaults | facts))


def make_plan(*, product: str = Product.HEALTH, **facts: Any) -> Plan:
    """The health or the dental plan of an invented carrier; the same plan each time unless given a code."""
    carrier, _ = Carrier.objects.get_or_create(code="HARBORLIGHT", defaults={"name": "Harborlight Health"})
    defaults = {
        "code": f"HL-{product.upper()}-1",
        "carrier": carrier,
        "name": "Harborlight Silver 2000" if product == Product.HEALTH else "Harborlight Dental Basic",
        "product": product,
        "remittance_name": "Harborlight Health",
        "remittance_address": REMITTANCE,
    } | facts
    return Plan.objects.get_or_create(code=defaults.pop("code"), defaults=defaults)[0]


def make_enrollment(
    *,
    member: Member | None = None,
    product: str = Product.HEALTH,
    plan: Plan | None = None,
    premium_cents: int = 284_17,
    subsidy_cents: int = 0,
    requested_start: date = FEBRUARY,
    status: str = EnrollmentStatus.WAITING,
    at: datetime = ENROLLED_AT,
    **facts: Any,
) -> Enrollment:
    """An enrollment as intake leaves it, with its rate; a status but waiting is reached by real moves."""
    defaults = {
        "external_id": f"E{next(_numbers):09d}",
        "coverage_start": requested_start,
        "window_ends": requested_start + timedelta(days=60),
        "subsidized": subsidy_cents > 0,
        "enrolled_at": at,
    }
    enrollment = Enrollment.objects.create(
        member=member or make_member(),
        plan=plan or make_plan(product=product),
        requested_start=requested_start,
        **(defaults | facts),
    )
    costs = {"premium_cents": premium_cents, "subsidy_cents": subsidy_cents}
    make_rate(enrollment=enrollment, month=requested_start, at=at, **costs)
    _walk(enrollment=enrollment, status=status, at=at)
    return enrollment


def make_rate(
    *,
    enrollment: Enrollment,
    month: date,
    premium_cents: int,
    subsidy_cents: int = 0,
    at: datetime = ENROLLED_AT,
    **becomes: Any,
) -> PremiumRate:
    """What a month of an enrollment costs from `month` on, and the plan and the subsidy that come with it."""
    return PremiumRate.objects.create(
        enrollment=enrollment,
        from_month=month,
        premium_cents=premium_cents,
        subsidy_cents=subsidy_cents,
        recorded_at=at,
        **becomes,
    )


def make_user(*, member: Member | None = None, password: str = PASSWORD, **facts: Any) -> User:
    """Someone who can sign in with PASSWORD: a member of their own unless one is given."""
    person = member or make_member()
    defaults = {"username": f"member-{person.member_id}", "email": person.email}
    return User.objects.create_user(password=password, member=person, **(defaults | facts))


def make_staff(*, password: str = PASSWORD, **facts: Any) -> User:
    """Someone who works for the exchange and may see everything in the admin."""
    number = next(_numbers)
    defaults = {"username": f"staff{number}", "email": f"staff{number}@example.org", "is_superuser": True}
    return User.objects.create_user(password=password, is_staff=True, **(defaults | facts))


def make_clerk(role: Role, **facts: Any) -> User:
    """One of the staff with this role."""
    clerk = make_staff(**({"is_superuser": False} | facts))
    give_role(user=clerk, role=role)
    return clerk


def give_second_step(user: User, *, secret: str = SECRET) -> str:
    """Put the person's authenticator app in place; returns its secret."""
    TOTP.activate(user, secret)
    return secret


def read_code(secret: str = SECRET, *, steps: int = 0) -> str:
    """What the app shows now, or showed and will show so many half minutes away."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps))


def pass_second_step(client: Client, user: User) -> None:
    """The session of one of the staff, as their sign-in by password and code leaves it."""
    session = client.session
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [{"method": "mfa", "at": time.time()}]
    session[_AUTHENTICATION_METHODS_USER_SESSION_KEY] = user_id_to_str(user)
    session[staff_sessions.TOKEN] = user.staff_session
    session.save()


def _walk(*, enrollment: Enrollment, status: str, at: datetime) -> None:
    """Take the enrollment along the arrows from waiting to `status`, history rows and all."""
    steps = {
        EnrollmentStatus.WAITING: [],
        EnrollmentStatus.ACTIVE: [EnrollmentStatus.ACTIVE],
        EnrollmentStatus.ENDED: [EnrollmentStatus.ACTIVE, EnrollmentStatus.ENDED],
        EnrollmentStatus.EXPIRED: [EnrollmentStatus.EXPIRED],
    }[EnrollmentStatus(status)]
    for after in steps:
        ENROLLMENT_MOVES.move(
            model=Enrollment,
            history=EnrollmentMove,
            ids=[enrollment.pk],
            before=enrollment.status,
            after=after,
            at=at,
            why="made for a test",
        )
        enrollment.refresh_from_db()
