"""What a broken, or an ill-meant, old system may hold: lines of a dump, and rows of the chat.

Each poisoned thing is to be imported or reported; none may stop the import, and no address of them
may be asked for. `hits` is the address of a canary that wants to hear of nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from tests.old_systems.chance import Chance

Make = Callable[[], bytes]
_CHANCE = Chance(666)
_MANY = 10 << 20

#: Moments that no calendar of ours has, and some that it just has.
MOMENTS: tuple[object, ...] = (
    *("0001-01-01T00:00:00", "294276-12-31T23:59:59", "infinity", "-infinity", "yesterday"),
    *("4713-01-01T00:00:00 BC", "2024-02-30T00:00:00Z", "2024-13-45", "", " ", "9999-12-31"),
    *("2024-05-05T10:00:00+99:99", "20240505T101010Z", "0000-00-00 00:00:00"),
    *(0, -1, 1e300, 10**25, 1_700_000_000, 1_700_000_000_000, True, [], {}, "1" * 100_000),
)
IDS: tuple[object, ...] = (
    *(
        "not-a-uuid",
        "../../etc/passwd",
        "a\0b",
        "a\nb\x1b[31m",
        "'; drop table users; --",
        "\ud800",
    ),
    *("x" * 5000, "", " ", "ид", 7, -1, 1.5, True, [], {}, ["a"], "{" + str(UUID(int=5)) + "}"),
)
WRONG: tuple[object, ...] = (7, True, [], {}, ["a", {"b": 1}], {"a": [1]}, "", "\0", 1e308)
_TASKS: tuple[object, ...] = (*WRONG, "tasks", [7], [{"status": 7}], [[[]]], None)
_ORDERS: tuple[object, ...] = (*WRONG, {"prompt": []}, {"seed": "x" * 9999})
_LENGTHS: tuple[object, ...] = (-1, 1e308, "NaN", "5", [], 10**30)


def addresses(hits: str) -> list[str]:
    """Addresses that nobody may ask; the first few lead to the canary, spelled in every way."""
    host, _, port = hits.partition("://")[2].rstrip("/").rpartition(":")
    number = int.from_bytes(bytes(map(int, host.split("."))), "big")
    own = [
        *(f"http://{host}:{port}/plain.png", f"https://{host}:{port}/tls.png"),
        *(f"http://{number}:{port}/decimal.png", f"http://{number:#x}:{port}/hex.png"),
        *(f"http://0177.0.0.1:{port}/octal.png", f"http://127.1:{port}/short.png"),
        *(f"http://localhost:{port}/name.png", f"http://LOCALHOST.:{port}/dot.png"),
        *(f"http://[::1]:{port}/six.png", f"http://[::ffff:{host}]:{port}/mapped.png"),
        *(f"http://[::ffff:7f00:1]:{port}/mapped-hex.png", f"http://0:{port}/zero.png"),
        *(f"http://0.0.0.0:{port}/any.png", f"http://[::]:{port}/any-six.png"),
        *(f"http://a:b@{host}:{port}/userinfo.png", f"http://x.invalid@{host}:{port}/fake.png"),
        *(f"http://{host}:{port}\\@x.invalid/slash.png", f"http:/{host}:{port}/one.png"),
        *(f"//{host}:{port}/relative.png", f"HTTP://{host}:{port}/upper.png"),
        *(f" http://{host}:{port}/blank.png ", f"ht\ntp://{host}:{port}/break.png"),
        *(f"http://１２７.0.0.1:{port}/wide.png", f"http://{host}:{port}/%0d%0aX: y"),
        f"http://{host}.nip.io:{port}/dns.png",
    ]
    return [*own, *_ELSEWHERE]


_ELSEWHERE = (
    *("http://169.254.169.254/latest/meta-data/a.png", "http://2852039166/a.png"),
    *("http://0xa9fea9fe/a.png", "http://metadata.google.internal/a.png"),
    *("http://[fd00:ec2::254]/a.png", "http://[fe80::1%25eth0]/a.png", "http://10.0.0.1/a.png"),
    *("http://192.168.0.1/a.png", "http://172.16.0.1/a.png", "http://100.64.0.1/a.png"),
    *("file:///etc/passwd", "gopher://127.0.0.1:25/_x", "javascript:alert(1)", "ftp://127.0.0.1/a"),
    *(
        "blob:https://x.invalid/1",
        "/media/a.png",
        "a.png",
        "../a.png",
        "?",
        "#",
        "http://",
        "https:",
    ),
    *("http://:80/a.png", "http://x.invalid:99999/a.png", "http://x.invalid:port/a.png"),
    *("http://[/a.png", "http://x..invalid/a.png", "http://\0/a.png", "data:image/png;base64,!!!"),
    *("data:,", "data:image/svg+xml,<svg onload='x'/>", "data:text/html;base64,PGI+", "data:"),
    "https://x.invalid/" + "a" * (1 << 20),
    "http://" + "a." * 5000 + "invalid/a.png",
)


@dataclass(frozen=True, slots=True)
class Line:
    """One poisoned line; made when it is asked for, as some are of many megabytes."""

    name: str
    make: Make


def _json(value: object) -> Make:
    return lambda: json.dumps(value).encode()


def _raw(data: bytes) -> Make:
    return lambda: data


def flat(n: int, **more: object) -> dict[str, Any]:
    """A sound row of the flat table, with something else instead."""
    return {
        "file_id": _CHANCE.id("poison", n),
        "prompt": f"A poisoned picture, poison{n}",
        "status": "completed",
        "download_url": f"https://media.superduper.invalid/image/{n}.png",
        "type": "image",
        "created_at": "2024-05-05T10:00:00+00:00",
        "user_id": "7",
        **more,
    }


def dump_lines(hits: str) -> Iterator[Line]:
    """All of them, and between them sound rows, which are to arrive: `sound`."""
    # By its beginning a file is told from others.
    yield Line("sound", _json(flat(3_000_000)))
    for n, line in enumerate([*_broken(), *_large(), *_odd(hits)]):
        yield line
        if n % 10 == 0:
            yield Line("sound", _json(flat(1_000_000 + n)))
    yield Line("sound", _json(flat(2_000_000)))


def _broken() -> Iterator[Line]:
    """No JSON, or no object."""
    for n, data in enumerate(
        (
            *(b"\xff\xfe\x00{", b"{", b"}", b"null", b"[]", b"7", b'"text"', b"NaN", b"id,prompt"),
            *(b'{"file_id": ', b"{'file_id': 1}", b'{"a": 1}{"b": 2}', b"\0\0\0", b"\\N", b"\\."),
        )
    ):
        yield Line(f"broken {n}", _raw(data))


def _large() -> Iterator[Line]:
    yield Line("deep lists", lambda: b'{"file_id": ' + b"[" * _MANY)
    yield Line("deep objects", lambda: b'{"a":' * (_MANY // 5))
    yield Line("deep and closed", lambda: b'{"a":' + b"[" * 90_000 + b"]" * 90_000 + b"}")
    yield Line("many values", lambda: b'{"a":[' + b"{}," * (_MANY // 3) + b"{}]}")
    nested = {"settings": [{"a": ["x" * 1000] * 10}] * 1000}
    yield Line("nested 10 MB", _json(flat(1, image_generation=nested)))
    yield Line("too long", lambda: b'{"file_id": "' + b"x" * (70 << 20) + b'"}')
    yield Line("prompt 5 MB", _json(flat(2, prompt="fox " * (5 << 18))))
    yield Line("prompt of NULs", _json(flat(3, prompt="\0" * 100_000)))
    yield Line("huge number", lambda: b'{"file_id": ' + b"9" * 1_000_000 + b"}")
    yield Line("many keys", _json(flat(4) | {f"key{n}": n for n in range(50_000)}))
    yield Line("many tasks", _json(flat(5, tasks=[{"status": "completed"}] * 50_000)))


def _odd(hits: str) -> Iterator[Line]:
    """Objects that are one, with something in them that nobody expects."""
    odd: list[dict[str, Any]] = [
        *({"created_at": moment} for moment in MOMENTS),
        *({"file_id": id_} for id_ in IDS),
        *({"user_id": id_} for id_ in IDS),
        *({name: value} for name in flat(0) for value in (*WRONG, None)),
        *({"tasks": value} for value in _TASKS),
        *({"image_generation": value} for value in _ORDERS),
        *({"duration": value} for value in _LENGTHS),
        *({"download_url": address} for address in addresses(hits)),
        *({"url": address, "thumbnail_url": address} for address in addresses(hits)),
        {"prompt": "\ud800 half a pair, \u202e turned, \x1b[31m red, <script>alert(1)</script>"},
        {"status": "COMPLETED"},
        {"status": "completed\0"},
        {"type": "hologram"},
    ]
    for n, more in enumerate(odd, 100):
        yield Line(f"odd {[*more][0]} {n}", _json(flat(n, **more)))
    yield Line("twice", _json(flat(100_000)))
    yield Line("twice", _json(flat(100_000, prompt="another prompt, poison100000", status="error")))
    latin = json.dumps(flat(100_001, prompt="café"), ensure_ascii=False).encode("latin-1")
    yield Line("latin-1", lambda: latin)
    yield Line("utf-16", lambda: json.dumps(flat(100_002)).encode("utf-16")[2:])
    yield Line("surrogates", lambda: json.dumps(flat(3)).encode()[:-1] + b', "x": "\xed\xa0\x80"}')
    yield Line("two keys", lambda: json.dumps(flat(100_003)).encode()[:-1] + b', "prompt": "last"}')
    yield Line(
        "no numbers", lambda: json.dumps(flat(100_004)).encode()[:-1] + b', "steps": -Infinity}'
    )
    yield Line(
        "control",
        lambda: b'{"file_id": "' + _CHANCE.id("c", 1).encode() + b'", "prompt": "\0\t\x01"}',
    )


@dataclass(frozen=True, slots=True)
class PoisonedDump:
    """What was written."""

    lines: int
    #: Files with which nothing is wrong: they are to arrive.
    sound_ids: tuple[str, ...]


def write_poison(path: Path, hits: str) -> PoisonedDump:
    """Write the poisoned dump, of more than 100 MB."""
    count = 0
    sound = []
    with path.open("wb") as out:
        for line in dump_lines(hits):
            data = line.make().replace(b"\n", b" ")
            out.write(data + b"\n")
            count += 1
            if line.name == "sound":
                sound.append(json.loads(data)["file_id"])
    return PoisonedDump(count, tuple(sound))
