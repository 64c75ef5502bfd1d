"""Whatever happens in whatever order, what was promised of a generation holds (P1 to P4 in
`docs/durability.md`): none is lost, an attempt is accepted once, everything is settled by its
deadline, there is one set of files and one cost.

Workers take generations up, stop in any gap, die, freeze and lose their lock; the provider
refuses, forgets and keeps its answers back; news come early, late, twice; people change their mind;
the clock jumps. The decisions are those of `generations.lifecycle`, which production asks, too. A
rule that is broken on purpose has to be found.
"""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from hypothesis.stateful import run_state_machine_as_test as run_machine

from db import generations
from generations import lifecycle
from generations.lifecycle import Status
from providers.contract import LostSubmit
from tests.generations import life_model
from tests.generations.broken_rules import PLANTS, RARE, Plant
from tests.generations.life_driver import Driver
from tests.generations.life_model import Broken, Clock, Life, RemoteProvider, World, hold

#: How often, in the suite, on demand, and until a broken rule is found from this seed.
RUNS, LONG_RUNS, PLANT_RUNS, PLANT_SEED = 2000, 30_000, 4000, 2
WAYS: tuple[LostSubmit, ...] = ("ask", "key", "webhook", "lookup")
CLOCK_S = (1, 5, 5, 20, 31, 31, 31, 31, 120, 620, 86_500)
#: So many steps let everything come to its end, and many more.
PATIENCE_STEPS = 3000
ENDS = ("killed", "frozen", "frozen", "thawed")
FATES = ("done", "done", "failed", "forgotten", "running", "running")
WISHES = ("cancel", "retry", "retry", "retry", "retry", "delete")
ROWS_MAX, STEPS, STORM = 3, 8, 20
FLAG = st.booleans()
ANY = st.integers(0, 63)
TURNS = st.binary(min_size=12, max_size=64)


