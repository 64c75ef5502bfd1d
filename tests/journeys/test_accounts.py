"""Accounts as people see them: in by password, out at once, never in somebody else's things."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal, NamedTuple
from uuid import UUID

import httpx
import pytest
from playwright.async_api import Browser, Locator, Page, expect
from sqlalchemy import func, update

from accounts.identity import by_password
from accounts.passwords import Passwords
from accounts.throttle import PER_BOTH
from db import accounts
from db.connect import open_engine
from db.tables import logins
from tests.demo_process import Demo
from tests.house import Served
from tests.journeys.conftest import Visit, new_visit
from tests.journeys.test_accessibility import go_to, nothing_serious
from tests.journeys.test_chat import card
from tests.journeys.test_everyone import no_english, unnamed
from tests.people import PASSWORD, a_person, add_account, serve_people

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

CLOSED_WITHIN_MS = 5000
DIALOG = "dialog.kn-keys[open]"
#: What is written down when Chainlit's page asks who is there and nobody is, and when a socket is
#: closed and refused from then on.
NOBODY, SHUT = "Unauthorized", "WebSocket connection to"


class House(NamedTuple):
    """A server in password mode, and its database."""

    served: Served
    database_url: str


@pytest.fixture(scope="session")
async def house(
    fresh_database: Callable[[str], str], demo: Demo, shared_folder: Path
) -> AsyncIterator[House]:
    url = fresh_database("journeys_accounts")
    settings = {"DATABASE_URL": url, "DEMO_BASE_URL": demo.url}
    async with serve_people(shared_folder / "accounts", **settings) as served:
        yield House(served, url)


async def end_login(house: House, email: str, how: str) -> None:
    """Do what an operator does, or time."""
    engine = open_engine(house.database_url)
    async with engine.begin() as connection:
        account = await accounts.find(connection, by_password(email))
        assert account is not None
        if how == "disabled":
            await accounts.disable(connection, account.id)
        elif how == "new password":
            hashed = await Passwords().hash("another battery")
            await accounts.set_password(connection, account.id, hashed)
        else:
            mine = update(logins).where(logins.c.user_id == account.id)
            await connection.execute(mine.values(expires_at=func.now()))
    await engine.dispose()


async def enter(page: Page, email: str, password: str = PASSWORD) -> None:
    """Fill the login in and send it."""
    await page.fill("#email", email)
    await page.fill("#password", password)
    await page.keyboard.press("Enter")


@asynccontextmanager
async def at_home(
    browser: Browser, house: House, email: str, **options: str
) -> AsyncIterator[Visit]:
    """Somebody with a new account, logged in, in a browser of their own."""
    await add_account(house.database_url, email)
    async with new_visit(browser, house.served.url, **options) as visit:
        await visit.page.goto(visit.url)
        await enter(visit.page, email)
        await visit.page.wait_for_selector("#chat-input")
        yield visit


async def is_out(page: Page) -> None:
    """The page has gone to the login by itself."""
    await page.wait_for_url("**/login", timeout=CLOSED_WITHIN_MS)
    await page.wait_for_selector("#password")
    await expect(page.locator("#chat-input, #thread-history, article")).to_have_count(0)


@pytest.mark.parametrize(
    ("locale", "wrong", "too_many"),
    [
        ("en-US", "Email address or password is wrong", "Too many attempts."),
        ("ru-RU", "Неверная почта или пароль", "Слишком много попыток."),
    ],
)
async def test_a_stranger_is_led_to_the_login_and_told_what_is_wrong(
    browser: Browser, house: House, locale: str, wrong: str, too_many: str
) -> None:
    email = f"guessed-{locale.lower()}@example.org"
    await add_account(house.database_url, email)
    async with new_visit(browser, house.served.url, locale=locale) as visit:
        page = visit.page
        # As over HTTP/2, which has no phrase beside the status.
        await page.add_init_script("""const asked = window.fetch
          window.fetch = async (...given) => Object.defineProperty(
            await asked(...given), 'statusText', {value: ''})""")
        for path in ("/", f"/thread/{UUID(int=1)}"):
            await page.goto(visit.url + path)
            await expect(page).to_have_url(f"{visit.url}/login")
        await page.wait_for_selector("#email[autocomplete=username]")
        password = page.locator("#password[autocomplete=current-password]")
        if locale == "ru-RU":
            await no_english(page, {"Sign in", "Password"})
        before = await page.locator("button[type=submit]").bounding_box()
        await enter(page, email, "not the password")
        await expect(page.locator("form [role=alert]")).to_have_text(wrong)
        await expect(password).to_be_focused()
        assert await page.locator("button[type=submit]").bounding_box() == before
        for _ in range(PER_BOTH):
            await house.served.client.post("/login", data={"username": email, "password": "no"})
        await page.keyboard.press("Enter")
        await expect(page.locator("form [role=alert]")).to_contain_text(too_many)
        visit.calm("status of 401", "status of 429", "/assets/index-")


async def test_keys_are_made_and_revoked_by_keyboard_alone(browser: Browser, house: House) -> None:
    async with at_home(browser, house, "keys@example.org") as visit:
        page = visit.page
        await visit.open()
        visit.errors.clear()
        await open_keys(page)
        await page.keyboard.type("my script")
        await page.keyboard.press("Enter")
        fresh = page.locator(f"{DIALOG} .kn-fresh input")
        await expect(fresh).to_be_focused()
        key = await fresh.input_value()
        bearer = {"Authorization": f"Bearer {key}"}
        async with httpx.AsyncClient(base_url=visit.url, trust_env=False) as outside:
            assert (await outside.get("/api/usage", headers=bearer)).status_code == 200
            # Shown this once: the dialog that is opened again knows its beginning only.
            await page.keyboard.press("Escape")
            await expect(page.locator("#user-nav-button")).to_be_focused()
            await open_keys(page)
            row = page.locator(f"{DIALOG} li")
            await expect(row).to_contain_text("my script")
            await expect(page.locator(f"{DIALOG} .kn-fresh")).to_be_empty()
            await go_to(page.get_by_role("button", name="Revoke: my script"), "Shift+Tab")
            await page.keyboard.press("Enter")
            await page.keyboard.press("Enter")
            await expect(page.locator(".kn-said")).to_have_text("The key is revoked.")
            await expect(row).to_have_text("No keys yet.")
            assert (await outside.get("/api/usage", headers=bearer)).status_code == 401
        visit.calm()


async def open_keys(page: Page) -> None:
    """Open the dialog from the account's menu, without a mouse."""
    await page.locator("#user-nav-button").focus()
    await page.keyboard.press("Enter")
    await page.wait_for_selector("[role=menu]:has(.kn-keys-line):focus-within")
    await page.keyboard.press("Home")
    await expect(page.locator(".kn-keys-line")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator(f"{DIALOG} input[name=purpose]")).to_be_focused()


