"""What to draw, without the words that only ask for it: the subject stays as it was written."""

import re

from emulators.brain.slots import FILMS, PICTURES
from emulators.brain.text import normalise

MAX_ASKING_WORDS = 20
POLITE = (
    r"please|hey|hi|hello|ok|okay|now|then|so|and|well|let's|let us|just|also|next|again"
    r"|(?:can|could|would|will) you(?: please)?|i(?:'d| would) like(?: you)?(?: to)?(?: (?:see"
    r"|have))?"
    r"|i want(?: you)?(?: to)?(?: (?:see|have))?|i need(?: you)?(?: to)?|kinora|could i (?:get"
    r"|have)"
    r"|can i (?:get|have)|how about|what about"
    r"|пожалуйста|привет|а|и|теперь|потом|затем|ну|давай(?:те)?|можешь|можете|можно"
    r"|не мог(?:ла)? бы ты"
    r"|мне|нам|хочу(?: увидеть)?|хотел(?:а)? бы(?: увидеть)?|нужн[аоы]?|прошу|еще|лучше|снова"
    r"|bitte|jetzt|nun|dann|kannst du|könntest du|hallo|ich (?:möchte|will|hätte gern)(?: gern)?"
    r"|s'il (?:te|vous) plaît|maintenant|peux-tu|pouvez-vous|bonjour|je (?:veux|voudrais)"
    r"|por favor|ahora|puedes|podrías|hola|quiero|quisiera"
)
VERBS = (
    r"draw|paint|sketch|illustrate|depict|make|create|generate|produce|render|design|imagine|show"
    r"|give|animate|film|shoot|do|get"
    r"|нарису\w+|рисуй\w*|изобрази\w*|намалюй\w*|нарисовать|набросай\w*|сделай\w*|создай\w*"
    r"|сгенерируй\w*|покажи\w*|придумай\w*|дай|сделать|создать|сгенерировать|сними\w*|анимир\w+"
    r"|оживи\w*|запили|сотвори\w*"
    r"|zeichne\w*|male?|mal|mach\w*|erstell\w*|generier\w*|erzeug\w*|zeig\w*|animier\w*"
    r"|dessine\w*(?:-moi)?|peins(?:-moi)?|fais(?:-moi)?|faites|crée\w*(?:-moi)?|créer"
    r"|génère\w*(?:-moi)?"
    r"|montre(?:-moi)?|anime[rz]?"
    r"|dibuja\w*|dib[uú]jame|pinta|píntame|haz|hazme|crea|créame|genera|muestra|muéstrame|dame"
    r"|anima"
)
TO_WHOM = r"(?:me|us|for me|мне|нам|mir|uns|moi|nous)(?=\s|$)"
ARTICLE = (
    r"(?:an?|the|one|some|another|my|your|ein|eine|einen|das|der|die|une?|le|la|l'|una?|el|unos"
    r"|еще один|еще одну|один|одну|одно|какую-нибудь|какое-нибудь|какой-нибудь)"
)
ADJECTIVE = (
    r"(?:short|long|new|nice|little|small|quick|simple|single|beautiful|pretty|cool|great"
    r"|коротк\w+|небольш\w+|маленьк\w+|нов\w+|красив\w+|прост\w+|kurzes?|kurzen|neues|schönes"
    r"|petite?|courte?|nouvelle|belle|corto|nuevo|bonit[oa])"
)
MEDIA = (
    rf"(?:{PICTURES}|{FILMS}|animations?|footage|gifs?|анимаци\w+|мульти\w+|гифк\w+|bild"
    rf"|foto|imagen|imágen|foto|dibujo|animación|zeichnung|dessin)"
)
ABOUT = (
    r"(?:of|about|showing|that shows|with|where|in which|featuring|из|про|о|об|обо|с|со|где"
    r"|в котор\w+"
    r"|на котор\w+|von|vom|mit|über|wo|de|du|d'|des|avec|où|sobre|con|donde)"
)
FRONT = re.compile(
    rf"[\s,.:;!—-]*(?:(?<!\w)(?:{POLITE})(?![\w'])[\s,!:]*)"
    rf"|[\s,.:;!—-]*(?:{VERBS})(?![\w'])(?:\s+{TO_WHOM})?\s*:?"
)
MEDIA_FRONT = re.compile(
    rf"\s*(?:{ARTICLE}\s+)?(?:{ADJECTIVE}\s+)*{MEDIA}(?!\w)(?:\s*[:,—-]\s*|\s+{ABOUT}(?:\s+"
    rf"|(?<='))|\s*$)"
)
RUSSIAN_MEDIA = re.compile(
    r"\s*(?:картин(?:ку|ка|ки)|изображени[ея]|рисун(?:ок|ки)|фото(?:графи[юия])?|видео|ролик"
    r"|фильм)\s+"
)
LEFT_ABOUT = re.compile(r"\s*(?:of|about|showing|про|о|об|von|de|sobre)\s+")
SOLID_FRONT = re.compile(
    r"\s*(?:请|帮我|给我|我想要|你能|能不能|可以|现在|再)*(?:画|绘制|绘|生成|创作|创建|制作|做"
    r"|来)(?:出|了)?"
    r"(?:一)?(?:[张幅个段只条](?=[^\s]))?(?:短片|视频|影片|动画|电影|图片|照片|图)?(?:[:：，,])?"
)
SOLID_ABOUT = re.compile(
    r"^(?:关于|一段|一个)|的(?:短片|视频|影片|动画|电影|图片|照片|图像|图|画|插画)$"
)
JAPANESE_END = re.compile(
    r"(?:の(?:絵|画像|イラスト|写真|動画|ビデオ|映像|アニメーション))?(?:を|が|に)?"
    r"(?:描いて|描く|書いて|生成して|作って|作成して|見せて|アニメ化して|動画にして|欲しい"
    r"|ほしい|お願いします)"
    r"(?:ください|下さい|くれ|みて|ほしい)?(?:ますか)?[。！!？?]*$"
)
END = re.compile(
    r"(?:[\s,]+(?<!\w)(?:please|thanks|thank you|for me|now|пожалуйста|спасибо|плиз|bitte|danke"
    r"|s'il (?:te|vous) plaît|merci|por favor|gracias|请|谢谢))+[\s.!?]*$"
)
EDGES = ' \t\r\n,.;:!?-—。！？，、："«»“”'


