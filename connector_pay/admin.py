"""The staff's side of the portal: stock Django admin, behind the portal's own sign-in page and its second step."""

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path
from django.utils.http import urlencode


class PortalAdminSite(AdminSite):
    """Django's admin under the exchange's name, for staff who have taken their second step."""

    site_header = "Connector Pay staff"
    site_title = "Connector Pay staff"
    index_title = "Review"
    enable_nav_sidebar = False

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """With the pages that belong to no single model: finding, seeing, the dashboard."""
        from payments.staff.pages import list_pages

        pages = [path(route, self.admin_view(view), name=name) for route, view, name in list_pages()]
        return [*pages, *super().get_urls()]

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The box that finds, what waits for a person, today's figures; then the models."""
        from connector_pay.front_page import describe_front_page

        return super().index(request, {**(extra_context or {}), **describe_front_page(request)})

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """Django's own page; whoever has a new password approves nothing for a day."""
        from connector_pay.staff_admin import note_own_password

        answer = super().password_change(request, extra_context)
        note_own_password(request, answer)
        return answer

    def has_permission(self, request: HttpRequest) -> bool:
        """Active staff, by password and second step; nobody else sees or does anything here."""
        from members import second_step

        return super().has_permission(request) and second_step.has_passed(request)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Leads to the portal's own sign-in page, then to the second step, or to where one is set up.

        A signed-in member is refused in plain words, not asked to sign in again.
        """
        from allauth.account.decorators import secure_admin_login
        from allauth.account.utils import get_next_redirect_url

        if request.GET.get("next") and not get_next_redirect_url(request):
            return redirect("admin:login")
        answer: HttpResponse = secure_admin_login(self._lead_on)(request)
        return answer

    def _lead_on(self, request: HttpRequest) -> HttpResponse:
        from allauth.account.utils import get_next_redirect_url

        from members import second_step
        from members.models import User

        wanted = get_next_redirect_url(request) or "/admin/"
        if self.has_permission(request):
            return redirect(wanted)
        if not isinstance(request.user, User):
            raise PermissionDenied("Only staff of the exchange may enter here.")
        return redirect(f"{second_step.find_way_on(user=request.user)}?{urlencode({'next': wanted})}")


class PortalAdminConfig(AdminConfig):
    """The admin application with our site as the default one."""

    default_site = "connector_pay.admin.PortalAdminSite"
