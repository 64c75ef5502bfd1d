"""The words the brain knows, by what they ask for and by language.

Fragments are regular expressions over lower-case text with `ё` written `е`. Those of languages
with spaces match whole words; those of Chinese and Japanese match anywhere.
"""

import re

SOLID = ("zh", "ja")  # written without spaces


def pattern(by_language: dict[str, str]) -> re.Pattern[str]:
    """Compile the fragments of all languages into one pattern."""
    spaced = "|".join(text for name, text in by_language.items() if name not in SOLID)
    solid = "|".join(text for name, text in by_language.items() if name in SOLID)
    whole_words = rf"(?<!\w)(?:{spaced})(?!\w)"
    return re.compile(f"{whole_words}|{solid}" if solid else whole_words)


VIDEO = pattern(
    {
        "en": r"videos?|films?|movies?|clips?|footage|animations?|gifs?|time-?lapse",
        "ru": r"видео\w*|видос\w*|фильм\w*|ролик\w*|клип\w*|анимаци\w+|мульти\w+|гифк\w+",
        "de": r"filmchen|kurzfilm\w*",
        "fr": r"vidéos?",
        "es": r"vídeos?|peli|pel[ií]culas?",
        "zh": "视频|影片|短片|动画|電影|电影",
        "ja": "動画|ビデオ|映像|アニメーション|ムービー",
    }
)
ANIMATE = pattern(
    {
        "en": r"animate|animating|bring (?:\w+ ){1,4}to life|(?:make|let) (?:it|him|her|them"
        r"|this) move"
        r"|set (?:it|this) in motion",
        "ru": r"анимир\w+|ожив\w+|заставь \w+ двигаться|приведи \w+ в движение",
        "de": r"animier\w*|erwecke? .{1,30} zum leben|(?:lass|lasse) (?:es|ihn"
        r"|sie) (?:sich )?bewegen",
        "fr": r"anime[rz]?|anime-l[ea]|donne\w* vie",
        "es": r"anima|animar|an[ií]mal[oa]|dale vida",
        "zh": "(?:让|使)?(?:它|他|她)?动起来|让它动|动画化|变成视频|做成视频",
        "ja": "動かして?|アニメ化(?:して)?|動画にして?|アニメーションにして?",
    }
)
PICTURE = pattern(
    {
        "en": r"pictures?|images?|photos?|photographs?|pics?|drawings?|paintings?|illustrations?"
        r"|sketch(?:es)?|portraits?|posters?|wallpapers?|artworks?|logos?",
        "ru": r"картин\w+|изображени\w+|фото\w*|рисун\w+|иллюстраци\w+|портрет\w*|пейзаж\w*"
        r"|постер\w*|плакат\w*|обои|арт|скетч\w*|наброс\w+|логотип\w*",
        "de": r"bild|bilder|bildes|fotos?|zeichnung(?:en)?|gemälde|poster",
        "fr": r"images?|photos?|dessins?|illustrations?|tableaux?|affiches?",
        "es": r"im[aá]gen(?:es)?|fotos?|dibujos?|ilustraci[oó]n(?:es)?|cuadros?",
        "zh": "图片|照片|图像|插画|一张|图画|画像",
        "ja": "画像|写真|イラスト|絵",
    }
)
DRAW = pattern(  # asks for a picture whatever follows
    {
        "en": r"draw|drawing|paint|painting|sketch|illustrate|depict",
        "ru": r"нарису\w+|рисуй\w*|изобрази\w*|намалюй\w*|нарисовать|набросай\w*",
        "de": r"zeichne\w*|male?|mal",
        "fr": r"dessine\w*|peins|peindre",
        "es": r"dibuja\w*|dib[uú]ja\w*|pinta|píntame",
        "zh": "画|绘",
        "ja": "描いて|描く|描き|書いて",
    }
)
MAKE = pattern(  # asks for something, often a picture
    {
        "en": r"make|create|generate|produce|render|design|imagine|show|give|want|need|get"
        r"|i'd like|i would like|let me see|let's see|let us see|film|shoot",
        "ru": r"сделай\w*|создай\w*|сгенерируй\w*|покажи\w*|хочу|хотел\w*|придумай\w*|дай\w*"
        r"|сделать|создать|сгенерировать|нужн\w+|сними\w*|сотвори\w*|запили",
        "de": r"mach\w*|erstell\w*|generier\w*|erzeug\w*|zeig\w*|gib|möchte|will|brauche",
        "fr": r"fais|faites|faire|crée\w*|cree\w*|créer|génère\w*|génér\w+|montre\w*|imagine"
        r"|donne|veux|voudrais",
        "es": r"haz|hazme|hacer|crea\w*|genera\w*|muestra\w*|muéstrame|dame|quiero|quisiera",
        "zh": "生成|创作|创建|制作|做|来一|给我|想要",
        "ja": "生成|作って|作成|作り|見せて|欲しい|ほしい",
    }
)
EDIT = pattern(  # asks for a change of something that is there
    {
        "en": r"add|remove|delete|erase|replace|swap|change|recolou?r|colou?ri[sz]e|edit|modify"
        r"|crop|brighten|darken|blur|sharpen|retouch|restyle|enhance|instead|tint|convert",
        "ru": r"добавь\w*|добавить|убери\w*|убрать|удали\w*|замени\w*|измени\w*|поменяй\w*"
        r"|перекрас\w+|раскрас\w+|покрас\w+|отредактируй\w*|исправь\w*|переделай\w*|осветли\w*"
        r"|пусть|затемни\w*|надень\w*|дорисуй\w*|пририсуй\w*|сотри\w*|подкрас\w+|размой\w*"
        r"|обработай\w*",
        "de": r"füge?|hinzu|entfern\w*|lösche?|änder\w*|ersetz\w*|färb\w*|bearbeite\w*|verwandle?",
        "fr": r"ajoute\w*|enlève\w*|supprime\w*|change\w*|remplace\w*|modifie\w*|retire\w*"
        r"|rends|rends-l[ea]s?|fais-l[ea]|colorie\w*",
        "es": r"añad\w+|agreg\w+|quit\w+|elimin\w+|cambi\w+|reemplaz\w+|hazl[oa]s?|ponl[oa]s?"
        r"|ponle|modific\w+|edit\w+|colorea\w*|conviért\w+",
        "zh": "改成|变成|变得|加上|加一|添加|去掉|删除|换成|换掉|修改|涂成",
        "ja": "加えて|足して|追加|消して|変えて|変更|取り除|編集|[くに]して(?!いる)",
    }
)
REFERRING = pattern(  # speaks of a picture that is there
    {
        "en": r"it|its|this|that|them|him|her|everything|(?:the|this|that|my|last|previous)"
        r" (?:picture|image|photo|photograph|pic|drawing|painting|sketch|illustration|portrait"
        r"|result|one|background|sky)",
        "ru": r"его|ее|их|это|эту|этот|эти|этого|этой|этим|нее|него|ней|нем|ним|ему|ей|них"
        r"|картинк[ауеи]|картинкой|картину|фото|фотографи[юия]|изображени[еяю]|рисун(?:ок|ка|ку)"
        r"|фон|небо|последн\w+",
        "de": r"es|ihn|sie|das|dies|dieses|daraus|davon|das bild|das foto|ihm|ihr",
        "fr": r"\w+-l[ea]s?|le|la|l'image|ça|cela|cette image|cette photo|ceci",
        "es": r"\w{2,}(?:lo|la|le)|lo|la|esto|eso|esta imagen|la imagen|esta foto|la foto",
        "zh": "它|这张|这个|这幅|这图|图片|照片|他|她",
        "ja": "それ|これ|この|その|彼",
    }
)
CANCEL = pattern(
    {
        "en": r"cancel|stop|abort|halt|never ?mind|forget it|forget about it|don't bother",
        "ru": r"отмен\w+|отстав\w+|останови\w*|стоп|прекрати\w*|хватит|не надо|перестань\w*"
        r"|прерви\w*|забудь",
        "de": r"abbrechen|abbruch|brich|stopp?|stoppe|halt|aufhören|hör|storniere?",
        "fr": r"annule\w*|arrête\w*|arrete\w*|stop|stoppe\w*|laisse tomber",
        "es": r"cancela\w*|cancél\w+|para|detén\w*|deten\w*|detener|alto|olvídalo",
        "zh": "取消|停止|停下|别画了|不要了|算了",
        "ja": "キャンセル|中止|取り消し|やめて|止めて|ストップ",
    }
)
RETRY = pattern(
    {
        "en": r"try (?:it |this |that )?(?:once )?(?:again|once more)|retry|again|once more"
        r"|redo(?: it)?"
        r"|one more time|another try|do over",
        "ru": r"(?:попробуй\w*|давай|сделай|повтори\w*|попытайся|нарисуй)? ?(?:еще раз|снова|заново"
        r"|опять)|повтори\w*|перезапусти\w*|попробуй еще",
        "de": r"(?:noch ?mal|nochmals|erneut|noch einmal)|wiederhol\w*|versuch\w* es",
        "fr": r"réessa\w+|reessa\w+|encore une fois|recommence\w*|de nouveau|à nouveau",
        "es": r"otra vez|de nuevo|reintent\w+|intenta\w*|repite\w*|inténtalo",
        "zh": "再试|重试|再来一次|再画一次|重新",
        "ja": "もう一度|再試行|やり直し|もういちど|リトライ",
    }
)
MINE = pattern(
    {
        "en": r"what (?:have|did|do) i (?:made|make|drawn|draw|have|created|create|got)"
        r"|what i(?:'ve| have)? (?:made|drawn|created)|(?:list|show|see|give|find)(?: me)?(?: all)?"
        r"(?: of)? (?:my|the last|my last|everything|what i)|my (?:last |recent |latest |own )?"
        r"(?:\d+ )?(?:pictures|images|videos|films|generations|creations|works|drawings|gallery"
        r"|history|stuff)|history|gallery|what (?:was|has been) made|list (?:everything|all)",
        "ru": r"что я (?:уже )?(?:сделал\w*|нарисовал\w*|создал\w*|наделал\w*)|мо(?:и|их|ими)"
        r" (?:картин\w+|видео|фильм\w*|работ\w*|рисун\w+|генераци\w+|ролик\w*|изображени\w+)"
        r"|история"
        r"|истори[юи]|галере\w+|что (?:уже )?(?:было )?(?:сделано|нарисовано|готово)"
        r"|что у меня есть|(?:покажи|дай) (?:мне )?(?:список|все)|список",
        "de": r"was habe ich (?:\w+ )?(?:gemacht|erstellt|gezeichnet)|meine (?:bilder|videos|filme"
        r"|werke)|zeig\w* meine|verlauf",
        "fr": r"qu'ai-je (?:fait|créé|dessiné)|mes (?:images|vidéos|créations|films|dessins)"
        r"|historique|ce que j'ai (?:fait|créé)",
        "es": r"qu[ée] he (?:hecho|creado|dibujado)|mis (?:imágenes|imagenes|vídeos|videos"
        r"|creaciones|dibujos)|historial",
        "zh": "我的作品|我的图片|我的视频|我画了什么|我做了什么|我做过|历史|列出我",
        "ja": "私の作品|何を作った|作ったもの|履歴|一覧",
    }
)
MODELS = pattern(
    {
        "en": r"(?:which|what|list|show|any|available)(?: \w+){0,4} (?:models?|painters?)|models"
        r"|what can you (?:do|make|draw)|what (?:do|are) you able|what are your (?:skills"
        r"|abilities)"
        r"|capabilities|what is possible|what's possible",
        "ru": r"(?:каки\w+|что за|список|покажи)(?: \w+){0,3} модел\w+|модели|что ты (?:умеешь"
        r"|можешь)"
        r"|что (?:вы )?умеете|твои возможности|возможности|что можно",
        "de": r"(?:welche|was für)(?: \w+){0,3} modelle?|modelle|was kannst du",
        "fr": r"(?:quels|quelles)(?: \w+){0,3} modèles?|modèles|que (?:peux|sais)-tu(?: faire)?"
        r"|qu'est-ce que tu (?:peux|sais)",
        "es": r"(?:qué|que|cuáles|cuales)(?: \w+){0,3} modelos|modelos|qu[ée] (?:puedes"
        r"|sabes) hacer",
        "zh": "什么模型|哪些模型|模型列表|你能做什么|你会什么|你会做什么|有什么模型",
        "ja": "どのモデル|モデル一覧|何ができ|モデルは|できること",
    }
)
STATUS = pattern(
    {
        "en": r"(?:is|are) (?:it|they|this|that|the \w+|my \w+|#\d+(?:\.\d+)?) (?:\w+ )?"
        r"(?:ready|done|finished|complete|completed)|(?:ready|done|finished) yet|status|progress"
        r"|how (?:is|are|'s|long)(?: \w+){1,4} (?:going|coming|doing|left|take)|how's it going"
        r"|how long|how far|what's the status|still (?:working|running)|what happened(?: to \w+)?"
        r"|where is (?:it|my \w+|the \w+)|ready\?",
        "ru": r"готов[оаы]?(?: ли)?|статус\w*|прогресс|как (?:там|дела)(?: \w+){0,3}"
        r"|долго (?:еще|ли)"
        r"|еще долго|скоро(?: ли)?|сколько (?:еще|осталось)|что с (?:ним|ней|видео|картинк\w+"
        r"|фильм\w+)"
        r"|закончил\w*|где (?:моя|мое|мой|картинка|видео)",
        "de": r"ist (?:es|er|sie|das \w+|mein \w+) (?:schon )?fertig|schon fertig|fertig|wie weit"
        r"|wie lange noch|wie lange|stand",
        "fr": r"(?:c'est|est-ce|est-il|elle est|il est|est-elle) (?:\w+ )?prête?|prête?|où en est"
        r"|combien de temps|statut|avancement",
        "es": r"(?:ya )?está (?:ya )?(?:list[oa]|terminad[oa])|(?:ya )?esta list[oa]|ya está"
        r"|estado|cuánto falta|cuanto falta|progreso",
        "zh": "好了吗|完成了吗|做好了吗|画好了吗|进度|状态|多久",
        "ja": "できましたか|できた[?？]|完成しましたか|終わりましたか|進捗|状況|まだですか",
    }
)
HELLO = pattern(
    {
        "en": r"hi|hello|hey|hiya|good (?:morning|evening|afternoon|day)|help|help me|who are you"
        r"|how does this work|what is this|how are you",
        "ru": r"привет\w*|здравствуй\w*|добр\w+ (?:день|вечер|утро)|помощь|помоги\w*|кто ты"
        r"|что это|как это работает|хай|салют",
        "de": r"hallo|guten (?:tag|morgen|abend)|hilfe|servus|wer bist du",
        "fr": r"bonjour|salut|bonsoir|aide|aide-moi|coucou|qui es-tu",
        "es": r"hola|buenos días|buenas (?:tardes|noches)|buenas|ayuda|ayúdame|quién eres",
        "zh": "你好|您好|帮助|嗨|你是谁",
        "ja": "こんにちは|おはよう|こんばんは|はじめまして|ヘルプ|助けて|あなたは誰",
    }
)
THANKS = pattern(
    {
        "en": r"thanks|thank you|thx|great|nice|cool|awesome|perfect|lovely|beautiful|wow|good job"
        r"|well done",
        "ru": r"спасибо|благодар\w+|отлично|супер|класс|круто|красиво|здорово|молодец|прекрасно",
        "de": r"danke|vielen dank|super|toll|schön|prima",
        "fr": r"merci|super|génial|parfait|magnifique",
        "es": r"gracias|genial|perfecto|estupendo|bonito",
        "zh": "谢谢|多谢|太好了|很棒|好看",
        "ja": "ありがとう|すごい|素晴らしい|きれい|最高",
    }
)
YES = pattern(
    {
        "en": r"yes|yeah|yep|sure|ok|okay|please do|go ahead|do it",
        "ru": r"да|ага|конечно|ок|окей|хорошо|давай",
        "de": r"ja|klar|gerne|jawohl",
        "fr": r"oui|d'accord|bien sûr",
        "es": r"sí|si|claro|vale|de acuerdo",
        "zh": "^好的?$|^是的?$|^可以$",
        "ja": "^はい|^お願いします|^うん",
    }
)
FROM_PICTURE = pattern(  # makes a film of a picture that is there
    {
        "en": r"(?:turn|make|convert|transform|change) (?:it|this|that|(?:the|this|that"
        r"|my) \w+) in ?to"
        r"|(?:of|from|out of|using|based on) (?:it|this|that)(?: (?:picture|image|photo|one"
        r"|drawing))?"
        r"|(?:of|from|out of|using|with|based on) (?:the|my|that|this) (?:picture|image|photo"
        r"|drawing)",
        "ru": r"(?:из|по|на основе) (?:этого|этой|нее|него|картинк[иеу]|этой картинк[ие]|фото\w*"
        r"|этого фото|этого рисунка|рисунка|изображения|этого изображения)|преврати \w+ в",
        "de": r"daraus|davon|aus (?:dem|diesem|meinem) (?:bild|foto)|(?:von|aus) ihm",
        "fr": r"(?:de|avec|à partir de) (?:ça|cela|cette (?:image|photo)|l'image|ma photo)",
        "es": r"(?:de|con|a partir de) (?:esto|eso|esta (?:imagen|foto)|la (?:imagen|foto)"
        r"|mi foto)",
        "zh": "用(?:这|它)[张幅个]?(?:图片?|照片)?|把(?:它|这[张幅个]?(?:图片?|照片)?)",
        "ja": "(?:これ|それ|この(?:絵|画像|写真))(?:から|を|で)",
    }
)
DISLIKE_OF_VIDEO = re.compile(r"video (?:game|camera|player|card)|film (?:grain|camera|noir)")
QUESTION = pattern(
    {
        "en": r"^(?:what|who|when|where|why|how|which|is|are|do|does|did|was|were|has|have|should)",
        "ru": r"^(?:что|кто|когда|где|почему|зачем|как|какой|какая|какие|сколько|чем|куда|откуда)",
        "de": r"^(?:was|wer|wann|wo|warum|wie|welche\w*|ist|sind|hast|kannst)",
        "fr": r"^(?:que|qui|quand|où|pourquoi|comment|quel\w*|est-ce|combien)",
        "es": r"^(?:qué|quién|cuándo|dónde|por qué|cómo|cuál\w*|cuánt\w+)",
        "zh": "吗|什么|为什么|怎么",
        "ja": "ですか|なぜ|どうして|いつ|どこ",
    }
)
DEFINITE = pattern(
    {
        "en": r"^(?:the|this|that|these|those|my|his|its)",
        "ru": r"^(?:этот|эту|это|эти|наш\w*|мо[йюеи])",
        "de": r"^(?:der|die|das|den|dem|mein\w*)",
        "fr": r"^(?:le|la|les|cette|ce|mon|ma)",
        "es": r"^(?:el|la|los|las|este|esta|mi)",
    }
)
INDEFINITE = pattern(
    {
        "en": r"^(?:an?|one|two|three|some|several)",
        "de": r"^(?:ein|eine|einen|einem|zwei|drei)",
        "fr": r"^(?:un|une|des|deux|trois)",
        "es": r"^(?:un|una|unos|unas|dos|tres)",
        "ru": r"^(?:один|одна|два|две|три|несколько)",
    }
)
