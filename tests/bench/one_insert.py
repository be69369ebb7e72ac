"""The yardstick of B4: the portal's own addresses, and one more whose view writes one row and sends the browser on."""

from uuid import uuid4

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.views.decorators.http import require_POST

from connector_pay import urls
from connector_pay.lib import clock
from payments.models import LookupCount

ADDRESS = "/one-insert/"


@require_POST
def insert(request: HttpRequest) -> HttpResponse:
    """One row, written as Django writes one; then 303, as a form that was accepted is answered."""
    LookupCount.objects.create(key=uuid4().hex, window_starts_at=clock.now(), count=1)
    answer = redirect("front_door")
    answer.status_code = 303
    return answer


urlpatterns = [path(ADDRESS.lstrip("/"), insert), *urls.urlpatterns]
