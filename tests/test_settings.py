"""Settings: what is refused, what is ignored, what wins, and that no secret is ever said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from settings import (
    NOT_YET_IGNORED,
    Loaded,
    Settings,
    SettingsError,
    child_environment,
    load,
)

Load = Callable[..., Loaded]
SECRET = "kept-between-us-0123456789abcdef-0123456789"
DATABASE = f"postgresql://kinora:{SECRET}@db.example/kinora"
NAMES = [field.upper() for field in Settings.model_fields]
BASE_URLS = [name for name in NAMES if name.endswith("_BASE_URL")]


@pytest.fixture
def loaded(tmp_path: Path) -> Load:
    """Load from an environment (keywords) and a `.env` of this text."""

    def load_from(env_file: str | bytes = "", /, **environ: str) -> Loaded:
        path = tmp_path / ".env"
        path.write_bytes(env_file if isinstance(env_file, bytes) else env_file.encode())
        return load(environ, path)

    return load_from


def refusal(load_from: Callable[[], Loaded]) -> str:
    """The one line that stops the start."""
    with pytest.raises(SettingsError) as refused:
        load_from()
    line = str(refused.value)
    assert line
    assert "\n" not in line
    assert SECRET not in line
    return line


def test_with_nothing_set_everything_has_its_default(loaded: Load, tmp_path: Path) -> None:
    settings = loaded().settings
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.runpod_base_url == "https://api.runpod.ai/v2"
    assert settings.fal_base_url == "https://queue.fal.run"
    assert settings.replicate_base_url == "https://api.replicate.com/v1"
    assert settings.bfl_base_url == "https://api.bfl.ai/v1"
    assert settings.gemini_base_url == "https://generativelanguage.googleapis.com"
    assert (settings.images_base_url, settings.comfyui_base_url) == (None, None)
    assert (settings.auth_mode, settings.log_format) == ("local", "console")
    assert settings.worker == "on"
    assert load({}, tmp_path / "no such file").settings == settings


def test_the_environment_wins_and_each_value_knows_where_it_came_from(loaded: Load) -> None:
    found = loaded("PORT=9000\nCHAT_MODEL=qwen\nLOG_FORMAT=json", PORT="9001", LOG_FORMAT="json")
    assert (found.settings.port, found.settings.chat_model) == (9001, "qwen")
    assert found.origin("port") == "environment"
    assert found.origin("chat_model") == ".env"
    assert found.origin("host") == "built in"
    # Chainlit copies `.env` into the environment; what says the same was configured in the file.
    assert found.origin("log_format") == ".env"
    assert found.named_origin("chat_model") == "CHAT_MODEL, .env"
    assert found.named_origin(None) == "built in"


def test_an_empty_value_is_none(loaded: Load) -> None:
    found = loaded("PORT=9000\nOPENAI_API_KEY=\nBUDGET_USD_PER_DAY=", PORT="", RUNPOD_API_KEY="")
    assert found.settings.port == 9000
    assert found.settings.openai_api_key is None
    assert found.settings.runpod_api_key is None
    assert found.origin("openai_api_key") == "built in"


def test_a_file_as_people_write_them_is_understood(loaded: Load) -> None:
    text = "\ufeff# ours\r\n\r\nexport PORT = 9000  # the port\r\nCHAT_MODEL='a b'\r\n"
    found = loaded(text)
    assert (found.settings.port, found.settings.chat_model) == (9000, "a b")


@pytest.mark.parametrize("value", ["1", ""])
@pytest.mark.parametrize("name", ["OPENAI_KEY", "openai_api_key", "PATH", "FAL", "BUDGET"])
def test_a_name_nobody_knows_in_the_file_stops_the_start(
    loaded: Load, name: str, value: str
) -> None:
    assert refusal(lambda: loaded(f"{name}={value}")).startswith(f"{name} in .env is no setting")


@pytest.mark.parametrize(
    "name", ["CHAINLIT_HOST", "OAUTH_GOOGLE_CLIENT_ID", "AWS_PROFILE", "UVICORN_WORKERS"]
)
def test_names_of_others_are_left_to_them(loaded: Load, name: str) -> None:
    assert loaded(f"{name}=x").ignored == []


def test_the_environment_may_hold_what_it_likes(loaded: Load) -> None:
    assert loaded(OPENAI_KEY="x", PATH="/bin", Port="nonsense").ignored == []


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"PORT=9000\n\n\nOPENAI_API_KEY {SECRET}\n", 4),
        (f"{SECRET}\n", 1),
        (f"PORT=9000\n'{SECRET}\n", 2),
        (f"OPENAI_API_KEY='{SECRET}\n", 1),
        ("OPENAI_API_KEY\n", 1),
        ("=1", 1),
    ],
)
def test_a_line_that_is_no_setting_is_named_by_its_number(
    loaded: Load, text: str, line: int
) -> None:
    assert refusal(lambda: loaded(text)) == f".env line {line} is not NAME=value"


def test_a_file_in_another_encoding_stops_the_start(loaded: Load) -> None:
    said = refusal(lambda: loaded("CHAT_MODEL=modèle".encode("latin-1")))
    assert said == ".env cannot be read as a text in UTF-8"


@pytest.mark.parametrize("name", sorted(NOT_YET_IGNORED))
def test_what_is_not_in_force_stops_the_start_when_it_stands_in_the_file(
    loaded: Load, name: str
) -> None:
    said = refusal(lambda: loaded(f"{name}={SECRET}"))
    assert said.startswith(f"{name} in .env has no effect")


@pytest.mark.parametrize(
    "url", ["files", "file://relative", "s3://", "s3://UPPER/x", "s3://kept/../x", "ftp://kept"]
)
def test_what_is_no_storage_stops_the_start_and_says_what_one_is(loaded: Load, url: str) -> None:
    assert "s3://bucket/prefix" in refusal(lambda: loaded(STORAGE_URL=url))


def test_half_a_key_of_a_bucket_stops_the_start(loaded: Load) -> None:
    said = refusal(lambda: loaded(STORAGE_URL="s3://kept", AWS_ACCESS_KEY_ID=SECRET))
    assert "AWS_SECRET_ACCESS_KEY" in said


def test_what_other_programs_may_need_is_ignored_and_named(loaded: Load) -> None:
    assert {"VIDEOS_API_KEY", "SENTRY_DSN"} <= NOT_YET_IGNORED
    found = loaded(VIDEOS_API_KEY="x", SENTRY_DSN="y", A1111_BASE_URL="")
    assert found.ignored == ["SENTRY_DSN", "VIDEOS_API_KEY"]


@pytest.mark.parametrize("mode", ["oauth", "header", "Local", "local,password"])
def test_no_other_way_in_is_there_yet(loaded: Load, mode: str) -> None:
    assert "AUTH_MODE" in refusal(lambda: loaded(AUTH_MODE=mode))
    assert "AUTH_MODE" in refusal(lambda: loaded(f"AUTH_MODE={mode}"))
    assert loaded("AUTH_MODE=local", AUTH_MODE="local").settings.auth_mode == "local"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_local_mode_listens_at_loopback(loaded: Load, host: str) -> None:
    assert loaded(HOST=host).settings.host == host


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "192.168.1.5", "127.0.0.1.evil.example", "127.1", "[::1]", " "]
)
def test_local_mode_is_never_shown_to_the_network(loaded: Load, host: str) -> None:
    assert "HOST" in refusal(lambda: loaded(HOST=host))
    assert "HOST" in refusal(lambda: loaded(f"HOST='{host}'"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", SECRET),
        *(("PORT", value) for value in ("0", "65536", "-1", "8000.5", "http")),
        ("LOG_FORMAT", SECRET),
        ("LOG_FORMAT", "JSON"),
        *(("WORKER", value) for value in (SECRET, "On", "0", "false")),
        ("CHAINLIT_AUTH_SECRET", SECRET[:31]),
        *(
            (name, value)
            for name in BASE_URLS
            for value in (
                *(SECRET, f"ftp://{SECRET}", "http://", "https:///v1", "http://[::1/v1"),
                *("http://h:99999", "http://h:0", f"http://h:{SECRET}", "http://a b/", " http://h"),
            )
        ),
        *(
            (name, value)
            for name in ("DATABASE_URL", "DATABASE_LISTEN_URL")
            for value in (
                *(SECRET, f"mysql://u:{SECRET}@h/db", f"host=h password={SECRET}"),
                # These two libpq repeats in its complaint, password and all.
                *(f"postgresql://u:{SECRET}@[::1/db", f"postgresql://u:{SECRET}@[::1]x/db"),
                # And this is what becomes of a password that was not escaped.
                *(f"postgresql://u:p@{SECRET}@h/db", f"postgresql://u:{SECRET}/p@h/db"),
                *(f"postgresql://u:%zz{SECRET}@h/db", f"postgresql://u:{SECRET}@h/db?nothing=1"),
            )
        ),
    ],
)
def test_a_malformed_value_stops_the_start_without_being_repeated(
    loaded: Load, name: str, value: str
) -> None:
    said = refusal(lambda: loaded(**{name: value}))
    assert said.startswith(f"{name} (from environment): ")
    assert SECRET[:31] not in said
    assert refusal(lambda: loaded(f'{name}="{value}"')).startswith(f"{name} (from .env): ")


@pytest.mark.parametrize(
    "url",
    [
        DATABASE,
        "postgres://db.example",
        "postgresql://u:p%40ss%2Fword@db.example:5432/kinora?sslmode=require",
        "postgresql://u@a.example:5432,b.example:5433/kinora?target_session_attrs=primary",
        "postgresql://postgres@/kinora?host=/run/a%20b/postgresql",
        "postgresql://u@[::1]:5432/kinora",
    ],
)
def test_every_address_of_a_postgres_is_taken_as_it_stands(loaded: Load, url: str) -> None:
    found = loaded(DATABASE_URL=url).settings.database_url
    assert found is not None
    assert found.get_secret_value() == url


def test_addresses_lose_their_last_slash_and_nothing_else(loaded: Load) -> None:
    settings = loaded(
        OPENAI_BASE_URL="http://[::1]:11434/v1/", RUNPOD_BASE_URL="https://h.example/v2"
    ).settings
    assert settings.openai_base_url == "http://[::1]:11434/v1"
    assert settings.runpod_base_url == "https://h.example/v2"


def test_no_secret_is_ever_shown(loaded: Load) -> None:
    secrets = [name for name in NAMES if name.endswith(("_KEY", "_KEY_ID", "_TOKEN", "_SECRET"))]
    assert len(secrets) == 10
    found = loaded(
        **dict.fromkeys(secrets, SECRET), DATABASE_URL=DATABASE, DATABASE_LISTEN_URL=DATABASE
    )
    settings = found.settings
    shown = [repr(settings), str(settings), repr(settings.model_dump()), repr(vars(found))]
    shown += [settings.model_dump_json(), found.named_origin("openai_api_key")]
    assert [text for text in shown if SECRET in text] == []


def test_settings_do_not_change_once_they_are_read(loaded: Load) -> None:
    settings = loaded().settings
    with pytest.raises(ValueError, match="frozen"):
        settings.port = 9000  # type: ignore[misc]


def test_a_child_process_is_given_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in Settings.model_fields:
        monkeypatch.setenv(field.upper(), SECRET)
    for name in NOT_YET_IGNORED:
        monkeypatch.setenv(name, SECRET)
    assert SECRET not in child_environment().values()
    assert "PATH" in child_environment()
