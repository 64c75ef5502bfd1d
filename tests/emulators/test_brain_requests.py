"""What the demo model calls for what people say, phrase by phrase."""

from __future__ import annotations

import pytest

from tests.emulators.conversation import PHOTO, Message, agent, calls, drawn, user

IMAGE, VIDEO, EDIT = "generate_image", "generate_video", "edit_image"

FIRST_WORDS: list[tuple[str, str, Message]] = [
    (
        "Draw a red fox in the snow, 16:9",
        IMAGE,
        {"prompt": "a red fox in the snow", "aspect_ratio": "16:9"},
    ),
    ("draw a cat", IMAGE, {"prompt": "a cat"}),
    ("Can you draw a cat in a boat?", IMAGE, {"prompt": "a cat in a boat"}),
    ("paint me a lighthouse at sunset please", IMAGE, {"prompt": "a lighthouse at sunset"}),
    ("hi, draw a cat", IMAGE, {"prompt": "a cat"}),
    ("a red fox in the snow", IMAGE, {"prompt": "a red fox in the snow"}),
    ("three pictures of a dog, seed 7", IMAGE, {"prompt": "a dog", "n": 3, "seed": 7}),
    ("draw a cat and a dog as two pictures", IMAGE, {"prompt": "a cat and a dog", "n": 2}),
    (
        "I want an image of a castle on a hill, portrait format",
        IMAGE,
        {"prompt": "a castle on a hill", "aspect_ratio": "9:16"},
    ),
    (
        "Could you make an image, square, of a teapot?",
        IMAGE,
        {"prompt": "a teapot", "aspect_ratio": "1:1"},
    ),
    (
        "draw a house in the style of watercolor at 1024x576",
        IMAGE,
        {"prompt": "a house", "style": "watercolor", "size": "1024x576"},
    ),
    (
        "generate a picture of a lake with demo-image-quick",
        IMAGE,
        {"prompt": "a lake", "model": "demo-image-quick"},
    ),
    ("draw a bus stop in the rain", IMAGE, {"prompt": "a bus stop in the rain"}),
    ("draw an 80s style car", IMAGE, {"prompt": "an 80s style car"}),
    ("draw a portrait of a king", IMAGE, {"prompt": "a portrait of a king"}),
    (
        "A 4 second video of a boat at sunset in 9:16",
        VIDEO,
        {"prompt": "a boat at sunset", "duration_s": 4, "aspect_ratio": "9:16"},
    ),
    ("Make a 5 second film of a cat", VIDEO, {"prompt": "a cat", "duration_s": 5}),
    (
        "Make a 900 second video of the sea",
        VIDEO,
        {"prompt": "the sea", "duration_s": 900},
    ),
    ("video of rain, 6 seconds, seed 42", VIDEO, {"prompt": "rain", "duration_s": 6, "seed": 42}),
    (
        "4s vertical clip of rain with demo-video-quick, 720p",
        VIDEO,
        {
            "prompt": "rain",
            "duration_s": 4,
            "aspect_ratio": "9:16",
            "model": "demo-video-quick",
            "resolution": "720p",
        },
    ),
    ("animate a cat running", VIDEO, {"prompt": "a cat running"}),
    ("bring a forest to life", VIDEO, {"prompt": "a forest"}),
    (
        "Нарисуй рыжую лису в снегу, 16:9",
        IMAGE,
        {"prompt": "рыжую лису в снегу", "aspect_ratio": "16:9"},
    ),
    ("нарисуй кота", IMAGE, {"prompt": "кота"}),
    ("Нарисуй, пожалуйста, три картинки замка", IMAGE, {"prompt": "замка", "n": 3}),
    (
        "сгенерируй изображение ночного города в стиле аниме",
        IMAGE,
        {"prompt": "ночного города", "style": "аниме"},
    ),
    ("хочу картинку дома у озера", IMAGE, {"prompt": "дома у озера"}),
    (
        "сделай видео на 4 секунды: лодка на закате",
        VIDEO,
        {"prompt": "лодка на закате", "duration_s": 4},
    ),
    ("сделай 5-секундное видео про кота", VIDEO, {"prompt": "кота", "duration_s": 5}),
    ("сними фильм про море, 9:16", VIDEO, {"prompt": "море", "aspect_ratio": "9:16"}),
    ("вертикальное видео: дождь", VIDEO, {"prompt": "дождь", "aspect_ratio": "9:16"}),
    (
        "Zeichne einen roten Fuchs im Schnee, 16:9",
        IMAGE,
        {"prompt": "einen roten Fuchs im Schnee", "aspect_ratio": "16:9"},
    ),
    (
        "Mach ein Video von einem Boot, 4 Sekunden",
        VIDEO,
        {"prompt": "einem Boot", "duration_s": 4},
    ),
    ("Dessine un chat noir sur un toit", IMAGE, {"prompt": "un chat noir sur un toit"}),
    (
        "Fais une vidéo de 4 secondes d'un bateau",
        VIDEO,
        {"prompt": "un bateau", "duration_s": 4},
    ),
    ("Dibuja un gato azul", IMAGE, {"prompt": "un gato azul"}),
    (
        "Haz un vídeo de 4 segundos de un barco",
        VIDEO,
        {"prompt": "un barco", "duration_s": 4},
    ),
    (
        "画一只在雪地里的红狐狸，16:9",
        IMAGE,
        {"prompt": "在雪地里的红狐狸", "aspect_ratio": "16:9"},
    ),
    ("生成一个4秒的海边视频", VIDEO, {"prompt": "海边视频", "duration_s": 4}),
    ("雪の中の赤い狐を描いて", IMAGE, {"prompt": "雪の中の赤い狐"}),
    ("4秒の猫の動画を作って", VIDEO, {"prompt": "猫", "duration_s": 4}),
    ("which models are there?", "list_models", {}),
    ("What can you make?", "list_models", {}),
    ("list models for video", "list_models", {"kind": "video"}),
    ("что ты умеешь?", "list_models", {}),
    ("what have I made?", "list_generations", {}),
    ("show my videos", "list_generations", {"kind": "video"}),
    ("покажи мои видео", "list_generations", {"kind": "video"}),
]

