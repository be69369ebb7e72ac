"""What a caller agrees to, word for word: one debit by an oral authorization, with everything that its rule asks for.

Source: Nacha Operating Rules, TEL entries: the date, the amount, who authorizes, which account, the number to call with
questions, the day of the authorization, that it is a single debit, and how to revoke it.
"""

from datetime import date

from django.conf import settings

from connector_pay.lib.money import format_dollars
from connector_pay.lib.templatetags.exchange import long_date
from payments.channels.phone.speech import spell_digits
from payments.channels.phone.words import KINDS, name_bill, speaking
from payments.payables import Payable
from payments.statements import describe_cutoff

VERSION = "phone-debit-1"
TEXTS = {
    "en": "Today, {day}, you, {payer}, authorize {payee} to take {amount} once, by one electronic debit, from your {kind} "
    "account ending in {last_four}, for the {bill} bill. The debit is on {day} or on a banking day soon after. If an error is "
    "made, {payee} may credit your account to correct it. You can cancel until the payment is sent to your bank, which happens "
    "at {cutoff} Eastern on banking days: call {phone}. With questions, call {phone}, {hours}. If your bank returns the "
    "payment, it does not count as received and coverage may not start or may be at risk. There is no fee.",
    "es": "Hoy, {day}, usted, {payer}, autoriza a {payee} a tomar {amount} una sola vez, con un solo débito electrónico, de su "
    "cuenta {kind} que termina en {last_four}, para la factura {bill}. El débito se hace el {day} o en un día bancario poco "
    "después. Si hay un error, {payee} puede acreditar su cuenta para corregirlo. Puede cancelar hasta que el pago se envíe a "
    "su banco, lo que ocurre a las {cutoff}, hora del Este, en días bancarios: llame al {phone}. Si tiene preguntas, llame al "
    "{phone} en horas de oficina. Si su banco devuelve el pago, no cuenta como recibido y la cobertura puede no comenzar o "
    "estar en riesgo. No hay ningún cargo.",
}


def write_authorization(
    *, payable: Payable, amount_cents: int, today: date, kind: str, last_four: str, payer: str, language: str
) -> str:
    """The words that are read to the caller before they press 1, and kept."""
    exchange = settings.EXCHANGE
    with speaking(language):
        day = long_date(today)
    return TEXTS[language].format(
        day=day,
        payer=payer,
        payee=exchange["name"],
        amount=format_dollars(amount_cents),
        kind=KINDS[language][kind],
        last_four=spell_digits(last_four),
        bill=name_bill(payable=payable, language=language),
        cutoff=describe_cutoff(language=language),
        phone=exchange["help_line"],
        hours=exchange["hours"],
    )
