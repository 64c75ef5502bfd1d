"""Asks after a server's health every ten milliseconds, in a process of its own, until its standard
input ends; then it prints how many milliseconds each answer took.

    python -m bench.health_probe URL
"""

from __future__ import annotations

import json
import sys
import threading
import time

import httpx

EVERY_S = 0.01
PATIENCE_S = 120.0


def until_told(ended: threading.Event) -> None:
    """Wait for the end of the standard input."""
    sys.stdin.read()
    ended.set()


def main(url: str) -> None:
    """Say when it begins, ask again and again, tell."""
    ended = threading.Event()
    took_ms: list[float] = []
    with httpx.Client(base_url=url, trust_env=False, timeout=PATIENCE_S) as client:
        client.get("/healthz")
        threading.Thread(target=until_told, args=(ended,), daemon=True).start()
        print("asking", flush=True)
        while not ended.wait(EVERY_S):
            began = time.perf_counter()
            client.get("/healthz")
            took_ms.append((time.perf_counter() - began) * 1000)
    print(json.dumps(took_ms), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
