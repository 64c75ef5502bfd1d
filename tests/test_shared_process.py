"""The server here is a file that says "lit" and a diary; the users are real processes."""

import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared_process import ServerUnavailable, Shared

ROOT = Path(__file__).parents[1]
WAIT_S = 20.0

PROGRAM = """
import subprocess, sys
from pathlib import Path
from shared_process import Shared

class Lamp:
    def is_up(self): return Path("lit").exists()
    def boot(self):
        if "stuck" in sys.argv:
            print("starting", flush=True)
            sys.stdin.readline()
        Path("lit").touch()
    def stop(self): Path("lit").unlink()

shared = Shared(Path(), Lamp())
shared.enter()
if "child" in sys.argv:
    subprocess.Popen(["cat"], close_fds=False)
print("inside", flush=True)
sys.stdin.readline()
"""


class Lamp:
    """A server whose life can be read afterwards."""

    def __init__(self, folder: Path, broken: bool = False) -> None:
        self.lit = folder / "lit"
        self.diary: list[str] = []
        self.broken = broken

    def is_up(self) -> bool:
        return self.lit.exists()

    def boot(self) -> None:
        self.diary.append("boot")
        if self.broken:
            raise ServerUnavailable("no oil")
        self.lit.touch()

    def stop(self) -> None:
        self.diary.append("stop")
        if self.broken:
            raise ServerUnavailable("no breath")
        self.lit.unlink()


class User:
    """Another process that uses the lamp."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=folder,
            env={"PYTHONPATH": str(ROOT)},
            text=True,
        )

    def says(self) -> str:
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], WAIT_S)
        assert ready, "it said nothing in time"
        return self.process.stdout.readline().strip()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(WAIT_S)


@pytest.fixture
def lamp(tmp_path: Path) -> Lamp:
    return Lamp(tmp_path)


@pytest.fixture
def users() -> Iterator[list[User]]:
    born: list[User] = []
    yield born
    for user in born:
        with user.process:
            user.kill()


def test_the_first_one_starts_it_and_the_last_one_stops_it(tmp_path: Path, lamp: Lamp) -> None:
    first, second = Shared(tmp_path, lamp), Shared(tmp_path, lamp)
    first.enter()
    second.enter()
    first.leave()
    assert lamp.is_up()
    second.leave()
    assert lamp.diary == ["boot", "stop"]


def test_entering_and_leaving_twice_counts_once(tmp_path: Path, lamp: Lamp) -> None:
    other = Shared(tmp_path, lamp)
    with Shared(tmp_path, lamp) as shared:
        shared.enter()
        other.enter()
        other.leave()
        other.leave()
        assert lamp.is_up()
    assert lamp.diary == ["boot", "stop"]


def test_entering_again_brings_back_a_killed_server(tmp_path: Path, lamp: Lamp) -> None:
    with Shared(tmp_path, lamp) as shared:
        lamp.lit.unlink()
        shared.enter()
        assert lamp.is_up()
    assert lamp.diary == ["boot", "boot", "stop"]


def test_a_killed_user_is_no_user(tmp_path: Path, lamp: Lamp, users: list[User]) -> None:
    users.append(User(tmp_path))
    assert users[0].says() == "inside"
    with Shared(tmp_path, lamp):
        users[0].kill()
    assert lamp.diary == ["stop"]


def test_a_living_process_of_ours_is_one(tmp_path: Path, lamp: Lamp, users: list[User]) -> None:
    users.append(User(tmp_path))
    assert users[0].says() == "inside"
    with Shared(tmp_path, lamp):
        pass
    assert lamp.diary == []


def test_one_killed_while_starting_it_is_in_nobodys_way(
    tmp_path: Path, lamp: Lamp, users: list[User]
) -> None:
    users.append(User(tmp_path, "stuck"))
    assert users[0].says() == "starting"
    users[0].kill()
    with Shared(tmp_path, lamp, lock_wait_s=1):
        assert lamp.is_up()


def test_a_program_started_by_a_user_does_not_hold_its_place(
    tmp_path: Path, lamp: Lamp, users: list[User]
) -> None:
    users.append(User(tmp_path, "child"))  # The child lives until the fixture closes our pipe.
    assert users[0].says() == "inside"
    users[0].kill()
    with Shared(tmp_path, lamp):
        pass
    assert lamp.diary == ["stop"]


def test_waiting_for_another_one_ends_with_a_sentence(tmp_path: Path, lamp: Lamp) -> None:
    late = Shared(tmp_path, lamp, lock_wait_s=0.1)
    with (
        Shared(tmp_path, lamp).turn(),
        pytest.raises(ServerUnavailable, match=r"start\.lock for more than 0\.1 seconds"),
    ):
        late.enter()
    late.enter()
    late.leave()
    assert lamp.diary == ["boot", "stop"]


def test_who_could_not_start_it_is_not_inside(tmp_path: Path, lamp: Lamp) -> None:
    broken = Lamp(tmp_path, broken=True)
    failed = Shared(tmp_path, broken)
    with pytest.raises(ServerUnavailable, match="no oil"):
        failed.enter()
    with Shared(tmp_path, lamp):
        pass
    failed.leave()
    assert lamp.diary == ["boot", "stop"]
    assert broken.diary == ["boot"]


def test_who_could_not_stop_it_is_outside_all_the_same(tmp_path: Path, lamp: Lamp) -> None:
    leaving = Shared(tmp_path, Lamp(tmp_path))
    leaving.enter()
    leaving.server = Lamp(tmp_path, broken=True)
    with pytest.raises(ServerUnavailable, match="no breath"):
        leaving.leave()
    with Shared(tmp_path, lamp):
        pass
    assert lamp.diary == ["stop"]
