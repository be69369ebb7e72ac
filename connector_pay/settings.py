"""Every setting of the portal, each read once from the environment as NAME, or from the file that
NAME_FILE names.

`manage.py check --deploy` names whatever is missing or dangerous in production; `.env.example` lists what
to fill in.
"""

from pathlib import Path
from typing import Any

import pghistory
from csp.constants import NONE, SELF

from connector_pay import design_system
from connector_pay.lib.environment import (
    Environment,
    pad_routing_number,
    read_address,
    read_database_address,
    read_database_url,
    read_fields,
    read_keys,
    read_seconds,
    redis_for_celery,
)

env = Environment()
BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env.text("DATA_DIR", str(BASE_DIR / ".data")))

# --- Where it runs ------------------------------------------------------------------------------------------
DEMO_MODE = env.boolean("DEMO_MODE", default=False)
DEBUG = env.boolean("DEBUG", default=False)
SECRET_KEY = env.text("SECRET_KEY", "")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"] if DEMO_MODE else [])
CSRF_TRUSTED_ORIGINS: list[str] = env.words("CSRF_TRUSTED_ORIGINS", [])
PORTAL_URL = env.read("PORTAL_URL", "http://127.0.0.1:8000", how=read_address, instead="")
BEHIND_HTTPS = env.boolean("BEHIND_HTTPS", default=not DEMO_MODE)
# How many proxies of ours stand before gunicorn: only that many X-Forwarded-For entries are believed.
TRUSTED_PROXIES = env.number("TRUSTED_PROXIES", 0, highest=100)

# --- Sealed values: AES-GCM key ring ("id:base64", the first seals) and the key of the blind index ----------
SEALING_KEYS: dict[str, bytes] = env.read("SEALING_KEYS", how=read_keys, instead={})
BLIND_INDEX_KEY = env.text("BLIND_INDEX_KEY", "")

# --- PostgreSQL: the owner migrates, the application works under a role that cannot rewrite the books -------
APPLICATION_ROLE = "connector_pay_app"
DATABASE_URL = env.read("DATABASE_URL", how=read_database_address, instead="")
DATABASE_OWNER_URL = env.read("DATABASE_OWNER_URL", how=read_database_address, instead="")
DATABASE_AS_OWNER = env.boolean("DATABASE_AS_OWNER", default=False)
DATABASES: dict[str, dict[str, Any]] = {
    "default": read_database_url(
        url=(DATABASE_OWNER_URL or DATABASE_URL) if DATABASE_AS_OWNER else DATABASE_URL,
        # With one login for both, the application steps down to its own role at connection.
        role=None if DATABASE_AS_OWNER or DATABASE_OWNER_URL else APPLICATION_ROLE,
        keep_for_seconds=env.number("DATABASE_KEEP_SECONDS", 60),
    )
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Redis and Celery: they only wake work up, the database is the truth ------------------------------------
REDIS_URL = env.read("REDIS_URL", how=read_address, instead="")
CACHES = {
    "default": {
        "BACKEND": "connector_pay.lib.resting_redis.RestingRedisCache",
        "LOCATION": REDIS_URL,
        # A Redis that does not answer must not hold up a page.
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1},
    }
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}
}
CELERY_BROKER_URL = redis_for_celery(REDIS_URL)
CELERY_TIMEZONE = "America/New_York"
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "socket_timeout": 5,
    "socket_connect_timeout": 5,
}
# How many parts of a long run, such as a month's bills, are done at once, each over a database connection of its own.
RUN_LANES = env.number("RUN_LANES", 2, lowest=1, highest=16)

# --- Applications -------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "connector_pay.admin.PortalAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "axes",
    "csp",
    "crispy_forms",
    "django_structlog",
    "phonenumber_field",
    "pgtrigger",
    "pghistory",
    "connector_pay",
    "connector_pay.lib",
    "members",
    "billing",
    "payments",
]
MIDDLEWARE = [
    "connector_pay.health.answer_probes",
    "django.middleware.security.SecurityMiddleware",
    "connector_pay.storable.refuse_encodings",
    "connector_pay.storable.refuse_nul",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "connector_pay.languages.speak",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "members.staff_sessions.end_stale",
    "connector_pay.history.note_who",
    "connector_pay.lib.request_log.RequestLog",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "connector_pay.urls"
WSGI_APPLICATION = "connector_pay.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "connector_pay.context.exchange",
            ],
            "builtins": ["connector_pay.lib.templatetags.exchange"],
        },
    }
]
CRISPY_ALLOWED_TEMPLATE_PACKS = "uswds"
CRISPY_TEMPLATE_PACK = "uswds"

# --- Language, time, place ----------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LOCALE_PATHS = [BASE_DIR / "connector_pay" / "locale"]
# Pages are offered in a language once its catalog ships; what members are told is in their own, by its templates.
LANGUAGES = [
    ("en", "English"),
    *[("es", "Español") for folder in LOCALE_PATHS if (folder / "es/LC_MESSAGES/django.mo").is_file()],
]
LANGUAGE_COOKIE_AGE = 365 * 24 * 60 * 60
USE_I18N = True
USE_TZ = True
TIME_ZONE = "America/New_York"
PHONENUMBER_DEFAULT_REGION = "US"
PHONENUMBER_DB_FORMAT = "E164"

