"""The staff's side of the portal: stock Django admin, behind the portal's own sign-in rules."""

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path


class PortalAdminSite(AdminSite):
    """Django's admin under the exchange's name."""

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

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Staff sign in by username. Tries are counted as on the members’ page: failed ones by axes, and all from one address.

        A signed-in member is refused in plain words, not asked to sign in again.
        """
        from allauth.core import ratelimit

        from connector_pay.staff_sign_in import StaffSignInForm

        if not ratelimit.consume(request, action="login"):
            return ratelimit.respond_429(request)
        if request.user.is_authenticated and not self.has_permission(request):
            raise PermissionDenied("Only staff of the exchange may enter here.")
        self.login_form = StaffSignInForm
        return super().login(request, extra_context)


class PortalAdminConfig(AdminConfig):
    """The admin application with our site as the default one."""

    default_site = "connector_pay.admin.PortalAdminSite"
