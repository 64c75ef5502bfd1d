"""`python -m bench`: the benchmarks one after the other, each in a process of its own.

make bench                         all
make bench ARGS="--cold"           also the first start on a fresh machine: downloads
make bench ARGS="--quick"          the longer ones in short
make bench ARGS="start page"       some
"""

from __future__ import annotations

import argparse
import subprocess
import sys

from settings import ROOT

#: In order: what a person feels first.
BENCHMARKS = (
    *("start", "page", "tokens", "threads", "access", "cards", "stream", "transport"),
    *("polls", "generations", "companies", "doors", "workers", "imports"),
)
#: Those that can be measured by fewer and smaller rounds.
QUICK = frozenset(
    {
        "tokens",
        "threads",
        "access",
        "cards",
        "polls",
        "generations",
        "companies",
        "doors",
        "workers",
        "imports",
    }
)


def main() -> int:
    """Run what is asked for; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="the benchmarks")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}")
    parser.add_argument("--cold", action="store_true", help="`start` installs from nothing too")
    parser.add_argument("--quick", action="store_true", help=f"shorter: {', '.join(sorted(QUICK))}")
    options = parser.parse_args()
    if strangers := set(options.names) - set(BENCHMARKS):
        parser.error(f"no benchmark is called {', '.join(sorted(strangers))}")
    failed = []
    for name in options.names or BENCHMARKS:
        more = ["--cold"] * (options.cold and name == "start")
        more += ["--quick"] * (options.quick and name in QUICK)
        command = [sys.executable, "-m", f"bench.{name}", *more]
        if subprocess.run(command, cwd=ROOT, check=False).returncode != 0:
            failed.append(name)
    for name in failed:
        print(f"{name} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
