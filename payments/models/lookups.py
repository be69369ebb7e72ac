"""Counts of guests' look-ups, for when Redis does not answer."""

from django.db import models


class LookupCount(models.Model):
    """How often a bill was looked for in one window of time, when Redis does not count. The key tells nothing of who looked."""

    key = models.CharField(max_length=64, help_text="a keyed fingerprint of what is counted")
    window_starts_at = models.DateTimeField()
    count = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["window_starts_at", "key"], name="one_count_of_a_key_per_window")
        ]

    def __str__(self) -> str:
        return f"{self.count} from {self.window_starts_at}"
