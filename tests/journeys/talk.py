"""Messages sent while something is away, and what became of them."""

from __future__ import annotations

import psycopg
from playwright.async_api import Page

#: What a browser writes into its console of its own accord while the database is away.
REFUSED = tuple(
    f"status of 503 (Service Unavailable) at {path}"
    for path in ("/project/threads", "/api/generations", "/api/events")
)
DATABASE_AWAY = (
    *REFUSED,
    "net::ERR_INCOMPLETE_CHUNKED_ENCODING at /api/events",
    # Chainlit's list of chats repeats how it was refused.
    ": Service Unavailable\n",
)
#: And when the line to the server breaks.
LINE_BROKEN = ("net::ERR_", "WebSocket connection to")
#: The answer to a message, once there is one and the turn is over.
HEARD = """(text) => {
  const all = [...document.querySelectorAll('[data-step-type$=_message]')]
  const mine = (step) => step.dataset.stepType === 'user_message' && step.innerText.includes(text)
  const answer = all[all.findLastIndex(mine) + 1]
  if (!all.some(mine) || document.getElementById('stop-button')) return null
  return answer?.innerText.trim() || null
}"""


async def say_and_hear(page: Page, text: str, within_s: float = 60.0) -> str:
    """Send a message, whatever stands in the field; returns what the page answers."""
    await page.click("#chat-input")
    await page.keyboard.press("Control+A")
    await page.keyboard.insert_text(text)
    await page.wait_for_selector("#chat-submit:not([disabled])")
    await page.keyboard.press("Enter")
    heard = await page.wait_for_function(HEARD, arg=text, timeout=within_s * 1000)
    return str(await heard.json_value())


def stored_messages(url: str) -> list[str]:
    """What people said, as the database has it."""
    with psycopg.connect(url) as connection:
        query = "select output from kinora.steps where type = 'user_message' order by output"
        said = [str(row[0]) for row in connection.execute(query)]
    return [text.removeprefix("[[say: ").removesuffix("]]") for text in said if "say:" in text]
