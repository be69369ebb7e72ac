"""What every change of status leaves behind: a row with the state before, the state after, when and why."""

from django.db import models


class Move(models.Model):
    """One arrow taken. Append-only."""

    before = models.CharField(max_length=10)
    after = models.CharField(max_length=10)
    at = models.DateTimeField()
    why = models.CharField(max_length=200, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.before} to {self.after}"