def tidy(text: str) -> str:
    """Return a text with single spaces and no punctuation left over at its ends."""
    text = re.sub(r"\s+", " ", text)
    text = re.sub(r"\s+([,.;:!?])", r"\1", text)
    text = re.sub(r"([,;:])(?:\s*[,;:])+", r"\1", text)
    return text.strip(EDGES)


def strip_request(text: str) -> str:
    """Return what is left of a request when asking words are taken from its ends."""
    text = tidy(text)
    if match := END.search(normalise(text)):
        text = text[: match.start()]
    for _ in range(MAX_ASKING_WORDS):
        match = FRONT.match(normalise(text))
        if not match or match.end() == 0:
            break
        text = text[match.end() :]
    text = strip_media(strip_media(text))
    if match := SOLID_FRONT.match(text):
        text = text[match.end() :]
        text = SOLID_ABOUT.sub("", text.strip(EDGES)).lstrip("个 ")
    text = JAPANESE_END.sub("", text)
    return tidy(text)


def strip_media(text: str) -> str:
    """Return `a boat` for `a short film of a boat`."""
    if match := MEDIA_FRONT.match(normalise(text)):
        return text[match.end() :]
    if match := RUSSIAN_MEDIA.match(normalise(text)):
        return text[match.end() :]  # what follows stands in the genitive: картинку кота
    if match := LEFT_ABOUT.match(normalise(text)):
        return text[match.end() :]
    return text


def strip_politeness(text: str) -> str:
    """Return an instruction as it was written, without please and thank you."""
    text = text.strip()
    if match := END.search(normalise(text)):
        text = text[: match.start()]
    polite = re.compile(rf"[\s,.:;!—-]*(?<!\w)(?:{POLITE})(?![\w'])[\s,!:]*")
    for _ in range(MAX_ASKING_WORDS):
        match = polite.match(normalise(text))
        if not match or match.end() == 0:
            break
        text = text[match.end() :]
    return tidy(text)
