from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    name = "payments"

    def ready(self) -> None:
        from billing.correction_kinds import register_kind
        from billing.models import CorrectionKind
        from payments.received_dates import RULE

        register_kind(kind=CorrectionKind.RECEIVED_DATE, rule=RULE)