FOX = "a red fox in the snow"
AFTER_A_PICTURE: list[tuple[str, str, Message]] = [
    ("animate it", VIDEO, {"prompt": FOX, "start_image": "#1"}),
    (
        "Now animate it for 4 seconds",
        VIDEO,
        {"prompt": FOX, "start_image": "#1", "duration_s": 4},
    ),
    (
        "animate it, the fox runs away, 9:16",
        VIDEO,
        {"prompt": f"{FOX}, the fox runs away", "start_image": "#1", "aspect_ratio": "9:16"},
    ),
    ("animate the fox", VIDEO, {"prompt": FOX, "start_image": "#1"}),
    (
        "turn it into a 3 second video",
        VIDEO,
        {"prompt": FOX, "start_image": "#1", "duration_s": 3},
    ),
    (
        "make a video from this picture, slow zoom",
        VIDEO,
        {"prompt": f"{FOX}, slow zoom", "start_image": "#1"},
    ),
    ("make a 4 second video of a dog", VIDEO, {"prompt": "a dog", "duration_s": 4}),
    ("Make it blue", EDIT, {"prompt": "Make it blue", "image": "#1"}),
    ("make the fox blue", EDIT, {"prompt": "make the fox blue", "image": "#1"}),
    ("make #1 red", EDIT, {"prompt": "make it red", "image": "#1"}),
    ("add a hat", EDIT, {"prompt": "add a hat", "image": "#1"}),
    ("make the picture brighter", EDIT, {"prompt": "make the picture brighter", "image": "#1"}),
    ("a bit darker please", EDIT, {"prompt": "a bit darker", "image": "#1"}),
    ("without the snow", EDIT, {"prompt": "without the snow", "image": "#1"}),
    ("draw a dog", IMAGE, {"prompt": "a dog"}),
    ("cancel", "cancel_generation", {"generation": "#1"}),
    ("stop it", "cancel_generation", {"generation": "#1"}),
    ("is it ready?", "get_generation", {"generation": "#1"}),
    ("try again", "retry_generation", {"generation": "#1"}),
    ("сделай его синим", EDIT, {"prompt": "сделай его синим", "image": "#1"}),
    ("сделай ярче", EDIT, {"prompt": "сделай ярче", "image": "#1"}),
    ("добавь шляпу", EDIT, {"prompt": "добавь шляпу", "image": "#1"}),
    ("пусть будет ночь", EDIT, {"prompt": "пусть будет ночь", "image": "#1"}),
    ("оживи её на 4 секунды", VIDEO, {"prompt": FOX, "start_image": "#1", "duration_s": 4}),
    (
        "сделай из этого видео на 3 секунды",
        VIDEO,
        {"prompt": FOX, "start_image": "#1", "duration_s": 3},
    ),
    ("отмени", "cancel_generation", {"generation": "#1"}),
    ("попробуй ещё раз", "retry_generation", {"generation": "#1"}),
    ("готово?", "get_generation", {"generation": "#1"}),
    ("mach es blau", EDIT, {"prompt": "mach es blau", "image": "#1"}),
    ("animiere es", VIDEO, {"prompt": FOX, "start_image": "#1"}),
    ("abbrechen", "cancel_generation", {"generation": "#1"}),
    ("rends-le bleu", EDIT, {"prompt": "rends-le bleu", "image": "#1"}),
    (
        "anime-le pendant 4 secondes",
        VIDEO,
        {"prompt": FOX, "start_image": "#1", "duration_s": 4},
    ),
    ("hazlo azul", EDIT, {"prompt": "hazlo azul", "image": "#1"}),
    ("cancela", "cancel_generation", {"generation": "#1"}),
    ("把它变成蓝色", EDIT, {"prompt": "把它变成蓝色", "image": "#1"}),
    ("让它动起来", VIDEO, {"prompt": FOX, "start_image": "#1"}),
    ("取消", "cancel_generation", {"generation": "#1"}),
    ("青くして", EDIT, {"prompt": "青くして", "image": "#1"}),
    ("キャンセル", "cancel_generation", {"generation": "#1"}),
]


