"""Starts of coverage that only staff may decide about."""

from datetime import date

from django.conf import settings
from django.db import models

from members.models import Enrollment


class StartDecision(models.TextChoices):
    """What staff decide about a start under review."""

    KEEP = "keep", "Coverage starts where it stands"
    MOVE = "move", "Coverage starts where the rules put it"


class StartReview(models.Model):
    """A start that only staff may decide about: a month that has begun is neither given back nor taken away by a run.

    While it is open nothing is done about the first payment by itself, and nobody falls behind for it.
    """

    enrollment = models.ForeignKey(Enrollment, on_delete=models.PROTECT, related_name="start_reviews")
    stands_at = models.DateField(help_text="the start when it was opened")
    rules_give = models.DateField(help_text="the start that the rules give")
    why = models.CharField(max_length=200)
    opened_at = models.DateTimeField()
    opened_on = models.DateField()
    decided_at = models.DateTimeField(null=True, blank=True)
    decision = models.CharField(max_length=4, choices=StartDecision, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["enrollment"],
                condition=models.Q(decided_at=None),
                name="one_open_review_per_enrollment",
            ),
            models.CheckConstraint(
                condition=models.Q(decided_at=None, decided_by=None, decision="")
                | (models.Q(decided_at__isnull=False, decided_by__isnull=False) & ~models.Q(decision="")),
                name="review_is_decided_by_someone",
            ),
        ]

    def __str__(self) -> str:
        return f"start of {self.enrollment}: {self.stands_at:%B %Y}, by the rules {self.rules_give:%B %Y}"

    @property
    def decided_start(self) -> date | None:
        """The start that staff fixed, none while it is open."""
        return {StartDecision.KEEP.value: self.stands_at, StartDecision.MOVE.value: self.rules_give}.get(
            self.decision
        )
