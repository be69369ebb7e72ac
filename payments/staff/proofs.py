"""The proof of authorization of a debit, one click away for staff; each look is logged."""

from typing import cast

import structlog
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from connector_pay.lib import clock
from connector_pay.lib.access_log import record_access
from members.models import User
from payments.models import Payment
from payments.proofs import find_debit, make_filename, prove_authorization

log = structlog.get_logger(__name__)


@require_safe
@never_cache
def show_proof(request: HttpRequest, payment_id: int) -> HttpResponse:
    """The proof as a file to keep or to send to the payer's bank."""
    number = get_object_or_404(Payment.objects.only("confirmation_number"), pk=payment_id).confirmation_number
    payment = find_debit(number=number)
    name, at = make_filename(payment=payment), clock.now()
    record_access(
        by=cast(User, request.user),
        what="Proof of authorization",
        subject=name,
        why="to keep, or for the payer's bank",
        rows=1,
        at=at,
    )
    log.info("proof of authorization drawn up", payment=payment.pk, by=request.user.pk)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    document = prove_authorization(payment=payment, at=at)
    return HttpResponse(document, content_type="application/pdf", headers=headers)
