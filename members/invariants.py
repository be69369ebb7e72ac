"""What must always hold among members."""

from connector_pay.lib.invariants import Invariant
from members.models import ENROLLMENT_MOVES, EnrollmentStatus

_ARROWS = ", ".join(
    f"('{before}', '{after}')"
    for before, afters in ENROLLMENT_MOVES.arrows.items()
    for after in sorted(afters)
)

STATUS_MOVES = f"""
    WITH chain AS (
        SELECT enrollment_id, id, before, after,
            lag(after) OVER history AS previous,
            lead(id) OVER history AS next
        FROM members_enrollmentmove
        WINDOW history AS (PARTITION BY enrollment_id ORDER BY id)
    ), arrows (before, after) AS (VALUES {_ARROWS})
    SELECT enrollment_id, id, before, after FROM chain
    WHERE before <> coalesce(previous, '{EnrollmentStatus.WAITING}')
        OR (before, after) NOT IN (SELECT before, after FROM arrows)
    UNION ALL
    SELECT enrollment.id, chain.id, chain.after, enrollment.status
    FROM members_enrollment AS enrollment
    LEFT JOIN chain ON chain.enrollment_id = enrollment.id AND chain.next IS NULL
    WHERE enrollment.status <> coalesce(chain.after, '{EnrollmentStatus.WAITING}')
"""
START_MOVES = """
    WITH chain AS (
        SELECT enrollment_id, id, start_before, start_after,
            lag(start_after) OVER history AS previous,
            lead(id) OVER history AS next
        FROM members_startmove
        WINDOW history AS (PARTITION BY enrollment_id ORDER BY id)
    )
    SELECT chain.enrollment_id, chain.id, chain.start_before, chain.start_after
    FROM chain JOIN members_enrollment AS enrollment ON enrollment.id = chain.enrollment_id
    WHERE chain.start_before <> coalesce(chain.previous, enrollment.requested_start)
    UNION ALL
    SELECT enrollment.id, chain.id, chain.start_after, enrollment.coverage_start
    FROM members_enrollment AS enrollment
    LEFT JOIN chain ON chain.enrollment_id = enrollment.id AND chain.next IS NULL
    WHERE enrollment.coverage_start <> coalesce(chain.start_after, enrollment.requested_start)
"""
PRICES = """
    SELECT enrollment.id, enrollment.external_id FROM members_enrollment AS enrollment
    WHERE NOT EXISTS (
        SELECT FROM members_premiumrate AS rate
        WHERE rate.enrollment_id = enrollment.id AND rate.from_month <= enrollment.requested_start
    )
"""
NOTICES = """
    SELECT event, subject, channel, count(*) FROM members_notice
    GROUP BY event, subject, channel HAVING count(*) > 1
"""

INVARIANTS: tuple[Invariant, ...] = (
    Invariant(
        "I7 enrollments", "An enrollment's moves follow the arrows in order, up to its status.", STATUS_MOVES
    ),
    Invariant("I12 start moves", "A start's moves lead from the requested start to today's.", START_MOVES),
    Invariant("prices", "Each month of an enrollment has a price from its requested start on.", PRICES),
    Invariant("I14 notices", "One notice per event, subject and channel.", NOTICES),
)