class AnyLife(RuleBasedStateMachine):
    """The world, and all that can happen to it."""

    def __init__(self) -> None:
        super().__init__()
        clock = Clock()
        self.world = World(hears=False, clock=clock, provider=RemoteProvider(clock))
        self.drivers: list[Driver] = []

    @initialize(hears=FLAG, ways=st.lists(st.sampled_from(WAYS), min_size=1, max_size=2))
    def begin(self, hears: bool, ways: list[LostSubmit]) -> None:
        self.world.hears = hears
        for way in ways:
            self.world.accept(way)

    def take(self, generation_id: int, worker: int) -> None:
        """A worker fetches a call; the engine has one of a generation carried out at a time."""
        self.world.todo.discard(generation_id)
        driver = Driver(self.world, worker, generation_id)
        self.world.doing[generation_id] = driver
        self.drivers.append(driver)

    @property
    def waiting(self) -> list[int]:
        return sorted(self.world.todo - set(self.world.doing))

    def step(self, driver: Driver, luck: int) -> None:
        if not driver.step(luck):
            self.drivers.remove(driver)

    @rule(turns=TURNS)
    def work(self, turns: bytes) -> None:
        """The workers take turns: who goes on, and with what luck, is in each byte."""
        for turn in turns:
            which, luck = divmod(turn, 16)
            waiting = self.waiting
            awake = [driver for driver in self.drivers if not driver.is_frozen]
            at = which % (len(awake) + len(waiting) or 1)
            if at < len(awake):
                self.step(awake[at], luck)
            elif waiting:
                self.take(waiting[at - len(awake)], luck % 2)
            self.hold_all()

    @rule(way=st.sampled_from(WAYS))
    def accept(self, way: LostSubmit) -> None:
        if len(self.world.rows) < ROWS_MAX:
            self.world.accept(way)

    @rule(dice=st.integers(0, 2**32 - 1))
    def a_storm(self, dice: int) -> None:
        """Much of all that, evenly thrown: what hypothesis chooses likes to be small and alike."""
        chance = random.Random(dice)
        for _ in range(STORM):
            self.work(chance.randbytes(6))
            which, told = chance.randrange(64), chance.random() < 0.5
            match chance.randrange(8):
                case 0:
                    self.a_worker(which % 2, chance.choice(ENDS))
                case 1 | 2:
                    self.a_job(which, chance.choice(FATES), told)
                case 3 | 4:
                    self.a_person(which, chance.choice(WISHES))
                case 5:
                    self.turn_the_clock(chance.choice(CLOCK_S))
                case 6:
                    self.the_line(is_away=which < 8)

    @rule(worker=st.integers(0, 1), end=st.sampled_from(ENDS))
    def a_worker(self, worker: int, end: str) -> None:
        """Killed, its drivers are gone; frozen, or cut off its lock, they live on while its calls
        are taken over.
        """
        if end == "killed":
            self.drivers = [driver for driver in self.drivers if driver.worker != worker]
        for driver in self.drivers:
            driver.is_frozen = driver.is_frozen and end != "thawed"
            driver.is_frozen |= end == "frozen" and driver.worker == worker
        for generation_id, driven_by in self.world.doing.items():
            of_worker = isinstance(driven_by, Driver) and driven_by.worker == worker
            if of_worker and end != "thawed":
                self.world.doing[generation_id] = None
        if end != "killed":
            self.world.sweep()

    @rule(seconds=st.sampled_from(CLOCK_S))
    def turn_the_clock(self, seconds: int) -> None:
        self.world.clock.turn(seconds)

    @rule(which=ANY, what=st.sampled_from(FATES), told=FLAG)
    def a_job(self, which: int, what: str, told: bool) -> None:
        """What becomes of a job, and whether (and when, and how often) that is told."""
        jobs = list(self.world.provider.jobs.values())
        if not jobs:
            return
        job = jobs[which % len(jobs)]
        if what == "forgotten":
            job.is_forgotten = True
        elif job.state == "running":
            job.state = what
        if told:
            self.world.tell(job)

    @rule(is_away=FLAG)
    def the_line(self, is_away: bool) -> None:
        self.world.provider.is_away = is_away

    @rule(which=ANY, wish=st.sampled_from(WISHES))
    def a_person(self, which: int, wish: str) -> None:
        fits = [row for row in self.world.rows.values() if not row.deleted and may(wish, row)]
        if fits:
            wished(self.world, fits[which % len(fits)], wish)

    @invariant()
    def hold_all(self) -> None:
        world = self.world
        for of, count in world.provider.accepted.items():
            hold(count <= 1, "a second submit was accepted", of)
        for row in world.rows.values():
            of, files = (row.id, row.attempt), world.assets[row.id]
            done = row.status is Status.COMPLETED
            hold(files == [row.attempt] * done, "one set of files", row, files)
            job = world.provider.jobs[row.job] if row.job else None
            hold(job is None or job.of == of, "another attempt's job", row, job)
            hold(not done or (job is not None and job.cost == row.cost), "another's cost", row, job)
            unsent = row.status is Status.QUEUED or (row.finished_at and row.charged == "no")
            failed = job is not None and job.state in ("failed", "cancelled")
            hold(not unsent or failed or not world.provider.accepted[of], "said to be free", row)
        for of, cost in world.costs.items():
            paid = world.provider.job_of(of)
            hold(paid is not None and paid.cost == cost, "another attempt's cost", of, cost)

    def teardown(self) -> None:
        """All but one worker are gone; it has all the time it needs. Who was frozen thaws last."""
        if not self.world.rows:
            return
        frozen = [driver for driver in self.drivers if driver.worker != 0]
        self.drivers = []
        for generation_id in self.world.doing:
            self.world.doing[generation_id] = None
        self.world.provider.is_away = False
        jobs = list(self.world.provider.jobs.values())
        for job in jobs:
            if job.state == "running" and job.cost % 3:
                job.state = "done"
        self.until_quiet()
        self.drivers = frozen
        self.until_quiet()
        for job in jobs[1::2]:
            self.world.tell(job)
        self.until_quiet()
        self.hold_unknown()
        self.world.clock.turn(lifecycle.UNKNOWN_MAX_S + 1)
        self.until_quiet()
        undecided = [row for row in self.world.rows.values() if row.status is Status.UNKNOWN]
        hold(not undecided, "nobody decided, and it is not over", undecided)

    def until_quiet(self) -> None:
        for _ in range(PATIENCE_STEPS):
            self.world.sweep()
            for generation_id in self.waiting:
                self.take(generation_id, 0)
            now = self.world.clock.now
            due = [one for one in self.drivers if one.wakes_at is None or one.wakes_at <= now]
            for driver in due:
                self.step(driver, luck=0)
                self.hold_all()
            if due or self.waiting:
                continue
            if all(row.status not in lifecycle.OPEN for row in self.world.rows.values()):
                return
            sleeping = [one.wakes_at for one in self.drivers if one.wakes_at is not None]
            later = min([*sleeping, now + timedelta(seconds=30)])
            self.world.clock.turn((later - now).total_seconds())
        hold(False, "never settled", self.world.rows)

    def hold_unknown(self) -> None:
        for row in self.world.rows.values():
            heard = self.world.hears and self.world.heard((row.id, row.attempt))
            lost = row.status is Status.UNKNOWN and not row.deleted and heard
            hold(not lost, "the provider told, and nobody listened", row)