# --- Static files: the design system is installed, our own sheet is in static/ ------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = Path(env.text("STATIC_ROOT", str(DATA_DIR / "static")))
STATICFILES_DIRS = [BASE_DIR / "static", design_system.FOLDER]
DOCUMENT_FONTS = design_system.COPY / design_system.DOCUMENT_FONTS
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# --- Sign-in ------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "members.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "members.sign_in.PortalAccountAdapter"
# Members sign in by email, staff by username; whoever types the other is let in too.
ACCOUNT_LOGIN_METHODS = {"email", "username"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "front_door"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_FORMS = {
    "login": "members.password_forms.LoginForm",
    "reset_password": "members.password_forms.ResetPasswordForm",
    "reset_password_from_key": "members.password_forms.NewPasswordForm",
    "change_password": "members.password_forms.ChangePasswordForm",
    "set_password": "members.password_forms.SetPasswordForm",
    "reauthenticate": "members.password_forms.ReauthenticateForm",
}
MFA_ADAPTER = "members.second_step.PortalMFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
# A code that was typed just before it changed, or on a phone whose clock is a little off.
MFA_TOTP_TOLERANCE = 1
MFA_FORMS = {
    "authenticate": "members.password_forms.SecondStepForm",
    "reauthenticate": "members.password_forms.SecondStepAgainForm",
    "activate_totp": "members.password_forms.ActivateSecondStepForm",
    "add_webauthn": "members.password_forms.AddPasskeyForm",
}
# One person's failures from everywhere together: so many that no single address can keep a member out.
ACCOUNT_RATE_LIMITS = {"login_failed": "10/m/ip,100/h/key", "reauthenticate": "5/m/user,20/h/user"}
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_TEMPLATE = "429.html"
# Whoever fails is counted under their username, however they named themselves, from where our proxies say they are.
AXES_USERNAME_CALLABLE = "members.sign_in.read_username"
AXES_CLIENT_IP_CALLABLE = "connector_pay.lib.addresses.read_network"
AXES_HTTP_RESPONSE_CODE = 429
AXES_ENABLE_ADMIN = False
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address"]

# --- Sessions and browser security --------------------------------------------------------------------------
SESSION_COOKIE_AGE = 30 * 60
STAFF_IDLE_SECONDS = 15 * 60
STAFF_SIGNED_IN_SECONDS = 8 * 60 * 60
SESSION_SAVE_EVERY_REQUEST = True
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = SECURE_SSL_REDIRECT = BEHIND_HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_HSTS_SECONDS = 31_536_000 if BEHIND_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = BEHIND_HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}
PERMISSIONS_POLICY: dict[str, list[str]] = {
    name: []
    for name in ("camera", "geolocation", "microphone", "payment", "usb", "accelerometer", "gyroscope")
}

# --- History of what people edit: kept by triggers of the database, with who and where in each row ----------
PGHISTORY_APPEND_ONLY = True
PGHISTORY_CONTEXT_FIELD = pghistory.ContextJSONField()
PGHISTORY_OBJ_FIELD = pghistory.ObjForeignKey(related_name="+")

# --- Mail ---------------------------------------------------------------------------------------------------
EMAIL_BACKEND = env.text(
    "EMAIL_BACKEND",
    "django.core.mail.backends.filebased.EmailBackend"
    if DEMO_MODE
    else "django.core.mail.backends.smtp.EmailBackend",
)
EMAIL_FILE_PATH = str(DATA_DIR / "outbox")
EMAIL_HOST = env.text("EMAIL_HOST", "localhost" if DEMO_MODE else "")
EMAIL_PORT = env.number("EMAIL_PORT", 25, lowest=1, highest=65535)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = env.boolean("EMAIL_USE_TLS", default=False)
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "Premium Billing <billing@localhost>")

# --- The exchange: its name and the numbers people call -----------------------------------------------------
EXCHANGE = {
    "name": env.text("EXCHANGE_NAME", "State Health Connector"),
    "portal_name": env.text("PORTAL_NAME", "Connector Pay"),
    "help_line_words": env.text("HELP_LINE_WORDS", "1-877-MA-ENROLL"),
    "help_line": env.text("HELP_LINE", "1-877-623-6765"),
    "tty": env.text("HELP_LINE_TTY", "711"),
    "hours": env.text("HELP_LINE_HOURS", "Monday to Friday, 8 a.m. to 6 p.m. Eastern"),
    "hours_es": env.text("HELP_LINE_HOURS_ES", "De lunes a viernes, de 8 a. m. a 6 p. m., hora del Este"),
    "website_url": env.text("EXCHANGE_URL", "https://www.mahealthconnector.org"),
    "assister_url": env.text("ASSISTER_URL", "https://my.mahealthconnector.org/enrollment-assisters"),
    "legal_aid_url": env.text("LEGAL_AID_URL", "https://www.masslegalhelp.org"),
    "pay_by_phone": env.text("PAY_BY_PHONE", "1-877-623-6765"),
}

