"""A file of models that is wrong says where, in one line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from providers.catalogue import load_catalogue
from providers.models_file import ModelsFileError
from providers.toml_lines import line_of, lines_of

GOOD = """\
# My models
[[models]]
id = "my-film"
label = "My film"
kind = "video"
inputs = [
    "text!",
    "start_image",
]
aspect_ratios = ["16:9", "9:16"]
durations_s = [4, 8]
resolutions = ["480p", "720p"]
sizes = { multiple = 2, short_side_px = { 480p = 480, 720p = 720 } }
seed = true

[[models.routes]]
provider = "runpod"
endpoint = "abc123"
poll_s = 2

[models.routes.fields]
prompt = "prompt"
start_image = "image"
duration_s = "seconds"
size = { name = "size", format = "{width_px}*{height_px}" }
seed = "seed"

[models.routes.price]
unit = "second"
usd = 0.1
as_of = 2026-11-22
source = "my invoice"

[[models]]
id = "my-picture"
label = "My picture"
kind = "image"

[[models.routes]]
provider = "runpod"
endpoint = "def456"
fields = { prompt = "prompt" }
"""

BAD: list[tuple[str, str, int, str]] = [
    ("durations_s = [4, 8]", "durations_s = [4, 0]", 11, "durations_s[2] must be greater than 0"),
    ("durations_s = [4, 8]", 'durations_s = "4"', 11, "durations_s must be a valid list"),
    (
        "durations_s = [4, 8]",
        "durations_s = { min = 1 }",
        11,
        "must be a list of seconds, or { min",
    ),
    (
        "durations_s = [4, 8]",
        "durations_s = { min = 5, max = 1 }",
        11,
        "durations_s must be a range of 1 to 1000 lengths",
    ),
    ("durations_s = [4, 8]\n", "", 5, "a video model needs durations_s"),
    ("seed = true", "seed = 1", 14, "seed must be a valid boolean"),
    ("seed = true", "sead = true", 14, "sead is not a word of this table"),
    ('seed = "seed"\n', "", 21, "fields must have seed, because the model has seed"),
    ('start_image = "image"\n', "", 21, "fields must have start_image, because the model has"),
    ('prompt = "prompt"\nst', 'promt = "prompt"\nst', 22, "promt must be 'prompt'"),
    ('aspect_ratios = ["16:9", "9:16"]', 'aspect_ratios = ["16:9", "tall"]', 10, "not `tall`"),
    ('    "start_image",', '    "start",', 6, "inputs[2] must be 'text', 'text!'"),
    ('    "text!",\n', "", 6, "inputs must name text, and each word once"),
    ('    "start_image",', '    "reference",', 6, "max_references is above 0, and only then"),
    ('kind = "video"', 'kind = "film"', 5, "kind must be 'image' or 'video'"),
    ('label = "My film"\n', "", 2, "label is missing"),
    ('label = "My film"', 'label = "My film"\ndemo = true', 4, "must carry the word Demo"),
    ('id = "my-film"', 'id = "My film"', 3, "id is not written as it must be (`My film`)"),
    ('id = "my-film"', 'id = "my-picture"', 3, "id `my-picture` stands 2 times in this file"),
    (
        'provider = "runpod"\nendpoint = "abc123"',
        'provider = "acme"\nendpoint = "a"',
        17,
        "provider",
    ),
    ('endpoint = "abc123"', 'endpoint = "../abc"', 18, "endpoint is not written as it must be"),
    ('endpoint = "def456"', 'endpoint = "def456"\noutput = 7', 42, "output must be a valid string"),
    ("poll_s = 2", "poll_s = 2\npoll_max_s = 1", 20, "poll_max_s must not be below poll_s"),
    ("poll_s = 2", 'result_hosts = ["*"]', 19, "must be a host like media.example.com"),
    ("poll_s = 2", 'result_hosts = ["127.0.0.1"]', 19, "must be a host like media.example.com"),
    ("poll_s = 2", 'inputs = ["text!", "mask"]', 19, "mask is no input of the model"),
    (
        '[[models]]\nid = "my-picture"',
        '[[models.routes]]\nprovider = "runpod"\nendpoint = "abc123"\nfields = {}\n'
        '[[models]]\nid = "my-picture"',
        18,
        "endpoint must differ from route to route",
    ),
    ("poll_s = 2", 'inputs = ["text"]', 19, "inputs must hold text!"),
    ('unit = "second"', 'unit = "hour"', 29, "unit must be 'image', 'second' or 'megapixel'"),
    ("usd = 0.1", "usd = -1", 30, "usd must be greater than or equal to 0"),
    ("usd = 0.1", "usd = 0.1\nusd_at = { 4k = 1 }", 28, "price.usd_at: 4k is none of resolutions"),
    ("as_of = 2026-11-22", 'as_of = "lately"', 31, "as_of is not written as it must be (`lately`)"),
    ("720p = 720 }", "1080p = 1080 }", 13, "short_side_px must name every one of resolutions"),
    (
        "multiple = 2,",
        "multiple = 2, min_px = 9, max_px = 8,",
        13,
        "must not be above sizes.max_px",
    ),
    ("seed = true", 'seed = true\ndefault_resolution = "4k"', 15, "must be one of resolutions"),
    ('kind = "image"', 'kind = "image"\ndurations_s = [1]', 38, "durations_s is for video models"),
    ('{ prompt = "prompt" }', '{ prompt = "prompt", size = "size" }', 42, "the model needs sizes"),
    ('{ prompt = "prompt" }', "{ prompt = { name = 7 } }", 42, "name must be a valid string"),
    (
        '[[models.routes]]\nprovider = "runpod"\nendpoint = "def',
        '[x]\ny = "',
        34,
        "routes is missing",
    ),
]


def test_the_file_these_start_from_is_good(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD)
    model, _ = load_catalogue(path).find("my-film")
    assert model.durations_s == (4.0, 8.0)
    assert model.routes[0].price is not None


@pytest.mark.parametrize(("old", "new", "line", "says"), BAD)
def test_what_is_wrong_is_named_with_its_line_and_model(
    tmp_path: Path, old: str, new: str, line: int, says: str
) -> None:
    path = tmp_path / "mine.toml"
    assert old in GOOD
    path.write_text(GOOD.replace(old, new, 1))
    with pytest.raises(ModelsFileError) as raised:
        load_catalogue(path)
    message = str(raised.value)
    assert says in message
    assert re.match(rf"mine\.toml line {line}: ", message), message
    if line > 1:
        assert re.search(r": (model `|model 1:|x is)", message), message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"[[models]\n", "mine.toml line 1: not TOML"),
        (b"a = 1\nb = = 2\n", "mine.toml line 2: not TOML"),
        (b"id = '\xff'\n", "mine.toml: not a text in UTF-8"),
        (b"models = 3\n", "mine.toml line 1: models must be a valid list"),
        (b"[[modles]]\nid = 'x'\n", "mine.toml line 1: modles is not a word of this table"),
        (b"[[models]]\n", "mine.toml line 1: model 1: id is missing (and 3 more)"),
        (b"[providers.fal]\n", "mine.toml line 1: provider `fal`: on_lost_submit is missing"),
    ],
)
def test_what_is_no_file_of_models_is_refused_in_one_line(
    tmp_path: Path, content: bytes, says: str
) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(content)
    with pytest.raises(ModelsFileError) as raised:
        load_catalogue(path)
    assert str(raised.value).startswith(says)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelsFileError, match=r"nowhere\.toml cannot be read: No such file"):
        load_catalogue(tmp_path / "nowhere.toml")
    with pytest.raises(ModelsFileError, match="cannot be read: Is a directory"):
        load_catalogue(tmp_path)


def test_an_empty_file_and_one_with_a_byte_order_mark_change_nothing(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(b"\xef\xbb\xbf# nothing yet\n")
    assert load_catalogue(path).models == load_catalogue().models


def test_lines_are_found_through_long_texts_lists_and_dotted_keys() -> None:
    text = '''\
a.b = 1
"quoted key" = """
c = 2
[not.a.table]
"""
list = [
  # ] no end
  "]", [1],
]
[t]   # a table
d = { e = 1 }
[[t.items]]
f = 1
[[t.items]]
f = 2
[t.items.deep]
g = 3
'''
    lines = lines_of(text)
    assert lines[("a", "b")] == 1
    assert lines[("quoted key",)] == 2
    assert ("c",) not in lines
    assert ("not", "a", "table") not in lines
    assert lines[("list",)] == 6
    assert lines[("t",)] == 10
    assert lines[("t", "items", 0, "f")] == 13
    assert lines[("t", "items", 1, "f")] == 15
    assert lines[("t", "items", 1, "deep", "g")] == 17
    assert line_of(lines, ("t", "d", "e")) == 11
    assert line_of(lines, ("nowhere",)) == 1
