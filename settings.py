"""Every knob of Kinora: its unit, its default, one sentence. The only file that reads the
environment.

A value comes from the environment or from `.env` (the environment wins). `load()` refuses the start
with one clear line for a malformed value, for a name in `.env` that nobody knows, and for a setting
whose feature is not in force yet: a budget that is silently ignored would be the worst case.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from provider_settings import ProviderSettings
from setting_forms import (
    SECRET_BYTES_MIN,
    Unreadable,
    is_simple,
    is_understood_by_postgres,
    leads_somewhere,
    origin_of,
    origins_in,
    read_env_file,
)
from storage_settings import StorageSettings

VERSION = "0.1.0"
ROOT = Path(__file__).resolve().parent
USD_MAX = 1_000_000_000
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")
NEW_SECRET = "for example the output of: openssl rand -base64 48"

#: Settings of a later version that other programs may need, too: named at the start, not used; in
#: `.env`, which is ours, they are refused.
NOT_YET_IGNORED = frozenset(
    {
        *("VIDEOS_API_KEY", "VIDEOS_BASE_URL", "A1111_BASE_URL", "CONFIRM_ABOVE_USD"),
        *("SENTRY_DSN", "OTEL_EXPORTER_OTLP_ENDPOINT"),
    }
)
#: Names in `.env` that belong to somebody else and are left to them.
FOREIGN_PREFIXES = ("CHAINLIT_", "OAUTH_", "AWS_", "UVICORN_", "FORWARDED_ALLOW_IPS")


class SettingsError(Exception):
    """A setting stops the start; the message is one line for the person who set it."""


class Settings(ProviderSettings, StorageSettings):
    """All settings, read once and passed on. Field names are the environment's names in lower
    case.
    """

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", env_ignore_empty=True, hide_input_in_errors=True
    )

    database_url: SecretStr | None = Field(
        None, description="Postgres 14 or newer as a URL; unset: an embedded one in DATA_DIR."
    )
    database_listen_url: SecretStr | None = Field(
        None, description="Direct connection for LISTEN and locks beside a transaction pooler."
    )
    data_dir: Path | None = Field(
        None, description="Folder of the embedded database, files, secret and demo provider."
    )
    host: str = Field("127.0.0.1", description="Address the server listens on.")
    port: int = Field(8000, ge=1, le=65535, description="Port the server listens on.")
    openai_api_key: SecretStr | None = Field(
        None, description="Key of the chat model's server; unset with no base URL: demo model."
    )
    openai_base_url: str | None = Field(
        None, description="Any OpenAI-compatible server for the chat, with its /v1."
    )
    chat_model: str | None = Field(
        None, description="Name of the chat model on that server; unset: a current default."
    )
    models_file: Path | None = Field(
        None, description="TOML of models added to, or replacing, the built-in catalogue."
    )
    log_format: Literal["console", "json"] = Field(
        "console", description="Log lines for people or for machines."
    )
    demo_base_url: str | None = Field(
        None, description="A demo provider that runs elsewhere, without its /v1 or /v2."
    )
    auth_mode: Literal["local", "password"] = Field(
        "local",
        description="Who may enter: `local` is the one user of this machine, `password` accounts.",
    )
    chainlit_auth_secret: SecretStr | None = Field(
        None, description="Signs logins and media addresses; local mode makes and keeps one."
    )
    public_url: str | None = Field(
        None, description="The address by which people and providers reach this installation."
    )
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Origins of other pages that may call, embed and connect; by commas."
    )
    import_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Places at private addresses that imported files may lie at; by commas."
    )
    requests_per_minute: int = Field(
        1200, ge=0, description="Requests of one caller a minute; 0: no limit."
    )
    budget_usd_per_user_per_day: Decimal | None = Field(
        None, ge=0, le=USD_MAX, description="US dollars that one user may spend in a UTC day."
    )
    budget_usd_per_day: Decimal | None = Field(
        None,
        ge=0,
        le=USD_MAX,
        description="US dollars that this installation may spend in a UTC day.",
    )
    max_in_flight_per_user: int = Field(
        20, ge=0, description="Generations of one user at providers at once; 0: no limit."
    )
    worker: Literal["on", "off"] = Field(
        "on", description="Whether the server drives generations itself, or leaves it to workers."
    )

    @field_validator("openai_base_url", "demo_base_url")
    @classmethod
    def _is_http_url(cls, value: str | None) -> str | None:
        if value is not None and not leads_somewhere(value):
            raise ValueError("must be an address that starts with http:// or https://")
        return value.rstrip("/") if value else value

    @field_validator("database_url", "database_listen_url")
    @classmethod
    def _is_postgres_url(cls, value: SecretStr | None) -> SecretStr | None:
        if value and not value.get_secret_value().startswith(("postgresql://", "postgres://")):
            raise ValueError("must start with postgresql://")
        # Not left to the database's driver: its complaints show the whole address, password too.
        if value and not is_understood_by_postgres(value.get_secret_value()):
            raise ValueError(
                "is no address of a Postgres; special characters of a password are written as "
                "%40 for @, %2F for / and so on"
            )
        return value

    @field_validator("chainlit_auth_secret")
    @classmethod
    def _is_hard_to_guess(cls, value: SecretStr | None) -> SecretStr | None:
        if value and len(value.get_secret_value().encode()) < SECRET_BYTES_MIN:
            raise ValueError(f"must have at least {SECRET_BYTES_MIN} bytes; {NEW_SECRET}")
        if value and is_simple(value.get_secret_value()):
            raise ValueError(f"is too easy to guess; {NEW_SECRET}")
        return value

    @field_validator("public_url")
    @classmethod
    def _is_an_origin(cls, value: str | None) -> str | None:
        if value is None:
            return None
        origin = origin_of(value.rstrip("/"))
        if origin is None:
            raise ValueError("must be scheme and host only, such as https://kinora.example.org")
        return origin

    @field_validator("allowed_origins", "import_origins", mode="before")
    @classmethod
    def _are_origins(cls, value: object) -> object:
        return origins_in(value) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _has_what_its_mode_needs(self) -> Self:
        if self.auth_mode == "local" and self.host not in LOOPBACK_HOSTS:
            raise ValueError(
                f"HOST={self.host} would show local mode, which has no login, to the network; "
                "use 127.0.0.1, localhost or ::1, or AUTH_MODE=password"
            )
        self.check_storage()
        if self.auth_mode == "password" and self.chainlit_auth_secret is None:
            raise ValueError(
                f"AUTH_MODE=password needs CHAINLIT_AUTH_SECRET, at least {SECRET_BYTES_MIN} "
                f"bytes; {NEW_SECRET}"
            )
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Values are handed in by `load`, which knows where each came from."""
        return (init_settings,)


