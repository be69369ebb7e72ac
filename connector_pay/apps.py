"""The wiring, as Django sees it: commands, checks, logs."""

from django.apps import AppConfig


class ConnectorPayConfig(AppConfig):
    """Holds the commands that see every app."""

    name = "connector_pay"
    verbose_name = "Connector Pay"

    def ready(self) -> None:
        """Route logs, register the deployment checks, and keep the staff's roles in step with their table."""
        from connector_pay import checks, history_admin, roles, staff_admin  # noqa: F401  (they register themselves)
        from connector_pay.lib import logs

        logs.configure()
        roles.follow_migrations()
