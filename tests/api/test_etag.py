"""Tags: who has a generation's reading already hears so in a few bytes, and never by mistake."""

from __future__ import annotations

from typing import Any

import httpx
import psycopg
import pytest

from tests.api.conftest import FRIEND, PUBLIC_URL, PasswordServer
from tests.demo_process import Demo
from tests.house import Served

FOX = {"prompt": "a fox with a tag", "model": "demo-image-quick"}


@pytest.fixture
async def http(server: Served, calm_demo: Demo) -> httpx.AsyncClient:
    return server.client


async def finished(http: httpx.AsyncClient) -> Any:
    started = (await http.post("/api/tools/generate_image", json=FOX)).json()
    return (await http.get(f"/api/generations/{started['id']}", params={"wait": 60})).json()


async def test_who_has_it_already_is_told_so_without_a_body(http: httpx.AsyncClient) -> None:
    path = f"/api/generations/{(await finished(http))['id']}"
    whole = await http.get(path)
    tag = whole.headers["etag"]
    assert tag.startswith('"')
    assert whole.headers["cache-control"] == "no-cache, private"
    for known in (tag, f"W/{tag}", f'"other", {tag}', f'W/"a,b",W/{tag}', "*"):
        same = await http.get(path, headers={"If-None-Match": known})
        assert (same.status_code, same.content) == (304, b""), known
        assert same.headers["etag"] == tag
        assert same.headers["cache-control"] == "no-cache, private"
    twice = await http.get(path, headers=[("If-None-Match", '"x"'), ("If-None-Match", tag)])
    assert twice.status_code == 304
    for other in ('"other"', tag.strip('"'), "", '"*"', f"{tag[:-2]}x{tag[-2:]}"):
        again = await http.get(path, headers={"If-None-Match": other})
        assert (again.status_code, again.content) == (200, whole.content), other


async def test_a_tag_opens_nothing_that_is_not_there(http: httpx.AsyncClient) -> None:
    path = f"/api/generations/{(await finished(http))['id']}"
    tag = (await http.get(path)).headers["etag"]
    assert (await http.delete(path)).status_code == 204
    for known in (tag, "*"):
        assert (await http.get(path, headers={"If-None-Match": known})).status_code == 404


async def test_each_change_changes_the_tag_also_while_it_is_waited_for(
    http: httpx.AsyncClient, calm_demo: Demo
) -> None:
    await calm_demo.hold(True)
    started = (await http.post("/api/tools/generate_image", json=FOX)).json()
    path = f"/api/generations/{started['id']}"
    await calm_demo.until(started["id"], "submits:1")
    before = (await http.get(path)).headers["etag"]
    await calm_demo.hold(False)
    done = await http.get(path, params={"wait": 60}, headers={"If-None-Match": before})
    assert (done.status_code, done.json()["status"]) == (200, "completed")
    assert done.headers["etag"] != before
    known = {"If-None-Match": done.headers["etag"]}
    assert (await http.get(path, params={"wait": 60}, headers=known)).status_code == 304


async def test_what_changes_without_a_new_version_changes_the_tag(
    password_server: PasswordServer,
) -> None:
    """A picture that it was made from may be deleted: the row does not hear of it."""
    by_key, headers = password_server.ada.by_key, {"Origin": FRIEND}
    made = await finished(by_key)
    path = f"/api/generations/{made['id']}"
    first = await by_key.get(path)
    with psycopg.connect(password_server.database_url, autocommit=True) as connection:
        quietly = "update kinora.generations set notes = '{\"by hand\"}' where id = %s"
        connection.execute(quietly, [made["id"]])
    headers |= {"If-None-Match": first.headers["etag"]}
    second = await by_key.get(path, headers=headers)
    assert (second.status_code, second.json()["notes"]) == (200, ["by hand"])
    assert second.json()["v"] == first.json()["v"]
    # A page of a trusted origin may read the tag, and send it.
    assert "ETag" in second.headers["access-control-expose-headers"].split(", ")
    ask = {"Origin": FRIEND, "Access-Control-Request-Method": "GET"}
    may = await password_server.served.client.options(path, headers=ask)
    assert "If-None-Match" in may.headers["access-control-allow-headers"].split(", ")
    assert PUBLIC_URL not in may.headers["access-control-allow-origin"]
