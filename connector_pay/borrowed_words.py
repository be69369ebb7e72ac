"""Phrases of Django and of the sign-in package that the Spanish catalog says in our words: here it finds them."""

from django.utils.translation import gettext_noop as _

BORROWED = (
    _("a.m."),
    _("p.m."),
    _("The password is too similar to the %(verbose_name)s."),
)
