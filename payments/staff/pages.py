"""The staff's pages that belong to no single model, with their addresses under /admin/."""

from collections.abc import Callable

from django.http import HttpResponse

from payments.staff import dashboard, find, timeline

Page = tuple[str, Callable[..., HttpResponse], str]


def list_pages() -> list[Page]:
    """Each page: its address, its view, its name."""
    return [
        ("find/", find.find, "find"),
        ("dashboard/", dashboard.show_dashboard, "dashboard"),
        ("dashboard/pushes/", dashboard.show_pushes, "pushes"),
        ("member/<int:member_id>/", timeline.show_member, "member_overview"),
        ("account/<int:account_id>/", timeline.show_account, "account_timeline"),
        ("account/<int:account_id>/ledger/", timeline.show_ledger, "account_ledger"),
    ]
