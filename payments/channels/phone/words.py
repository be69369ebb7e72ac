"""What a call says, in English and in Spanish: one entry of a table for each thing that is said."""

from typing import Any

from django.conf import settings
from django.utils import translation

from members.models import Product
from payments.channels.phone.state import Line
from payments.payables import Payable

LANGUAGES = ("en", "es")
LANGUAGE_CODES = {"en": "en-US", "es": "es-US"}

WORDS: dict[str, dict[str, str]] = {
    # The questions, in the order of a call
    "language": {
        "en": "Welcome to the payment line of {exchange}. For English, press 1.",
        "es": "Para español, marque 2.",
    },
    "keys": {
        "en": "You can pay from a bank account. We do not take cards. "
        "At any time, press star for more time, pound to hear the question again, or 0 to go back. "
        "End each number with pound.",
        "es": "Puede pagar de una cuenta de banco. No aceptamos tarjetas. En cualquier momento, marque asterisco para tener "
        "más tiempo, numeral para oír otra vez la pregunta, o 0 para volver atrás. "
        "Termine cada número con numeral.",
    },
    "member": {
        "en": "Enter the 12-digit Member ID, or the phone number on the account.",
        "es": "Marque el número de miembro de 12 dígitos, o el teléfono que está en la cuenta.",
    },
    "born": {
        "en": "Enter the member's date of birth: 2 digits for the month, 2 for the day, 4 for the year.",
        "es": "Marque la fecha de nacimiento del miembro: 2 dígitos para el mes, 2 para el día, 4 para el año.",
    },
    "born_optional": {
        "en": "We need it to tell you what is due. To go on without it, press pound.",
        "es": "La necesitamos para decirle cuánto se debe. Para seguir sin ella, marque numeral.",
    },
    "person": {"en": "This is for {person}", "es": "Esto es para {person}"},
    "withheld": {
        "en": "We cannot tell you what is due right now. You can still pay.",
        "es": "En este momento no podemos decirle cuánto se debe. Usted puede pagar de todos modos.",
    },
    "bill_due": {"en": "The {bill} bill: {amount} is due.", "es": "La factura {bill}: se deben {amount}."},
    "bill_clear": {
        "en": "The {bill} bill: nothing is due now.",
        "es": "La factura {bill}: no se debe nada ahora.",
    },
    "bill_choice": {
        "en": "To pay the {bill} bill, press {key}.",
        "es": "Para pagar la factura {bill}, marque {key}.",
    },
    "bill_both": {"en": "To pay both, press {key}.", "es": "Para pagar las dos, marque {key}."},
    "bill_all": {"en": "To pay all of them, press {key}.", "es": "Para pagarlas todas, marque {key}."},
    "year": {
        "en": "There is more than one {bill} bill. Which coverage year is on the bill?",
        "es": "Hay más de una factura {bill}. ¿Qué año de cobertura está en la factura?",
    },
    "year_choice": {"en": "For {year}, press {key}.", "es": "Para {year}, marque {key}."},
    "amount": {"en": "How much for the {bill} bill?", "es": "¿Cuánto para la factura {bill}?"},
    "amount_choice": {"en": "{option}, press {key}.", "es": "{option}, marque {key}."},
    "amount_other": {
        "en": "For a different amount, press {key}.",
        "es": "Para otra cantidad, marque {key}.",
    },
    "other": {
        "en": "Enter the amount for the {bill} bill: the dollars, star, the cents, and then pound. "
        "For example, 50 dollars and 25 cents is 5 0 star 2 5 pound. There is no fee.",
        "es": "Marque la cantidad para la factura {bill}: los dólares, asterisco, los centavos, y luego numeral. "
        "Por ejemplo, 50 dólares con 25 centavos es 5 0 asterisco 2 5 numeral. No hay ningún cargo.",
    },
    "sure": {
        "en": "To pay this, press 1. To change it, press 2.",
        "es": "Para pagar esto, marque 1. Para cambiarlo, marque 2.",
    },
    "kind": {
        "en": "Now your bank account. For checking, press 1. For savings, press 2.",
        "es": "Ahora su cuenta de banco. Para cuenta corriente, marque 1. Para cuenta de ahorros, marque 2.",
    },
    "owner": {
        "en": "Is the bank account in the member's name? For yes, press 1. For no, press 2.",
        "es": "¿Está la cuenta de banco a nombre del miembro? Para sí, marque 1. Para no, marque 2.",
    },
    "routing": {
        "en": "Enter the 9-digit routing number from the bottom left of your check.",
        "es": "Marque el número de ruta de 9 dígitos que está abajo a la izquierda en su cheque.",
    },
    "account": {
        "en": "Enter your account number, then press pound. "
        "If it has letters in it, pay at {website} or call {help_line}.",
        "es": "Marque su número de cuenta y luego numeral. "
        "Si tiene letras, pague en {website} o llame al {help_line}.",
    },
    "again": {
        "en": "Enter the account number once more, then press pound.",
        "es": "Marque el número de cuenta otra vez y luego numeral.",
    },
    "review": {"en": "Check your payment.", "es": "Revise su pago."},
    "review_item": {
        "en": "The {bill} bill: {amount}, today, {date}, from your {kind} account ending in {last_four}.",
        "es": "La factura {bill}: {amount}, hoy, {date}, de su cuenta {kind} que termina en {last_four}.",
    },
    "authorization": {"en": "Now hear what you agree to.", "es": "Ahora escuche lo que usted autoriza."},
    "authorize": {
        "en": "To authorize this payment, press 1. If you do not want to pay, hang up.",
        "es": "Para autorizar este pago, marque 1. Si no quiere pagar, cuelgue.",
    },
    "authorize_all": {
        "en": "To authorize these payments, press 1. If you do not want to pay, hang up.",
        "es": "Para autorizar estos pagos, marque 1. Si no quiere pagar, cuelgue.",
    },
    # After the payment
    "received": {
        "en": "Thank you. We received your payment of {amount} for the {bill} bill.",
        "es": "Gracias. Recibimos su pago de {amount} para la factura {bill}.",
    },
    "confirmation": {
        "en": "Your confirmation number is: {number}.",
        "es": "Su número de confirmación es: {number}.",
    },
    "confirmation_again": {
        "en": "Once more, the confirmation number is: {number}.",
        "es": "Otra vez, el número de confirmación es: {number}.",
    },
    "not_final": {
        "en": "Your payment is not final until your bank clears it. We expect that by {date}. "
        "We are sending the member a letter or an email about it.",
        "es": "Su pago no es final hasta que su banco lo acepte. Creemos que será a más tardar el {date}. "
        "Enviamos al miembro una carta o un correo electrónico sobre este pago.",
    },
    "goodbye": {"en": "Goodbye.", "es": "Adiós."},
    # After a wrong entry
    "wrong_key": {
        "en": "That key is not one of the choices.",
        "es": "Esa tecla no es una de las opciones.",
    },
    "wrong_member": {
        "en": "A Member ID has 12 digits, and a phone number has 10.",
        "es": "El número de miembro tiene 12 dígitos, y un teléfono tiene 10.",
    },
    "miss": {
        "en": "We could not find one bill with that. Check the number, or use the 12-digit Member ID.",
        "es": "No pudimos encontrar una factura con eso. Revise el número, o use el número de miembro de 12 dígitos.",
    },
    "no_phones": {
        "en": "We cannot look up phone numbers right now. Use the 12-digit Member ID.",
        "es": "En este momento no podemos buscar por teléfono. Use el número de miembro de 12 dígitos.",
    },
    "wrong_born": {
        "en": "That is not a date of birth. April 9, 1986 is 0 4 0 9 1 9 8 6.",
        "es": "Esa no es una fecha de nacimiento. El 9 de abril de 1986 es 0 4 0 9 1 9 8 6.",
    },
    "wrong_bill": {
        "en": "We could not find that bill for this number.",
        "es": "No pudimos encontrar esa factura con este número.",
    },
    "wrong_amount": {
        "en": "We could not read that amount.",
        "es": "No pudimos leer esa cantidad.",
    },
    "too_little": {
        "en": "The amount must be at least {least}.",
        "es": "La cantidad debe ser de al menos {least}.",
    },
    "too_much": {
        "en": "The most we can take for this bill now is {most}.",
        "es": "Lo más que podemos aceptar ahora para esta factura es {most}.",
    },
    "wrong_routing": {"en": "That is not a routing number.", "es": "Ese no es un número de ruta."},
    "wrong_account": {
        "en": "An account number has 4 to 17 digits.",
        "es": "Un número de cuenta tiene de 4 a 17 dígitos.",
    },
    "card": {
        "en": "That looks like a card number. We cannot take cards. Enter the number from the bottom of your check. "
        "If it is a bank account number, enter it once more.",
        "es": "Ese parece el número de una tarjeta. No podemos aceptar tarjetas. Marque el número que está abajo en su cheque. "
        "Si es un número de cuenta de banco, márquelo otra vez.",
    },
    "not_same": {
        "en": "The two account numbers are not the same.",
        "es": "Los dos números de cuenta no son iguales.",
    },
    "unusable": {
        "en": "We cannot take a payment from this bank account. Use another account.",
        "es": "No podemos cobrar de esta cuenta de banco. Use otra cuenta.",
    },
    "take_your_time": {"en": "Take your time.", "es": "Tómese su tiempo."},
    # Who authorizes, where no name may be said
    "by_member_id": {
        "en": "the member with Member ID {number}",
        "es": "el miembro con el número de miembro {number}",
    },
    "by_phone": {
        "en": "the member with the phone number {number}",
        "es": "el miembro con el teléfono {number}",
    },
    # When the call ends without a payment
    "no_payment": {"en": "No payment was made.", "es": "No se hizo ningún pago."},
    "elsewhere": {
        "en": "On this line you can pay only from an account in the member's name. To pay from another account, go to "
        "{website} and choose Pay as a guest.",
        "es": "En esta línea solo puede pagar de una cuenta a nombre del miembro. Para pagar de otra cuenta, visite "
        "{website} y pague como invitado.",
    },
    "cannot_pay": {
        "en": "This bill can no longer be paid on this line.",
        "es": "Esta factura ya no se puede pagar en esta línea.",
    },
    "help_line": {
        "en": "People can help you at {help_line}, T T Y {tty}, {hours}. You can also pay at {website}.",
        "es": "Podemos ayudarle en el {help_line}, T T Y {tty}. También puede pagar en {website}.",
    },
}
BILLS = {
    "en": {Product.HEALTH: "health", Product.DENTAL: "dental"},
    "es": {Product.HEALTH: "de salud", Product.DENTAL: "dental"},
}
KINDS = {
    "en": {"checking": "checking", "savings": "savings"},
    "es": {"checking": "corriente", "savings": "de ahorros"},
}


def say(key: str, /, *, language: str, **facts: Any) -> Line:
    """One thing that is said, in a language."""
    return Line(language, WORDS[key][language].format(**_list_places(), **facts))


def say_help(*, language: str) -> tuple[Line, ...]:
    """How a call ends without a payment: that there was none, and who helps."""
    return tuple(say(key, language=language) for key in ("no_payment", "help_line", "goodbye"))


def name_bill(*, payable: Payable, language: str) -> str:
    """A bill as it is said beside that word: "health", with its coverage year where there are two of them."""
    name = BILLS[language][Product(payable.product)]
    return f"{name} {payable.coverage}" if payable.label.endswith(payable.coverage) else name


def speaking(language: str) -> Any:
    """Whatever is written inside is in the language of the call."""
    return translation.override(language)


def _list_places() -> dict[str, str]:
    """The exchange's name and the ways on, as settings have them."""
    exchange = settings.EXCHANGE
    return {
        "exchange": exchange["name"],
        "help_line": exchange["help_line"],
        "tty": exchange["tty"],
        "hours": exchange["hours"],
        "website": settings.PORTAL_URL.split("//", 1)[-1].rstrip("/"),
    }
