"""The wiring, as Django sees it: commands, checks, logs."""

from django.apps import AppConfig


class ConnectorPayConfig(AppConfig):
    """Holds the commands that see every app."""

    name = "connector_pay"
    verbose_name = "Connector Pay"

    def ready(self) -> None:
        """Route logs, and register the deployment checks."""
        from connector_pay import checks  # noqa: F401  (registers itself)
        from connector_pay.lib import logs

        logs.configure()
