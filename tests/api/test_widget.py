"""The widget's way in, over real HTTP: who gets tokens, where they are good, and what they open."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import jwt
import psycopg
import pytest

from accounts.tokens import COOKIE, FRAME_COOKIE, WIDGET_COOKIE
from data_folder import derived
from tests.demo_process import Demo
from tests.house import Served
from tests.people import SECRET, Person, a_person, serve_people

HOST, OTHER_HOST = "http://shop.example.org", "http://www.example.org:9000"
STRANGER = "http://evil.example"
WIDGET_KEY = derived(SECRET.encode(), "widget")


class Scene:
    """A host with a key of scope `widget`, and a person with an account."""

    def __init__(self, served: Served, host: httpx.AsyncClient, anna: Person, url: str) -> None:
        self.served, self.host, self.anna, self.database_url = served, host, anna, url

    async def token(self, user: str = "42", origin: str = HOST, **more: Any) -> str:
        """A token as the host's backend gets it."""
        wanted = {"user": {"id": user, "name": f"User {user}"}, "origin": origin, **more}
        answer = await self.host.post("/api/widget/tokens", json=wanted)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["token"])

    async def at_page(self, token: str, origin: str = HOST) -> httpx.Response:
        """Exchange it, as a page of this origin does."""
        headers = {"Authorization": f"Bearer {token}", "Origin": origin}
        async with self.client() as client:
            return await client.post("/auth/jwt", headers=headers)

    def client(self, **headers: str) -> httpx.AsyncClient:
        """A browser without cookies."""
        return httpx.AsyncClient(
            base_url=self.served.url, trust_env=False, timeout=30, headers=headers
        )


@pytest.fixture(scope="module")
async def scene(
    fresh_database: Callable[[str], str], demo: Demo, shared_folder: Path
) -> AsyncIterator[Scene]:
    url, folder = fresh_database("widget"), shared_folder / "widget"
    settings = {"ALLOWED_ORIGINS": f"{HOST},{OTHER_HOST}", "DATABASE_URL": url}
    async with (
        serve_people(folder, DEMO_BASE_URL=demo.url, **settings) as served,
        a_person(served, url, "anna@example.org") as anna,
    ):
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("update kinora.api_keys set scopes = scopes || '{widget}'")
        yield Scene(served, anna.by_key, anna, url)


async def test_a_host_gets_a_token_and_its_page_a_login(scene: Scene) -> None:
    """The cookie stands for the host's user at the host's page: its API calls, its chat."""
    entered = await scene.at_page(await scene.token())
    assert entered.status_code == 200, entered.text
    assert entered.headers["access-control-allow-origin"] == HOST
    assert entered.headers["access-control-allow-credentials"] == "true"
    cookie = entered.headers["set-cookie"]
    assert cookie.startswith(f"{WIDGET_COOKIE}=")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    async with scene.client(Origin=HOST) as page:
        page.cookies.set(WIDGET_COOKIE, entered.cookies[WIDGET_COOKIE])
        user = (await page.get("/user")).json()
        assert user["identifier"] == f"widget:{scene.anna.user_id}:42"
        made = await page.post(
            "/api/tools/generate_image", json={"prompt": "a fox", "model": "demo-image-quick"}
        )
        assert made.status_code == 202
    assert (await scene.anna.client.get(made.headers["location"])).status_code == 404


async def test_the_same_token_opens_the_same_login_and_none_once_it_was_ended(scene: Scene) -> None:
    token = await scene.token("again")
    first, second = await scene.at_page(token), await scene.at_page(token)
    assert first.json()["user"] == second.json()["user"]
    with psycopg.connect(scene.database_url) as connection:
        [(logins,)] = connection.execute(
            "select count(*) from kinora.logins l join kinora.users u on u.id = l.user_id"
            " where u.identifier like '%%:again'"
        ).fetchall()
    assert logins == 1
    async with scene.client(Origin=HOST) as page:
        page.cookies.set(WIDGET_COOKIE, second.cookies[WIDGET_COOKIE])
        assert (await page.post("/logout")).status_code == 200
        assert (await page.get("/api/usage")).status_code == 401
    assert (await scene.at_page(token)).status_code == 401


async def test_a_token_is_refused_at_every_door_but_its_own(scene: Scene) -> None:
    token = await scene.token()
    async with scene.client(Authorization=f"Bearer {token}") as client:
        for method, path in [
            ("GET", "/api/usage"),
            ("GET", "/api/generations"),
            ("POST", "/api/tools/generate_image"),
            ("POST", "/api/keys"),
            ("POST", "/api/widget/tokens"),
            ("GET", "/v1/models"),
            ("POST", "/v1/images/generations"),
            ("POST", "/api/mcp"),
        ]:
            answer = await client.request(method, path, json={} if method == "POST" else None)
            assert answer.status_code == 401, (method, path, answer.text)
    async with scene.client(Cookie=f"{COOKIE}={token}; {WIDGET_COOKIE}={token}") as client:
        assert (await client.get("/api/usage")).status_code == 401