# --- Premium rules: every field of billing.policy.Policy may be set here ------------------------------------
# A demo is looked at by many people behind one address, so its look-up limits are wider.
_DEMO_POLICY = {"guest_find_per_address": 60, "guest_find_per_identifier": 60} if DEMO_MODE else {}
_OUR_POLICY: dict[str, Any] = env.read("PREMIUM_POLICY", how=read_fields, instead={})
PREMIUM_POLICY = _DEMO_POLICY | _OUR_POLICY
GUEST_IDENTIFICATION = env.text("GUEST_IDENTIFICATION", "open")

# --- The payment line: the carrier's webhooks are signed with its token; without one no call is taken --------
PHONE_TOKEN = env.text("PHONE_TOKEN", "").strip()

# --- The bank's lockbox: the numbers of those that are ours; without one no lockbox file is taken ------------
LOCKBOX_NUMBERS = env.words("LOCKBOX_NUMBERS", ["0097006"] if DEMO_MODE else [])

# --- The bank -----------------------------------------------------------------------------------------------
BANK_DRIVER = env.text("BANK_DRIVER", "sandbox")
BANK_FOLDER = env.text("BANK_FOLDER", "")
SFTP: dict[str, Any] = {
    "host": env.text("SFTP_HOST", ""),
    "port": env.number("SFTP_PORT", 22, lowest=1, highest=65_535),
    "user": env.text("SFTP_USER", ""),
    "host_key": env.text("SFTP_HOST_KEY", ""),
    "key": env.text("SFTP_KEY", ""),
    # A file that holds it may end with a line end.
    "password": env.text("SFTP_PASSWORD", "").rstrip("\r\n"),
    "outgoing": env.text("SFTP_OUTGOING", "outgoing"),
    "incoming": env.text("SFTP_INCOMING", "incoming"),
    "timeout_seconds": env.number("SFTP_TIMEOUT_SECONDS", 30),
    "files_stay": env.boolean("SFTP_FILES_STAY", default=False),
}
SANDBOX_BANK = "payments.bank.sandbox.SandboxBank"
SANDBOX_BANK_SEED = 0  # of the bad days that a simulation's bank has
SANDBOX_BANK_DIR = Path(env.text("SANDBOX_BANK_DIR", str(DATA_DIR / "sandbox_bank")))
BANK_VALIDATION_METHODS = env.words(
    "BANK_VALIDATION_METHODS",
    ["history", "instant", "manual"] if DEMO_MODE else ["history", "prenote", "manual"],
)
INSTANT_VALIDATION_URL = env.text("INSTANT_VALIDATION_URL", "")
INSTANT_VALIDATION_TOKEN = env.text("INSTANT_VALIDATION_TOKEN", "")
INSTANT_VALIDATION_SECONDS = env.read("INSTANT_VALIDATION_SECONDS", "5", how=read_seconds, instead=5.0)
ACH = {
    "immediate_destination": pad_routing_number(
        env.text("ACH_IMMEDIATE_DESTINATION", "011000015" if DEMO_MODE else "")
    ),
    "immediate_origin": pad_routing_number(
        env.text("ACH_IMMEDIATE_ORIGIN", "1234567890" if DEMO_MODE else "")
    ),
    "destination_name": env.text("ACH_DESTINATION_NAME", "SANDBOX BANK" if DEMO_MODE else ""),
    "origin_name": env.text("ACH_ORIGIN_NAME", "STATE HEALTH CONNECTOR" if DEMO_MODE else ""),
    "company_name": env.text("ACH_COMPANY_NAME", "HEALTH CONNECTR" if DEMO_MODE else ""),
    "company_id": env.text("ACH_COMPANY_ID", "1234567890" if DEMO_MODE else ""),
    "entry_description": env.text("ACH_ENTRY_DESCRIPTION", "PREMIUM"),
    "odfi": env.text("ACH_ODFI", "01100001" if DEMO_MODE else ""),
}
ACH_LINE_END = env.text("ACH_LINE_END", "lf")
ACH_LINES_PER_FILE = env.number("ACH_LINES_PER_FILE", 1_000_000, highest=99_999_999)
ACH_OFFSET_ACCOUNT = env.text("ACH_OFFSET_ACCOUNT", "")

# --- Logs: one line of JSON an event, nothing sensitive in it -----------------------------------------------
# The ids in the log are ours: whoever asks could write anything into theirs.
DJANGO_STRUCTLOG_TRUST_UPSTREAM_REQUEST_ID = DJANGO_STRUCTLOG_TRUST_UPSTREAM_CORRELATION_ID = False
LOG_LEVEL = env.choice("LOG_LEVEL", "INFO", among=("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "connector_pay.lib.logs.make_formatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        "axes": {"level": "ERROR"},
        "django_structlog": {"level": "WARNING"},
        "paramiko": {"level": "WARNING"},
    },
}

env.finish()
