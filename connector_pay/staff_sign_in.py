"""How staff sign in to the admin: by username and password, and nobody past a second step they have set
up.
"""

from allauth.mfa.utils import is_mfa_enabled
from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.html import format_html

from members.models import User


class StaffSignInForm(AdminAuthenticationForm):
    """Django's own form, which knows passwords only: whoever has set up a second step takes the portal's
    sign-in page.
    """

    def confirm_login_allowed(self, user: User) -> None:
        """Refuse who is not staff, and who must take a second step."""
        super().confirm_login_allowed(user)
        if is_mfa_enabled(user):
            address = f"{reverse('account_login')}?next={reverse('admin:index')}"
            words = 'Your account asks for a second step. <a href="{}">Sign in on the portal’s own page.</a>'
            raise ValidationError(format_html(words, address), code="second_step")
