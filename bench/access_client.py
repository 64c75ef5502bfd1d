"""A client of `bench.access`, in a process of its own so that its work is not counted as the
server's: for each line that tells how many, it sends as many requests and answers with a line.

    python -m bench.access_client URL KEY
"""

from __future__ import annotations

import json
import sys

import httpx


def main(url: str, key: str) -> None:
    """Send what is asked for, one request after the other over one connection."""
    with httpx.Client(headers={"Authorization": f"Bearer {key}"}, trust_env=False) as client:
        for line in sys.stdin:
            wanted = json.loads(line)
            for _ in range(wanted["requests"]):
                if client.post(url, json=wanted["body"]).status_code != 202:
                    raise SystemExit("a request was not accepted")
            print("done", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