def may(wish: str, row: Life) -> bool:
    """As `generations.admission` refuses the others."""
    can_cancel = row.status in lifecycle.OPEN | lifecycle.CANCELLED_AT_ONCE
    return {"cancel": can_cancel, "retry": row.status in lifecycle.RETRYABLE}.get(wish, True)


def wished(world: World, row: Life, wish: str) -> None:
    """As `generations.admission` and the writes in `db.generations` have it."""
    at = row.cancel_requested_at or world.clock.now
    if wish == "delete":
        world.write(row, "person", deleted=True, cancel_requested_at=at)
        world.todo.add(row.id)
    elif wish == "retry":
        fresh = Life(
            id=row.id,
            way=row.way,
            queued_at=world.clock.now,
            attempt=row.attempt + 1,
            claim=row.claim + 1,
        )
        world.write(row, "retry", **{name: getattr(fresh, name) for name in Life.__slots__})
        world.todo.add(row.id)
    elif row.status in lifecycle.CANCELLED_AT_ONCE:
        gone = {"status": Status.CANCELLED, "claim": row.claim + 1, "code": None}
        world.write(row, "drop", cancel_requested_at=at, **gone)
    else:
        world.write(row, "person", cancel_requested_at=at)


def run(runs: int, number: int, *, shrink: bool = True) -> None:
    """So many lives from this seed; whatever is found names it."""
    phases = (Phase.generate, Phase.shrink) if shrink else (Phase.generate,)
    profile = settings(
        max_examples=runs,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        phases=phases,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
    try:
        run_machine(seed(number)(AnyLife), settings=profile)
    except BaseException as error:
        error.add_note(f"Again: pytest {__file__} --hypothesis-seed={number}")
        raise


@pytest.fixture
def number(request: pytest.FixtureRequest) -> int:
    """The seed: of the command line, or a new one."""
    given = request.config.getoption("--hypothesis-seed")
    return int(given) if given and given != "random" else random.SystemRandom().getrandbits(48)


@pytest.mark.timeout(300)
def test_whatever_happens_in_whatever_order_the_promises_hold(number: int) -> None:
    run(RUNS, number)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_the_promises_hold_for_much_longer(number: int, request: pytest.FixtureRequest) -> None:
    if "long" not in request.config.getoption("markexpr"):
        pytest.skip("asked for by `make test-long`")
    run(LONG_RUNS, number)


@pytest.mark.timeout(180)
@pytest.mark.parametrize("plant", PLANTS.values(), ids=list(PLANTS))
def test_a_broken_rule_is_found(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    with pytest.raises(Broken):
        run(PLANT_RUNS, PLANT_SEED, shrink=False)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("plant", RARE.values(), ids=list(RARE))
def test_a_rule_whose_break_shows_rarely_is_found(
    plant: Plant, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    if "long" not in request.config.getoption("markexpr"):
        pytest.skip("asked for by `make test-long`")
    plant(monkeypatch)
    with pytest.raises(Broken):
        run(LONG_RUNS, PLANT_SEED, shrink=False)


def test_a_failure_names_its_seed_and_the_seed_brings_it_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    PLANTS["a retry under the same attempt"](monkeypatch)
    seen = []
    for _ in range(2):
        with pytest.raises(Broken) as found:
            run(PLANT_RUNS, 4711, shrink=False)
        assert any("--hypothesis-seed=4711" in note for note in found.value.__notes__)
        seen.append(found.value.args)
    assert seen[0] == seen[1]


def test_a_move_of_this_world_compares_what_the_statement_compares() -> None:
    row: Any = Life(id=1, way="ask", queued_at=life_model.START)
    compared = {clause.left.key for clause in generations._still(row)}
    assert compared == set(life_model.COMPARED)
