"""What of billing waits for a person: starts and corrections to decide, coverage to end or to give back, letters to mail."""

from django.urls import reverse

from billing.models import Correction, CorrectionStatus, Episode, EpisodeStatus, PrintBatch, StartReview
from connector_pay.lib.staff_queues import Queue, count_waiting


def list_queues() -> list[Queue]:
    """Each queue of billing, in the order of a day's work. One statement."""
    counted = count_waiting(
        {
            "starts": (StartReview.objects.filter(decided_at=None), "opened_at"),
            "corrections": (Correction.objects.filter(status=CorrectionStatus.ASKED), "asked_at"),
            "terminations": (Episode.objects.filter(status=EpisodeStatus.LISTED), "opened_at"),
            "reinstatements": (Episode.objects.filter(status=EpisodeStatus.ASKED), "opened_at"),
            "batches": (PrintBatch.objects.filter(closed_at=None), "made_at"),
        }
    )
    return [
        Queue(words, *counted[name], link=link, permission=permission)
        for name, words, link, permission in _list_pages()
    ]


def _list_pages() -> list[tuple[str, str, str, str]]:
    episodes = reverse("admin:billing_episode_changelist")
    return [
        (
            "starts",
            "Starts of coverage to decide",
            f"{reverse('admin:billing_startreview_changelist')}?decided=no",
            "billing.decide_start",
        ),
        (
            "corrections",
            "Corrections to approve",
            f"{reverse('admin:billing_correction_changelist')}?status__exact={CorrectionStatus.ASKED}",
            "billing.decide_correction",
        ),
        (
            "terminations",
            "Coverage to be ended",
            reverse("admin:billing_episode_terminations"),
            "billing.change_episode",
        ),
        (
            "reinstatements",
            "Reinstatements to approve",
            f"{episodes}?status__exact={EpisodeStatus.ASKED}",
            "billing.change_episode",
        ),
        (
            "batches",
            "Print batches that are not in the mail yet",
            f"{reverse('admin:billing_printbatch_changelist')}?closed_at__isempty=1",
            "billing.change_printbatch",
        ),
    ]