class Loaded:
    """Settings, and where each value came from, for the start's messages and the doctor."""

    def __init__(self, settings: Settings, origins: Mapping[str, str], ignored: list[str]) -> None:
        self.settings = settings
        self.ignored = ignored
        self._origins = dict(origins)

    def origin(self, field: str) -> str:
        """Where a field's value was configured: `.env`, `environment` or `built in`."""
        return self._origins.get(field.upper(), "built in")

    def named_origin(self, field: str | None) -> str:
        """The setting that decided something, and where it stands; `built in` for none."""
        return f"{field.upper()}, {self.origin(field)}" if field else "built in"


def load(environ: Mapping[str, str] | None = None, env_file: Path | None = None) -> Loaded:
    """Read the settings from the environment and `.env`.

    Raises:
        SettingsError: one line that names the setting and what is wrong with it, without its value.
    """
    environment = os.environ if environ is None else environ
    path = env_file or ROOT / ".env"
    try:
        named = read_env_file(path)
    except Unreadable as error:
        raise SettingsError(str(error)) from None
    _refuse_strangers(named)
    in_file = {name: value for name, value in named.items() if value}
    ignored = _refuse_what_is_not_in_force(in_file, environment)
    values: dict[str, str] = {}
    origins: dict[str, str] = {}
    for field in Settings.model_fields:
        name = field.upper()
        given, filed = environment.get(name), in_file.get(name)
        if given and given != filed:
            values[field], origins[name] = given, "environment"
        elif filed:
            values[field], origins[name] = filed, ".env"
    try:
        return Loaded(Settings.model_validate(values), origins, ignored)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]).upper() if first["loc"] else ""
        message = first["msg"].removeprefix("Value error, ")
        where = f" (from {origins[name]})" if name in origins else ""
        raise SettingsError(f"{name}{where}: {message}" if name else message) from None


def _refuse_strangers(in_file: Mapping[str, str]) -> None:
    known = {field.upper() for field in Settings.model_fields}
    known |= NOT_YET_IGNORED
    for name in in_file:
        if name not in known and not name.startswith(FOREIGN_PREFIXES):
            raise SettingsError(f"{name} in .env is no setting of Kinora; see docs/settings.md")


def _refuse_what_is_not_in_force(
    in_file: Mapping[str, str], environment: Mapping[str, str]
) -> list[str]:
    """Return the names that stand in the environment only and are ignored."""
    for name in sorted(NOT_YET_IGNORED):
        if in_file.get(name):
            raise SettingsError(f"{name} in .env has no effect in this version; take it out")
    return sorted(name for name in NOT_YET_IGNORED if environment.get(name))


def child_environment() -> dict[str, str]:
    """What a child process of ours is given of the environment: enough to run, none of the keys."""
    names = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "PYTHONDONTWRITEBYTECODE")
    return {name: os.environ[name] for name in names if name in os.environ}


def point_chainlit_here() -> None:
    """Have Chainlit find its folder, wherever we were started; it reads this at its import."""
    os.environ.setdefault("CHAINLIT_APP_ROOT", str(ROOT))
    os.environ["CHAINLIT_ROOT_PATH"] = "/"
    # The cookie that we check before Chainlit sees it.
    os.environ["CHAINLIT_AUTH_COOKIE_NAME"] = "access_token"


def give_chainlit_its_secret(secret: str) -> None:
    """Chainlit reads the secret of its logins from the environment only."""
    os.environ["CHAINLIT_AUTH_SECRET"] = secret


point_chainlit_here()
