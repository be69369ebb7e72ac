"""Every address of the staff's side that is ours, as the tests of rights walk them."""

import re
from collections.abc import Iterator
from uuid import UUID

from django.urls import URLPattern, URLResolver, get_resolver

PACKAGES_OWN = re.compile(
    r"_(changelist|add|change|delete|history)$|password_change|^(index|login|logout|jsi18n|autocomplete|view_on_site|app_list)$"
)
ANYBODYS = {"demo_date"}  # no real money moves there
LOOKING_IS_ALL = 405


def list_staff_addresses() -> Iterator[tuple[str, str]]:
    """Every address under /admin/ that is ours, each thing it names being number 1."""

    def walk(patterns, before: str) -> Iterator[tuple[str, URLPattern]]:
        for pattern in patterns:
            path = before + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns, path)
            else:
                yield path, pattern

    for path, pattern in walk(get_resolver().url_patterns, "/"):
        name = pattern.name or ""
        if path.startswith("/admin/") and name and not PACKAGES_OWN.search(name) and name not in ANYBODYS:
            yield name, re.sub(r"<[^>]+>", "1", re.sub(r"<uuid:[^>]+>", str(UUID(int=1)), path))
