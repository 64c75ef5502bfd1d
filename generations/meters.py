"""Meters: what an operator watches, in the form that Prometheus reads.

Two kinds stand side by side. Counters and histograms are this process's own and begin at zero with
it. What the database knows is of all processes together: it is read when somebody asks, at most
every other second, and absent while the database is away.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter as Tally
from collections.abc import Awaitable, Callable, Iterator
from uuid import UUID

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.ext.asyncio import AsyncEngine

from db import figures
from db.connect import DATABASE_ERRORS
from db.figures import Figures

#: From a quick picture to a film that waited for an hour.
DURATIONS_S = (0.5, 1, 2, 5, 10, 20, 30, 60, 120, 180, 300, 600, 900, 1800, 3600)
LAGS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
LAG_EVERY_S = 0.5
#: Several collectors that come at once cost the database one query.
READ_EVERY_S = 2.0
READ_WITHIN_S = 3.0

Drive = Callable[[UUID], Awaitable[None]]


class Meters:
    """The meters of one process; `registry` holds them all."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self._seen = _Seen()
        self._polls = Counter(
            "kinora_polls", "Questions about a job that went out.", ["provider"], registry=registry
        )
        self._settled = Counter(
            "kinora_generations_settled",
            "Generations that this process has settled.",
            ["kind", "model", "provider", "status"],
            registry=registry,
        )
        self._durations = Histogram(
            "kinora_submit_to_done_seconds",
            "From the submit until everything was stored here.",
            ["kind", "model", "provider"],
            buckets=DURATIONS_S,
            registry=registry,
        )
        self._reconnects = Counter(
            "kinora_hub_reconnects", "Times that listening had to begin anew.", registry=registry
        )
        self._drivers = Gauge(
            "kinora_drivers", "Generations that this process drives.", registry=registry
        )
        #: Counts what is open for as long as its `track_inprogress()` lasts.
        self.streams = Gauge(
            "kinora_open_streams", "Event streams that are open here.", registry=registry
        )
        self.engine_alive = Gauge(
            "kinora_engine_alive", "1: the engine in this process works.", registry=registry
        )
        self.pool = Gauge(
            "kinora_database_pool_connections",
            "Connections of this process's pool.",
            ["of"],
            registry=registry,
        )
        self._lag = Gauge(
            "kinora_event_loop_lag_last_seconds", "How late the loop last was.", registry=registry
        )
        self._lags = Histogram(
            "kinora_event_loop_lag_seconds",
            "How late the loop was, measured twice a second.",
            buckets=LAGS_S,
            registry=registry,
        )
        ProcessCollector(registry=registry)
        registry.register(self._seen)

    def polled(self, provider: str) -> None:
        """A question about a job went out."""
        self._polls.labels(provider).inc()

    def settled(
        self, kind: str, model: str, provider: str, status: str, submit_to_done_s: float | None
    ) -> None:
        """A generation came to its end here; the duration is of one that has its assets."""
        self._settled.labels(kind, model, provider, status).inc()
        if submit_to_done_s is not None:
            self._durations.labels(kind, model, provider).observe(submit_to_done_s)

    def reconnected(self) -> None:
        """The connection on which the process listens was lost, and is there again."""
        self._reconnects.inc()

    def counting(self, drive: Drive) -> Drive:
        """The same `drive`, counted while it runs."""

        async def counted(generation_id: UUID) -> None:
            with self._drivers.track_inprogress():
                await drive(generation_id)

        return counted

    async def measure_lag(self) -> None:
        """Note, until cancelled, how late the loop wakes whoever asked to be woken."""
        while True:
            before = time.monotonic()
            await asyncio.sleep(LAG_EVERY_S)
            late_s = max(0.0, time.monotonic() - before - LAG_EVERY_S)
            self._lag.set(late_s)
            self._lags.observe(late_s)

    def totals(self) -> dict[str, float]:
        """The main figures of this process in a few words, for a line in its log."""
        return {
            "driving": int(_total(self._drivers)),
            "settled": int(_total(self._settled)),
            "polls": int(_total(self._polls)),
            "reconnects": int(_total(self._reconnects)),
            "lag_s": round(_total(self._lag), 3),
        }

    async def look(self, engine: AsyncEngine) -> None:
        """Read what stands for all processes, unless it was read just now."""
        for name in ("size", "checked_out", "overflow"):
            self.pool.labels(name).set(getattr(figures.pool_of(engine), name))
        await self._seen.look(engine)


class _Seen(Collector):
    """What the database said last; while it is away only that it is."""

    def __init__(self) -> None:
        self._figures: Figures | None = None
        self._read_at = -READ_EVERY_S
        self._reading = asyncio.Lock()

    async def look(self, engine: AsyncEngine) -> None:
        async with self._reading:
            if time.monotonic() - self._read_at < READ_EVERY_S:
                return
            try:
                async with asyncio.timeout(READ_WITHIN_S), engine.connect() as connection:
                    self._figures = await figures.read(connection)
            except (*DATABASE_ERRORS, TimeoutError):
                self._figures = None
            self._read_at = time.monotonic()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        seen = self._figures
        yield _gauge("kinora_database_up", "1: the database answers.", float(seen is not None))
        if seen is None:
            return
        labels = ("status", "kind", "model", "provider")
        family = GaugeMetricFamily(
            "kinora_generations", "Unsettled generations, of all processes.", labels=labels
        )
        waiting: Tally[str] = Tally()
        for ones in seen.open_ones:
            family.add_metric([getattr(ones, label) for label in labels], ones.count)
            waiting[ones.provider] += ones.waiting
        yield family
        family = GaugeMetricFamily(
            "kinora_waiting", "Queued, and without a place at the provider.", labels=["provider"]
        )
        for provider, count in waiting.items():
            family.add_metric([provider], count)
        yield family
        family = GaugeMetricFamily(
            "kinora_provider_pause_seconds",
            "How long nothing is sent there yet, and why.",
            labels=["provider", "code"],
        )
        for pause in seen.pauses:
            family.add_metric([pause.provider, pause.code], pause.left_s)
        yield family
        oldest_s = max((ones.oldest_s or 0.0 for ones in seen.open_ones), default=0.0)
        yield _gauge("kinora_queued_oldest_seconds", "Age of the oldest that is queued.", oldest_s)
        yield _gauge(
            "kinora_undecided", "Perhaps charged; they wait for Try again or Drop.", seen.undecided
        )
        yield _gauge("kinora_workers", "Engines heard of in the last 30 s.", seen.workers)


def _total(meter: Counter | Gauge) -> float:
    samples = (sample for family in meter.collect() for sample in family.samples)
    return sum(sample.value for sample in samples if not sample.name.endswith("_created"))


def _gauge(name: str, about: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, about, value=value)
