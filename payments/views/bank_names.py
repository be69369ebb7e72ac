"""The name of the bank whose routing number is being typed, for the bank page's script; the page works without it."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from connector_pay.lib import clock
from connector_pay.lib.addresses import read_network
from payments.bank_numbers import UnableToUseBankAccount, check_routing_number
from payments.channels.limits import may_ask_for_bank
from payments.routing_directory import find_bank


@never_cache
@sensitive_post_parameters("routing_number")
@require_POST
def tell(request: HttpRequest) -> HttpResponse:
    """The bank's name in a sentence; nothing for a number that is wrong, or that the directory lacks."""
    if not may_ask_for_bank(address=read_network(request) or "", at=clock.now()):
        return JsonResponse({"words": ""}, status=429)
    try:
        number = check_routing_number(request.POST.get("routing_number", ""))
    except UnableToUseBankAccount:
        return JsonResponse({"words": ""})
    bank = find_bank(routing_number=number)
    return JsonResponse({"words": bank.words if bank else ""})
