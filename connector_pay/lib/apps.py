from django.apps import AppConfig


class LibConfig(AppConfig):
    name = "connector_pay.lib"
    label = "lib"
    verbose_name = "Clock and jobs"
