"""Times of falling behind, and their history."""

from django.conf import settings
from django.db import models

from billing.ladders import Kind, Ladder, find_ladder
from billing.models.bills import Account
from billing.policy import read_policy
from connector_pay.lib.states import StateMachine


class EpisodeStatus(models.TextChoices):
    """Where a time of falling behind stands."""

    OPEN = "open", "Behind"
    CURED = "cured", "Paid in time"
    LISTED = "listed", "To be ended"
    CANCELED = "canceled", "Not ended"
    ENDED = "ended", "Coverage ended"
    ASKED = "asked", "Reinstatement asked for"
    REINSTATED = "reinstated", "Reinstated"


EPISODE_MOVES = StateMachine(
    subject_field="episode",
    arrows={
        # Open again: a subsidy gained meanwhile gives the longer ladder.
        EpisodeStatus.OPEN: frozenset(
            {EpisodeStatus.OPEN, EpisodeStatus.CURED, EpisodeStatus.LISTED, EpisodeStatus.CANCELED}
        ),
        EpisodeStatus.LISTED: frozenset({EpisodeStatus.ENDED, EpisodeStatus.CURED, EpisodeStatus.CANCELED}),
        EpisodeStatus.ENDED: frozenset({EpisodeStatus.ASKED}),
        # Ended again: the reinstatement was declined.
        EpisodeStatus.ASKED: frozenset({EpisodeStatus.REINSTATED, EpisodeStatus.ENDED}),
        EpisodeStatus.CURED: frozenset(),
        EpisodeStatus.CANCELED: frozenset(),
        EpisodeStatus.REINSTATED: frozenset(),
    },
)


BEHIND = (EpisodeStatus.OPEN, EpisodeStatus.LISTED)


class Episode(models.Model):
    """One time of falling behind, from the night that found an unpaid month to its cure or the end of coverage.

    The oldest unpaid month and the ladder stay as they were found, but that a subsidy gained later gives the longer one.
    """

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="episodes")
    oldest_month = models.DateField()
    kind = models.CharField("ladder", max_length=5, choices=[(kind.value, kind.value) for kind in Kind])
    found_on = models.DateField()
    opened_at = models.DateTimeField()
    status = models.CharField(max_length=10, choices=EpisodeStatus, default=EpisodeStatus.OPEN)
    ended_on = models.DateField("last day of coverage", null=True, blank=True)
    planned_end = models.DateField(
        null=True, blank=True, help_text="the last day of coverage as it stood before"
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_on = models.DateField(null=True, blank=True, help_text="the day of the termination notice")

    class Meta:
        default_permissions = ()
        permissions = [("change_episode", "End coverage or keep it; reinstate")]
        constraints = [
            models.UniqueConstraint(
                fields=["account"],
                condition=models.Q(status__in=("open", "listed")),
                name="one_open_episode_per_account",
            ),
            models.CheckConstraint(
                condition=~models.Q(status__in=("ended", "asked", "reinstated"))
                | models.Q(ended_on__isnull=False, decided_by__isnull=False, decided_on__isnull=False),
                name="coverage_is_ended_by_someone",
            ),
        ]

    def __str__(self) -> str:
        return f"behind since {self.oldest_month:%B %Y}"

    @property
    def ladder(self) -> Ladder:
        """Its notices, the last day to pay, and the end of coverage."""
        return find_ladder(
            oldest_month=self.oldest_month,
            kind=Kind(self.kind),
            found_on=self.found_on,
            due_day=read_policy().due_day,
        )


class EpisodeMove(models.Model):
    """One change of where an episode stands. Append-only."""

    episode = models.ForeignKey(Episode, on_delete=models.PROTECT, related_name="moves")
    before = models.CharField(max_length=10)
    after = models.CharField(max_length=10)
    at = models.DateTimeField()
    why = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return f"{self.before} to {self.after}"
