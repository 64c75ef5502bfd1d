"""Settings of who may enter and from where: what a mode needs, and what is no origin or budget."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from settings import Settings, SettingsError, load

GOOD = "aZ3-kW9_qT7.rB2+xN5~vC8!mL4^pD6e"


def read(**environ: str) -> Settings:
    return load(environ, Path("/nowhere/.env")).settings


def refused(**environ: str) -> str:
    with pytest.raises(SettingsError) as found:
        read(**environ)
    return str(found.value)


def test_accounts_need_a_secret_and_may_listen_everywhere() -> None:
    settings = read(AUTH_MODE="password", CHAINLIT_AUTH_SECRET=GOOD, HOST="0.0.0.0")
    assert (settings.auth_mode, settings.host) == ("password", "0.0.0.0")
    assert "AUTH_MODE=password needs CHAINLIT_AUTH_SECRET" in refused(AUTH_MODE="password")
    assert "HOST=0.0.0.0" in refused(HOST="0.0.0.0", CHAINLIT_AUTH_SECRET=GOOD)


@pytest.mark.parametrize(
    "weak",
    [
        GOOD[:31],
        "a" * 64,
        "ab" * 32,
        "secret" * 10,
        "changeme-" * 8,
        "1234567" * 9,
        "0123456789" * 4,
    ],
)
@pytest.mark.parametrize("mode", ["local", "password"])
def test_a_weak_secret_stops_the_start_without_being_said(mode: str, weak: str) -> None:
    said = refused(AUTH_MODE=mode, CHAINLIT_AUTH_SECRET=weak)
    assert said.startswith("CHAINLIT_AUTH_SECRET (from environment): ")
    assert weak not in said


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://kinora.example", "https://kinora.example"),
        ("https://Kinora.Example/", "https://kinora.example"),
        ("https://kinora.example:443", "https://kinora.example"),
        ("http://kinora.example:443", "http://kinora.example:443"),
        ("http://[FD00::1]:8000", "http://[fd00::1]:8000"),
    ],
)
def test_the_public_address_is_kept_as_browsers_write_it(given: str, kept: str) -> None:
    assert read(PUBLIC_URL=given).public_url == kept
    assert read(ALLOWED_ORIGINS=given.rstrip("/")).allowed_origins == (kept,)


@pytest.mark.parametrize(
    "wrong",
    [
        *("kinora.example", "https://", "ftp://kinora.example", "https://kinora.example/path"),
        *("https://kinora.example?x", "https://kinora.example#x", "https://u:p@kinora.example"),
        *("https://*.example", "*", "null", "https://kinora.example:0", "https://k.example:99999"),
        *("https://bücher.example", "https://a.example\\@b.example", "file:///x"),
    ],
)
def test_what_is_no_origin_stops_the_start(wrong: str) -> None:
    assert refused(PUBLIC_URL=wrong).startswith("PUBLIC_URL (from environment): ")
    assert refused(ALLOWED_ORIGINS=f"https://ok.example,{wrong}").startswith("ALLOWED_ORIGINS (")


def test_several_origins_stand_beside_each_other() -> None:
    found = read(ALLOWED_ORIGINS=" https://a.example, http://b.example:3000 ").allowed_origins
    assert found == ("https://a.example", "http://b.example:3000")
    assert read().allowed_origins == ()


def test_budgets_are_exact_and_limits_are_whole_numbers() -> None:
    settings = read(BUDGET_USD_PER_DAY="1.10", BUDGET_USD_PER_USER_PER_DAY="0")
    assert settings.budget_usd_per_day == Decimal("1.10")
    assert settings.budget_usd_per_user_per_day == 0
    assert (read().budget_usd_per_day, read().max_in_flight_per_user) == (None, 20)
    assert (read().requests_per_minute, read(REQUESTS_PER_MINUTE="0").requests_per_minute) == (
        1200,
        0,
    )


@pytest.mark.parametrize(
    "name",
    [
        *("BUDGET_USD_PER_DAY", "BUDGET_USD_PER_USER_PER_DAY"),
        *("MAX_IN_FLIGHT_PER_USER", "REQUESTS_PER_MINUTE"),
    ],
)
@pytest.mark.parametrize("value", ["-1", "five", "1e999", "NaN", "Infinity", "$5", "1,5"])
def test_a_limit_that_is_none_stops_the_start(name: str, value: str) -> None:
    assert refused(**{name: value}).startswith(f"{name} (from environment): ")