async def test_logged_out_in_one_tab_is_out_in_the_other_and_nothing_is_left_to_go_back_to(
    browser: Browser, house: House
) -> None:
    async with at_home(browser, house, "tabs@example.org") as visit:
        page = visit.page
        await visit.say("[[say: a secret of mine]]")
        await expect(page.locator("[data-step-type=assistant_message]")).to_have_count(1)
        await page.wait_for_url("**/thread/*")
        other = await visit.context.new_page()
        await other.goto(page.url)
        await expect(other.locator("[data-step-type=assistant_message]")).to_have_count(1)
        visit.watch(other)
        kept = "fetch(location).then((answer) => answer.headers.get('cache-control'))"
        assert await other.evaluate(kept) == "no-store"
        await page.click("#user-nav-button")
        await page.get_by_role("menuitem", name="Sign out").click()
        await is_out(other)
        await is_out(page)
        for _ in range(2):
            await page.go_back()
            await page.wait_for_selector("#password")
            await expect(page.get_by_text("a secret of mine")).to_have_count(0)
        visit.calm(NOBODY, SHUT)


@pytest.mark.parametrize("how", ["disabled", "new password", "ran out"])
async def test_whose_login_ends_is_led_to_the_login(
    browser: Browser, house: House, how: str
) -> None:
    email = f"{how.replace(' ', '-')}@example.org"
    async with at_home(browser, house, email) as visit:
        await visit.open()
        await end_login(house, email, how)
        if how == "ran out":
            await visit.page.reload()
        await is_out(visit.page)
        visit.calm(NOBODY, SHUT)
        await enter(visit.page, email)
        back = "#chat-input" if how == "ran out" else "form [role=alert]:has-text('is wrong')"
        await visit.page.wait_for_selector(back)


