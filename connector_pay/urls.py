"""Every address of the portal."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from connector_pay import demo_outbox, demo_pages
from members.second_step import RemovePasskeyView

urlpatterns = [
    path("admin/demo-date/", demo_pages.demo_date, name="demo_date"),
    path("admin/demo-outbox/", demo_outbox.demo_outbox, name="demo_outbox"),
    path("admin/demo-outbox/<int:notice_id>/letter.pdf", demo_outbox.demo_letter, name="demo_letter"),
    path("admin/", admin.site.urls),
    # The portal's own page instead: the package would take anyone's address, and its links last for days.
    path("accounts/email/", RedirectView.as_view(pattern_name="profile_email"), name="account_email"),
    path("accounts/", include("allauth.account.urls")),
    path(
        "accounts/2fa/webauthn/keys/<int:pk>/remove/", RemovePasskeyView.as_view(), name="mfa_remove_webauthn"
    ),
    path("accounts/2fa/", include("allauth.mfa.urls")),
    path("", include("members.urls")),
    path("", include("payments.urls")),
]
