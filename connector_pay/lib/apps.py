from django.apps import AppConfig
from django.db.models import Field
from django.db.models.fields.related import ForeignObject

from connector_pay.lib.among import Among


class LibConfig(AppConfig):
    name = "connector_pay.lib"
    label = "lib"
    verbose_name = "Clock and jobs"

    def ready(self) -> None:
        """Teach every field to be asked for one of many values."""
        Field.register_lookup(Among)
        ForeignObject.register_lookup(Among)