async def test_two_people_see_their_own_things_and_never_each_others(
    browser: Browser, house: House, calm_demo: Demo
) -> None:
    async with (
        at_home(browser, house, "anna@example.org") as anna,
        at_home(browser, house, "boris@example.org") as boris,
    ):
        anna.calm(NOBODY)
        anna.errors.clear()
        await anna.say("Draw a zeppelin with demo-image-quick")
        await anna.page.wait_for_selector(card(1, "completed"))
        await anna.page.click("#user-nav-button")
        await expect(anna.page.locator("[role=menu]")).to_contain_text("anna@example.org")
        await anna.page.keyboard.press("Escape")
        await expect(anna.page.locator("#thread-history a")).to_have_count(1)
        picture: str = await anna.page.evaluate("document.querySelector('.kn-card img').src")
        assert "/media/" in picture
        assert (await anna.page.request.get(picture)).status == 200
        assert (await boris.page.request.get(picture)).status == 404
        await boris.page.goto(anna.page.url)
        await expect(boris.page).to_have_url(f"{boris.url}/")
        await expect(boris.page.locator("article.kn-card, #thread-history a")).to_have_count(0)
        await found(boris.page, "zeppelin", 0)
        await found(anna.page, "zeppelin", 1)
        await anna.page.goto(f"{anna.url}/login")
        await expect(anna.page).to_have_url(f"{anna.url}/")
        anna.calm()


async def found(page: Page, words: str, count: int) -> None:
    """Search the chats for these words; it finds so many."""
    await page.click("#search-chats-button")
    async with page.expect_response("**/project/threads"):
        await page.locator("[cmdk-input]").fill(words)
    await expect(page.locator("[cmdk-item]")).to_have_count(count)
    await page.keyboard.press("Escape")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_login_and_keys_are_for_everyone_and_long_names_fit(
    browser: Browser, house: House, scheme: Literal["light", "dark"]
) -> None:
    email = f"{scheme}.{'a' * 60}.{'b' * 40}"[:88] + "@example.org"
    options = {"color_scheme": scheme, "reduced_motion": "reduce"}
    async with (
        a_person(house.served, house.database_url, email) as person,
        new_visit(browser, house.served.url, **options) as visit,
    ):
        page = visit.page
        for number in range(1, 50):
            name = "N" * 100 if number % 7 == 0 else f"key {number}"
            made = await person.client.post("/api/keys", json={"name": name})
            assert made.status_code == 201, made.text
        await page.goto(visit.url)
        await enter(page, email, "wrong")
        await page.wait_for_selector("form [role=alert]")
        assert await unnamed(page) == []
        for width in (1280, 390):
            await page.set_viewport_size({"width": width, "height": 844})
            await nothing_serious(page, f"login, {width}")
        await enter(page, email)
        await page.wait_for_selector("#chat-input")
        await page.click("#user-nav-button")
        await inside(page.locator("[role=menu]:has(.kn-keys-line)"))
        await page.click(".kn-keys-line")
        await expect(page.locator(f"{DIALOG} li")).to_have_count(50)
        await page.locator(f"{DIALOG} li button").first.click()
        for width in (390, 1280):
            await page.set_viewport_size({"width": width, "height": 844})
            await nothing_serious(page, f"keys, {width}")
            await page.locator(f"{DIALOG} li").last.scroll_into_view_if_needed()
            for part in ("h2", ".kn-main", "li:last-child"):
                await expect(page.locator(f"{DIALOG} {part}")).to_be_in_viewport(ratio=0.9)
            await inside(page.locator(DIALOG))


async def inside(node: Locator) -> None:
    """Nothing of it stands out of the page or of itself."""
    assert await node.evaluate("""e => e.scrollWidth <= e.clientWidth
      && e.getBoundingClientRect().left >= 0
      && e.getBoundingClientRect().right <= innerWidth""")