@pytest.mark.parametrize(
    "spoiled",
    ["expired", "not_yet", "forged", "login_key", "no_type", "audience", "unsigned"],
)
async def test_a_token_that_is_not_genuine_or_not_of_now_is_refused(
    scene: Scene, spoiled: str
) -> None:
    """Each takes a good token's content and spoils one thing."""
    good = await scene.token()
    said = jwt.decode(good, options={"verify_signature": False})
    key, headers, now = WIDGET_KEY, jwt.get_unverified_header(good), int(time.time())
    algorithm = "HS256"
    if spoiled == "expired":
        said |= {"iat": now - 60, "nbf": now - 60, "exp": now - 1}
    elif spoiled == "not_yet":
        said["nbf"] = now + 60
    elif spoiled == "forged":
        key = b"another key that is long enough to sign with"
    elif spoiled == "login_key":
        key = SECRET.encode()
    elif spoiled == "no_type":
        headers = {}
    elif spoiled == "audience":
        said["aud"] = "somebody"
    elif spoiled == "unsigned":
        algorithm = "none"
        del headers["alg"]
    token = jwt.encode(said, key if algorithm != "none" else None, algorithm, headers)  # type: ignore[arg-type]
    answer = await scene.at_page(token)
    assert answer.status_code == 401, answer.text
    assert "set-cookie" not in answer.headers


async def test_a_page_of_another_origin_cannot_use_the_token(scene: Scene) -> None:
    token = await scene.token()
    assert (await scene.at_page(token, OTHER_HOST)).status_code == 401
    assert (await scene.at_page(token, STRANGER)).status_code == 403
    async with scene.client(Authorization=f"Bearer {token}") as program:
        assert (await program.post("/auth/jwt")).status_code == 401


