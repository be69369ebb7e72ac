"""Connector Pay: the wiring of the portal."""

from connector_pay.celery import app as celery_app

__all__ = ["celery_app"]
