"""A row of an old system, whatever it holds: read and storable, or told why not."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.old_databases import TooLong
from importing.reading.rows import DEPTH_MAX, Broken, Row, read_row

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(min_value=-(10**39), max_value=10**39)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def row(data: bytes) -> Row:
    found = read_row(data)
    assert isinstance(found, Row), found
    return found


def broken(data: bytes | TooLong) -> Broken:
    found = read_row(data)
    assert isinstance(found, Broken), found
    return found


def texts_in(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [*value, *(text for item in value.values() for text in texts_in(item))]
    if isinstance(value, list):
        return [text for item in value for text in texts_in(item)]
    return [value] if isinstance(value, str) else []


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text(), JSON))
def test_every_object_that_can_be_stored_comes_back_as_it_was(value: dict[str, Any]) -> None:
    if any("\0" in text for text in texts_in(value)) or "data" in value:
        return
    for ensures_ascii in (True, False):
        data = json.dumps(value, ensure_ascii=ensures_ascii).encode("utf-8", "surrogatepass")
        assert row(data) == Row(value)


@settings(max_examples=200, deadline=None)
@given(st.binary() | st.text(alphabet='{}[]",:\\u0d8e1+-.\0 ').map(str.encode))
def test_no_bytes_at_all_make_the_reading_fail(data: bytes) -> None:
    found = read_row(data)
    for text in texts_in(found.values) if isinstance(found, Row) else [found.excerpt, found.detail]:
        assert "\0" not in text
        text.encode("utf-8")


@pytest.mark.parametrize(
    ("data", "values", "remarks"),
    [
        (b'{"a": "caf\xe9"}', {"a": "caf\ufffd"}, ("bad_encoding",)),
        (b'{"a": "\xed\xa0\x80"}', {"a": "\ufffd\ufffd\ufffd"}, ("bad_encoding",)),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}, ()),
        (rb'{"a\u0000b": "\ud800 \u0000"}', {"a\ufffdb": "\ufffd \ufffd"}, ()),
        (b'{"a": "one\ntwo\0"}', {"a": "one\ntwo\ufffd"}, ()),
        (b'{"a": NaN, "b": [-Infinity]}', {"a": None, "b": [None]}, ("not_a_number",)),
        (b'{"a": 1e999}', {"a": None}, ("huge_number",)),
        (b'{"a": 18446744073709551615}', {"a": 2**64 - 1}, ()),
        (b'{"a": 1' + b"0" * 5000 + b"}", {"a": None}, ("huge_number",)),
        (b'{"a": 1, "b": {"c": 1, "c": 2}}', {"a": 1, "b": {"c": 2}}, ("duplicate_keys",)),
    ],
)
def test_what_is_odd_is_made_storable_and_remarked(
    data: bytes, values: dict[str, Any], remarks: tuple[str, ...]
) -> None:
    assert row(data) == Row(values, remarks)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "bad_json"),
        (b'{"a": ', "bad_json"),
        (b'{"a": 1} {"a": 2}', "bad_json"),
        (b"id,prompt,status", "bad_json"),
        (b"[1]", "no_object"),
        (b"null", "no_object"),
        (b'"text"', "no_object"),
        (b'{"a":' * 900 + b"1" + b"}" * 900, "too_deep"),
        (b'{"a":' + b"[" * 50_000, "too_deep"),
        (b'{"a":' + b"[" * DEPTH_MAX + b"]" * DEPTH_MAX + b"}", "too_deep"),
    ],
)
def test_what_is_no_row_is_told_by_a_reason(data: bytes, reason: str) -> None:
    found = broken(data)
    assert found.reason == reason
    assert found.detail
    assert found.excerpt == data[:120].decode()


def test_a_row_may_be_nested_as_deep_as_people_nest() -> None:
    depth = DEPTH_MAX - 1
    assert row(b'{"a":' + b"[" * depth + b"]" * depth + b"}").values["a"]


def test_a_line_that_was_not_held_is_told_of_with_its_beginning() -> None:
    found = broken(TooLong(b'{"id": "7f\x1b[31m\0', 70_000_000))
    assert found.reason == "too_long"
    assert "70000000" in found.detail
    assert found.excerpt == '{"id": "7f\ufffd[31m\ufffd'


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 10_000_000,
        b'{"a":' * 2_000_000,
        b'{"a":[' + b"[]," * 3_000_000 + b"[]]}",
        b'{"a":[' + b'"",' * 3_000_000 + b'""]}',
        b'""' * 5_000_000,
        b'{"a":"' + b'\\"' * 5_000_000,
    ],
    ids=["lists", "objects", "empty lists", "empty texts", "quotes", "escapes"],
)
def test_megabytes_of_structure_take_little_memory(data: bytes) -> None:
    tracemalloc.start()
    try:
        broken(data)
        assert tracemalloc.get_traced_memory()[1] < 40 << 20
    finally:
        tracemalloc.stop()


def test_a_long_text_full_of_commas_and_brackets_is_a_text() -> None:
    prompt = ',[{"' * 500_000
    assert row(json.dumps({"prompt": prompt}).encode()).values == {"prompt": prompt}


@pytest.mark.parametrize(
    ("outer", "values"),
    [
        ({"data": {"id": "a"}}, {"id": "a"}),
        (
            {"id": 7, "created_at": "2024", "payload": {"id": "a", "type": "image"}},
            {"id": "a", "created_at": "2024", "type": "image"},
        ),
        # These are rows of their own, with something more in them.
        ({"prompt": "a cat", "data": {"url": "x"}}, {"prompt": "a cat", "data": {"url": "x"}}),
        ({"id": "a", "data": {"colour": "red"}}, {"id": "a", "data": {"colour": "red"}}),
        ({"content": {"type": "text"}}, {"content": {"type": "text"}}),
    ],
)
def test_an_object_in_a_column_of_its_own_is_taken_out(
    outer: dict[str, Any], values: dict[str, Any]
) -> None:
    assert row(json.dumps(outer).encode()).values == values