@pytest.mark.parametrize(
    ("text", "tool", "arguments"), FIRST_WORDS, ids=[t for t, *_ in FIRST_WORDS]
)
def test_a_first_request_becomes_its_call(text: str, tool: str, arguments: Message) -> None:
    assert calls(text) == [(tool, arguments)]


@pytest.mark.parametrize(
    ("text", "tool", "arguments"), AFTER_A_PICTURE, ids=[t for t, *_ in AFTER_A_PICTURE]
)
def test_a_request_after_a_picture_speaks_of_it(text: str, tool: str, arguments: Message) -> None:
    assert calls(text, drawn()) == [(tool, arguments)]


def test_an_attached_picture_is_what_it_means() -> None:
    attached = f"\n[attached: {PHOTO} my cat.jpg]"
    assert calls(f"make it blue{attached}", drawn()) == [
        (EDIT, {"prompt": "make it blue", "image": PHOTO})
    ]
    [(tool, arguments)] = calls(f"animate this{attached}")
    assert tool == VIDEO
    assert arguments["start_image"] == PHOTO
    assert arguments["prompt"]


def test_an_attached_picture_is_meant_later_too_until_a_newer_one_is_drawn() -> None:
    attached = [user(f"look\n[attached: {PHOTO} cat.jpg]"), agent("Nice.")]
    assert calls("animate it", attached)[0][1]["start_image"] == PHOTO
    assert calls("animate it", [*attached, *drawn()])[0][1]["start_image"] == "#1"


def test_two_attached_pictures_are_the_beginning_and_the_end_of_a_film() -> None:
    other = PHOTO.replace("cafe", "beef")
    text = f"make a film\n[attached: {PHOTO} a.jpg]\n[attached: {other} b.jpg]"
    [(_, arguments)] = calls(text)
    assert (arguments["start_image"], arguments["end_image"]) == (PHOTO, other)


def test_a_generation_without_a_handle_is_named_by_its_id() -> None:
    [(_, arguments)] = calls("animate it", drawn(handle=None))
    assert arguments["start_image"] == "0199c1d2-0000-7000-8000-000000000001"


def test_a_film_of_a_changed_picture_knows_what_the_picture_shows() -> None:
    first = drawn(1)
    changed = drawn(2, prompt="make it blue", parent_id="0199c1d2-0000-7000-8000-000000000001")
    [(_, arguments)] = calls("animate it", [*first, *changed])
    assert arguments["prompt"] == f"{FOX}, make it blue"


def test_cancel_means_the_newest_work_that_may_still_run() -> None:
    both = [*drawn(1), *drawn(2, "video")]
    assert calls("cancel", both)[0][1] == {"generation": "#2"}
    news = [*both, user("[#2 video completed]\nthanks"), agent("You are welcome.")]
    assert calls("cancel", news)[0][1] == {"generation": "#1"}


def test_again_repeats_what_succeeded_and_retries_what_failed() -> None:
    failed = [*drawn(1), user("[#1 image failed: no luck]\noh"), agent("Sorry.")]
    assert calls("try again", failed) == [("retry_generation", {"generation": "#1"})]
    done = [*drawn(1), user("[#1 image completed]\nnice"), agent("Thanks.")]
    assert calls("again", done) == [(IMAGE, {"prompt": FOX})]


def test_two_requests_in_one_message_are_two_calls() -> None:
    assert calls("Draw a cat and make a 3 second video of a dog") == [
        (IMAGE, {"prompt": "a cat"}),
        (VIDEO, {"prompt": "a dog", "duration_s": 3}),
    ]
    assert [name for name, _ in calls("two videos of the sea")] == [VIDEO, VIDEO]


def test_what_depends_on_a_picture_that_is_not_there_yet_waits_for_the_next_message() -> None:
    assert calls("Draw a cat and then animate it") == [(IMAGE, {"prompt": "a cat"})]


@pytest.mark.parametrize("text", ["animate it", "make it blue", "добавь шляпу", "cancel", "отмени"])
def test_with_nothing_to_speak_of_nothing_is_called(text: str) -> None:
    assert calls(text) == []


@pytest.mark.parametrize("text", ["what's the weather like?", "hello", "привет", "thanks!", "你好"])
def test_talk_is_no_request(text: str) -> None:
    assert calls(text, drawn()) == []
