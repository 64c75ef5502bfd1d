"""The words the painter sees in a prompt, as stems in several languages.

A stem matches the beginning of a word; one that ends in `$` the whole word; Chinese and
Japanese ones anywhere. The first name that matches wins where only one is wanted.
"""

import re
from collections.abc import Iterator
from typing import TypeVar

Name = TypeVar("Name")

TIMES = {
    "night": "night$ nights$ midnight starry nocturn ноч полноч звездн nacht nuit noche 夜 星",
    "sunset": "sunset evening golden закат вечер sonnenuntergang abend coucher soir atardecer ocaso"
    " 夕 日落 黄昏 傍晚",
    "dusk": "dusk twilight сумерк dämmerung crépuscule crepúsculo blue$hour",
    "dawn": "dawn sunrise morning рассвет утр заря зари восход sonnenaufgang morgen aube amanecer"
    " 日出 清晨 朝",
    "day": "day$ daylight noon sunny день днем полдень солнечн tag$ mittag jour$ midi día mediodía"
    " 白天 昼",
    "overcast": "overcast cloudy grey$sky gloomy пасмурн облачн туч bewölkt nuageux nublado 阴天",
}
SETTINGS = {
    "space": "on$the$moon на$луне space$ galaxy cosmos planet universe nebula космос космич"
    " галактик вселенн weltraum"
    " espace$ espacio 宇宙 太空",
    "underwater": "underwater coral reef ocean$floor deep$sea подводн под$водой коралл риф"
    " unterwasser sous-marin submarin 海底 水下 水中",
    "city": "city skyline town street skyscraper downtown urban город улиц небоскреб stadt ville$"
    " ciudad 城市 都市 街",
    "sea": "sea$ seaside ocean beach wave waves coast shore lake$ lakes river harbor harbour water$"
    " bay море моря морем морск океан пляж волн берег озер рек река реки реке пруд вод meer see$"
    " strand küste fluss mer$ océan plage lac$ rivière mar$ playa lago río 海 湖 河 水辺",
    "desert": "desert dune dunes sahara sand$ sandy пустын дюн песк песчан wüste désert desierto"
    " 沙漠 砂漠",
    "mountains": "mountain mountains peak peaks alps cliff canyon гор$ гора горы горе гору горах"
    " горн горой скал вершин альп berg berge montagne montaña 山",
    "forest": "forest wood$ woods jungle pine pines trees лес$ леса лесу лесом лесн бор$ бору"
    " джунгл тайг ельник wald forêt bosque selva 森 林",
    "meadow": "meadow field fields garden grass park$ prairie lawn луг$ луга лугу лугом поле поля"
    " полем сад$ саду сада трав парк wiese feld garten prairie champ jardin prado campo jardín"
    " 草原 草地 花园 庭",
}
WEATHERS = {
    "snow": "snow snowy snowfall winter blizzard frost frozen ice$ icy arctic christmas снег снежн"
    " зим метел мороз лед$ льд schnee winter neige hiver nieve invierno 雪 冬",
    "rain": "rain rainy storm stormy drizzle дожд ливен гроз шторм regen gewitter pluie orage"
    " lluvia tormenta 雨 嵐",
    "fog": "fog foggy mist misty haze туман дымк мгл nebel brume brouillard niebla 雾 霧",
    "aurora": "aurora northern$lights polar$lights полярн$сиян северн$сиян nordlicht aurore 极光"
    " オーロラ",
}
COLOURS = {
    "red": "red$ crimson scarlet ruby красн алый алая алое ал$ багров rot$ rote rotes roten roter"
    " rouge rojo roja 红 赤",
    "orange": "orange amber рыж оранжев янтарн orangef roux rousse naranja 橙 オレンジ",
    "yellow": "yellow golden$ gold$ желт золот gelb jaune amarill dorad 黄 金",
    "green": "green emerald зелен изумруд grün vert$ verte verde 绿 緑",
    "turquoise": "turquoise teal cyan бирюз голуб türkis cian 青绿 水色",
    "blue": "blue azure синий синя синю синего синее синим синей синих синие син$ лазур blau bleu"
    " azul 蓝 青",
    "purple": "purple violet lavender lilac фиолет пурпур лилов сирен lila violett viola morad"
    " púrpura 紫",
    "pink": "pink rose$ rosy magenta розов rosa$ 粉 ピンク 桃",
    "brown": "brown chocolate коричнев бур$ бурый бурая braun brun marron marrón 棕 褐 茶",
    "black": "black ebony черн schwarz noir negro negra 黑 黒",
    "white": "white ivory бел$ белый белая белое белую белого белой белые белых белым weiß blanc"
    " blanco blanca 白",
    "grey": "grey gray silver сер$ серый серая серое серую серого серой серые серебр grau gris"
    " plata 灰",
}
SUBJECTS = {
    "fox": "fox foxes лис$ лиса лису лисы лисой лисиц лисен fuchs renard zorr 狐",
    "wolf": "wolf wolves волк волч wolf loup$ lobo 狼",
    "cat": "cat cats kitten kitty кот$ кота коту котом котик коте коты котов кошк котен katze"
    " kätzchen kater chat$ chaton gato gata gatito 猫",
    "dog": "dog dogs puppy puppies doggy corgi собак пес$ пса псу псом щен hund hunde welpe chien"
    " chiot perro perra perrito 狗 犬",
    "rabbit": "rabbit rabbits bunny hare зай кролик hase kaninchen lapin conejo 兔 うさぎ ウサギ",
    "bear": "bear bears teddy медвед медвеж мишк bär ours oso$ 熊",
    "panda": "panda pandas панд 熊猫 パンダ",
    "owl": "owl owls сов$ сова сову совы совой филин eule hibou búho lechuza 猫头鹰 フクロウ",
    "bird": "bird birds sparrow robin parrot seagull swallow raven crow eagle птиц птич воробе"
    " попуга чайк ласточ ворон орел vogel vögel oiseau pájar ave$ 鸟 鳥",
    "whale": "whale whales кит$ кита китом киты wal$ baleine ballena 鲸 鯨 クジラ",
    "fish": "fish fishes goldfish shark рыб акул fisch poisson pez peces 鱼 魚",
    "butterfly": "butterfly butterflies бабоч мотыл schmetterling papillon mariposa 蝴蝶 蝶",
    "lighthouse": "lighthouse lighthouses маяк leuchtturm phare faro 灯塔 灯台",
    "castle": "castle castles palace tower$ fortress замок замк дворц дворец крепост башн schloss"
    " burg château castillo 城堡 お城",
    "house": "house houses home cottage cabin hut дом$ дома дому домом доме домик изб хижин haus"
    " hütte maison casa$ cabaña 房子 屋 家$",
    "boat": "boat boats ship ships sail sailboat sailing yacht лодк корабл парус яхт катер boot"
    " schiff bateau voilier barco velero 船 舟",
    "balloon": "balloon balloons воздушн шар$ шара шары шаром шарик аэростат ballon heißluft"
    " montgolfière globo 气球 気球",
    "rocket": "rocket rockets spaceship spacecraft ракет звездол космическ$кораб rakete fusée"
    " cohete 火箭 ロケット",
    "car": "car cars automobile truck машин$ машина машину машины машиной авто автомоб auto$ wagen"
    " voiture coche carro 汽车 車",
    "robot": "robot robots android робот roboter robot 机器人 ロボット",
    "person": "person people man$ woman girl boy child traveler traveller hiker knight king queen"
    " wizard astronaut human figure человек люди мужчин женщин девуш девоч мальчик ребен путник"
    " рыцар корол волшебн космонавт астронавт mann$ frau mädchen junge$ mensch homme femme fille"
    " garçon hombre mujer niña niño 人 女孩 男孩 少女 少年",
    "flower": "flower flowers rose$ roses tulip daisy sunflower poppy цвет$ цветок цветы цветк"
    " цветов роз$ роза розу розы тюльпан ромашк подсолн мак$ маки blume blumen fleur flor$ flores"
    " 花",
    "mushroom": "mushroom mushrooms гриб мухомор pilz champignon$ seta hongo 蘑菇 キノコ",
    "tree": "tree oak birch дерев дуб$ дуба берез baum bäume arbre árbol 树 木",
    "moon": "moon moonlight лун$ луна луну луны луной полнолун mond lune$ luna 月",
    "sun": "sun$ солнц sonne soleil sol$ 太阳 太陽",
    "hat": "hat$ hats cap$ шляп шапк кепк hut$ chapeau sombrero 帽",
}
COUNTS = {
    2: "two pair couple два две пара пару двое zwei deux dos 两 二",
    3: "three три трое drei trois tres 三",
    4: "four четыре vier quatre cuatro 四",
    5: "five several many some$ group flock пять несколько много ста$ стая стаю fünf cinq cinco 五",
}


def stem_pattern(stems: str) -> re.Pattern[str]:
    """Compile a list of stems; a `$` inside a stem stands for a space."""
    parts = []
    for stem in stems.split():
        solid = not re.match(r"[a-zа-яäöüßéèêçàôîûñáíóúœ-]", stem)
        ends = stem.endswith("$")
        body = re.escape(stem.rstrip("$").replace("$", " "))
        parts.append(body if solid else rf"(?<!\w){body}" + (r"(?!\w)" if ends else r"\w*"))
    return re.compile("|".join(parts))


def compiled(table: dict[Name, str]) -> dict[Name, re.Pattern[str]]:
    """Compile a whole table."""
    return {name: stem_pattern(stems) for name, stems in table.items()}


def matches(table: dict[Name, re.Pattern[str]], text: str) -> Iterator[tuple[Name, re.Match[str]]]:
    """Yield every name that a text speaks of, with the first place where it does."""
    for name, pattern in table.items():
        if match := pattern.search(text):
            yield name, match