async def test_a_login_through_the_widget_holds_at_its_page_alone(scene: Scene) -> None:
    """Neither at another trusted page, nor as a visit of the chat itself; at its own page it comes
    before the person's own login.
    """
    cookie = (await scene.at_page(await scene.token())).cookies[WIDGET_COOKIE]
    shown = f"{WIDGET_COOKIE}={cookie}"
    own = f"{COOKIE}={scene.anna.client.cookies[COOKIE]}"
    async with scene.client() as client:

        async def who(cookies: str, **headers: str) -> str:
            answer = await client.get("/user", headers={"Cookie": cookies, **headers})
            return str(answer.json().get("identifier")) if answer.status_code == 200 else ""

        mine, its = "password:anna@example.org", f"widget:{scene.anna.user_id}:42"
        assert await who(shown, Origin=HOST) == its
        assert await who(shown, Origin=OTHER_HOST) == ""
        assert await who(shown) == ""
        assert await who(f"{COOKIE}={cookie}") == ""
        assert await who(f"{shown}; {own}", Origin=HOST) == its
        assert await who(f"{shown}; {own}") == mine
        # A trusted page may use the API as the person at it; their chats it may not read.
        assert await who(own, Origin=HOST) == ""
        usage = await client.get("/api/usage", headers={"Cookie": own, "Origin": HOST})
        assert usage.status_code == 200
        same_site = {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"}
        assert await who(f"{shown}; {own}", **same_site) == its
        followed = {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate"}
        assert await who(f"{shown}; {own}", **followed) == mine


async def test_a_frame_has_a_cookie_of_its_own(scene: Scene) -> None:
    """Handed in by our page, which stands in a frame of the host's."""
    token = await scene.token()
    async with scene.client(Origin=scene.served.url) as frame:
        wrong = await frame.post("/widget/login", json={"token": token, "origin": OTHER_HOST})
        assert wrong.status_code == 401
        entered = await frame.post("/widget/login", json={"token": token, "origin": HOST})
        assert entered.status_code == 200, entered.text
        said = entered.headers["set-cookie"]
        assert said.startswith(f"{FRAME_COOKIE}=")
        assert {"Secure", "SameSite=None", "Partitioned", "HttpOnly"} <= {*said.split("; ")}
        value = said.split(";")[0].partition("=")[2]
        shown = {"Cookie": f"{FRAME_COOKIE}={value}"}
        assert (await frame.get("/api/usage", headers=shown)).status_code == 200
        as_page = {"Cookie": f"{WIDGET_COOKIE}={value}", "Origin": HOST}
        assert (await frame.get("/api/usage", headers=as_page)).status_code == 401


async def test_two_hosts_users_of_one_name_are_two_users(scene: Scene) -> None:
    async with a_person(scene.served, scene.database_url, "other@example.org") as other:
        with psycopg.connect(scene.database_url, autocommit=True) as connection:
            connection.execute(
                "update kinora.api_keys set scopes = '{widget}' where scopes"
                " <> '{generate,read,widget}'"
            )
        theirs = Scene(scene.served, other.by_key, other, scene.database_url)
        one = await scene.at_page(await scene.token("7"))
        two = await theirs.at_page(await theirs.token("7"))
        assert one.json()["user"] != two.json()["user"]


async def test_a_revoked_key_leaves_its_tokens_worthless(scene: Scene) -> None:
    async with a_person(scene.served, scene.database_url, "host@example.org") as host:
        with psycopg.connect(scene.database_url, autocommit=True) as connection:
            connection.execute(
                "update kinora.api_keys set scopes = '{widget}' where user_id = %s", [host.user_id]
            )
        theirs = Scene(scene.served, host.by_key, host, scene.database_url)
        token = await theirs.token()
        prefix = host.key.split("_")[1]
        assert (await host.client.delete(f"/api/keys/{prefix}")).status_code == 204
        assert (await theirs.at_page(token)).status_code == 401


async def test_what_cannot_be_a_token_says_what_is_possible(scene: Scene) -> None:
    wanted: dict[str, Any] = {"user": {"id": "1", "name": "A"}, "origin": HOST}
    changes: list[tuple[dict[str, Any], int, str]] = [
        ({"origin": STRANGER}, 422, HOST),
        ({"ttl_s": 601}, 422, "600"),
        ({"ttl_s": 0}, 422, "1"),
        ({"user": {"id": ""}}, 422, "user.id"),
        ({"user": {"id": "a\x00b"}}, 422, "user.id"),
        ({"more": 1}, 422, "more"),
    ]
    for change, status, told in changes:
        answer = await scene.host.post("/api/widget/tokens", json=wanted | change)
        assert (answer.status_code, told in answer.text) == (status, True), answer.text
    assert (await scene.anna.client.post("/api/widget/tokens", json=wanted)).status_code == 403
    async with scene.client() as nobody:
        assert (await nobody.post("/api/widget/tokens", json=wanted)).status_code == 401


async def test_a_user_of_the_widget_makes_no_keys(scene: Scene) -> None:
    cookie = (await scene.at_page(await scene.token())).cookies[WIDGET_COOKIE]
    shown = {"Cookie": f"{WIDGET_COOKIE}={cookie}", "Origin": HOST}
    async with scene.client(**shown) as page:
        assert (await page.post("/api/keys", json={"name": "mine"})).status_code == 403
        assert (await page.post("/api/widget/tokens", json={})).status_code in (403, 422)


async def test_what_a_page_says_of_itself_is_kept_for_its_user(scene: Scene) -> None:
    """The last word counts, an empty one clears it, and who is not at a page has none."""
    cookie = (await scene.at_page(await scene.token("shopper"))).cookies[WIDGET_COOKIE]

    def kept() -> Any:
        with psycopg.connect(scene.database_url) as connection:
            [(said,)] = connection.execute(
                "select page_context from kinora.users where identifier like '%%:shopper'"
            ).fetchall()
        return said

    async with scene.client(Cookie=f"{WIDGET_COOKIE}={cookie}", Origin=HOST) as page:
        for context in ({"page": "Product 41"}, {"page": "Product 42", "tags": ["red"]}):
            told = await page.put("/api/widget/context", json={"context": context})
            assert told.status_code == 204
            assert kept() == context
        long = await page.put("/api/widget/context", json={"context": {"page": "x" * 9000}})
        assert (long.status_code, "8 KiB" in long.text) == (422, True)
        nul = await page.put("/api/widget/context", json={"context": {"page": "\0"}})
        assert nul.status_code == 422
        assert kept() == {"page": "Product 42", "tags": ["red"]}
        assert (await page.put("/api/widget/context", json={"context": {}})).status_code == 204
        assert kept() is None
    person = await scene.anna.client.put("/api/widget/context", json={"context": {"page": "p"}})
    assert person.status_code == 403


async def test_the_page_for_a_frame_may_stand_in_allowed_pages_only(scene: Scene) -> None:
    async with scene.client() as client:
        everybody = await client.get("/widget")
        assert everybody.status_code == 200
        assert (
            f"frame-ancestors {HOST} {OTHER_HOST}" in everybody.headers["content-security-policy"]
        )
        one = await client.get("/widget", params={"origin": OTHER_HOST})
        assert one.headers["content-security-policy"].endswith(f"frame-ancestors {OTHER_HOST}")
        assert "x-frame-options" not in one.headers
        assert (await client.get("/widget", params={"origin": STRANGER})).status_code == 422
        trial = await client.get("/public/widget.html")
        assert "default-src 'self'" in trial.headers["content-security-policy"]
        bundle = await client.get("/copilot/index.js", headers={"Origin": HOST})
        assert bundle.headers["content-encoding"] == "gzip"
        assert bundle.headers["access-control-allow-origin"] == HOST
        known = {"If-None-Match": bundle.headers["etag"]}
        assert (await client.get("/copilot/index.js", headers=known)).status_code == 304


async def test_local_mode_has_no_widget(server: Served) -> None:
    for method, path in [("POST", "/api/widget/tokens"), ("GET", "/widget")]:
        body = {"user": {"id": "1", "name": "A"}, "origin": HOST} if method == "POST" else None
        answer = await server.client.request(method, path, json=body)
        assert answer.status_code == 409, answer.text
        assert "AUTH_MODE=password" in answer.json()["detail"]
