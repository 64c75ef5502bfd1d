"""What the agent itself says to a person when a turn ends badly, in the languages we speak."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """One sentence for each bad end; what stands in braces is filled in.

    `where` names the chat model's server, `key` the setting of its key.
    """

    bad_key: str
    no_credit: str
    unknown_model: str
    no_model: str
    too_large: str
    too_busy: str
    server_problem: str
    too_long: str
    refused: str
    too_slow: str
    unreachable: str
    endless: str
    broke_off: str
    cut_off: str
    not_understood: str
    filtered: str
    says: str
    too_many_rounds: str
    too_much_text: str
    cut_by_server: str
    nothing_said: str


ENGLISH = Words(
    bad_key="{where} does not accept the key for the chat model. Check {key}.",
    no_credit="The account of the chat model at {where} has no credit left.",
    unknown_model='{where} knows no chat model named "{model}". Check CHAT_MODEL and the address.',
    no_model="{where} lists no chat model. Set CHAT_MODEL.",
    too_large="The conversation or a picture is too large for the chat model.",
    too_busy="The chat model has too much to do at the moment. Try again in a minute.",
    server_problem="The chat model's server has a problem (HTTP {status}). Try again in a while.",
    too_long="This conversation has grown too long for the chat model. Begin a new chat.",
    refused="The chat model refused the request (HTTP {status}).",
    too_slow="The chat model at {where} did not answer in time.",
    unreachable="The chat model at {where} cannot be reached. Is it running?",
    endless="The chat model's answer grew without end and was cut off.",
    broke_off="The chat model broke off with an error. Try again.",
    cut_off="The connection to the chat model broke off in the middle of its answer. Try again.",
    not_understood=(
        "The chat model's server sent an answer that cannot be understood. Check its address, "
        "OPENAI_BASE_URL, which usually ends in /v1."
    ),
    filtered="The chat model's own filter stopped this answer. Try other words.",
    says="It says: {detail}",
    too_many_rounds="I stopped here: one message may take at most {rounds} rounds of tool calls.",
    too_much_text="The answer grew too long and was cut off here.",
    cut_by_server="The answer reached the chat model's length limit and ends here.",
    nothing_said="The chat model gave no answer. Try again.",
)
RUSSIAN = Words(
    bad_key="{where} не принимает ключ для модели чата. Проверьте {key}.",
    no_credit="На счету модели чата у {where} кончились деньги.",
    unknown_model="{where} не знает модели чата «{model}». Проверьте CHAT_MODEL и адрес.",
    no_model="У {where} нет ни одной модели чата. Задайте CHAT_MODEL.",
    too_large="Беседа или картинка слишком велика для модели чата.",
    too_busy="У модели чата сейчас слишком много работы. Попробуйте через минуту.",
    server_problem="На сервере модели чата сбой (HTTP {status}). Попробуйте чуть позже.",
    too_long="Эта беседа стала слишком длинной для модели чата. Начните новый чат.",
    refused="Модель чата отклонила запрос (HTTP {status}).",
    too_slow="Модель чата ({where}) не ответила вовремя.",
    unreachable="Модель чата ({where}) недоступна. Она запущена?",
    endless="Ответ модели чата рос без конца, и его пришлось оборвать.",
    broke_off="Модель чата прервалась из-за ошибки. Попробуйте ещё раз.",
    cut_off="Связь с моделью чата прервалась посреди ответа. Попробуйте ещё раз.",
    not_understood=(
        "Сервер модели чата прислал непонятный ответ. Проверьте его адрес, OPENAI_BASE_URL: "
        "обычно он кончается на /v1."
    ),
    filtered="Этот ответ остановил фильтр самой модели чата. Попробуйте сказать иначе.",
    says="Она сообщает: {detail}",
    too_many_rounds=(
        "Здесь я останавливаюсь: на одно сообщение положено не больше {rounds} заходов с вызовами."
    ),
    too_much_text="Ответ вышел слишком длинным и оборван здесь.",
    cut_by_server="Ответ дошёл до предела длины модели чата и кончается здесь.",
    nothing_said="Модель чата ничего не ответила. Попробуйте ещё раз.",
)
