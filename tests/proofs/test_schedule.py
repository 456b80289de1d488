"""The books of the proving pool, without processes: limits, order, no starvation."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateless_proofs.schedule import Grant, Need, Schedule
from hypothesis import given
from hypothesis import strategies as st

GIB = 1 << 30
MEMORY = 8


@dataclass
class Simulation:
    """Jobs with lengths, run by a clock of its own; memory in whole units."""

    schedule: Schedule
    lengths: dict[int, int] = field(default_factory=dict)
    needs: dict[int, Need] = field(default_factory=dict)
    ends: dict[int, int] = field(default_factory=dict)
    started: dict[int, int] = field(default_factory=dict)
    order: list[int] = field(default_factory=list)
    now: int = 0
    first: int | None = None
    #: What ran, or started before it, when the first one that waits became the first.
    before_first: set[int] = field(default_factory=set)

    def add(self, need: Need, length: int) -> int:
        ticket = self.schedule.add(need)
        self.lengths[ticket], self.needs[ticket] = length, need
        self.pump()
        return ticket

    def pump(self) -> None:
        running = set(self.schedule.running)
        starting = self.schedule.start()
        first = next(iter(self.schedule.waiting), None)
        if first is not None and first != self.first:
            self.before_first = running | {ticket for ticket in starting if ticket < first}
        self.first = first
        for ticket, grant in starting.items():
            self.started[ticket] = self.now
            self.order.append(ticket)
            self.ends[ticket] = self.now + self.lengths[ticket]
            self.check(ticket, grant)

    def check(self, ticket: int, grant: Grant) -> None:
        need = self.needs[ticket]
        schedule = self.schedule
        assert grant.memory_bytes == min(need.memory_bytes, schedule.memory_bytes)
        assert schedule.reserved_bytes <= schedule.memory_bytes
        assert schedule.busy_threads <= schedule.cores
        if need.light:
            assert grant.threads == 1
        else:
            assert min(need.least_threads, schedule.cores) <= grant.threads <= schedule.cores

    def step(self) -> bool:
        """Goes on to the next end of a job; False where nothing runs."""
        if not self.ends:
            return False
        self.now = min(self.ends.values())
        for ticket in [t for t, end in self.ends.items() if end == self.now]:
            del self.ends[ticket]
            self.schedule.release(ticket)
        self.pump()
        return True

    def finish(self) -> None:
        while self.step():
            pass


needs = st.builds(
    Need,
    memory_bytes=st.integers(1, MEMORY + 2),
    least_threads=st.integers(1, 5),
    most_threads=st.integers(1, 5),
    light=st.booleans(),
)
jobs = st.lists(st.tuples(needs, st.integers(1, 9)), min_size=1, max_size=25)
cores = st.integers(1, 4)


@given(jobs, cores, st.lists(st.integers(0, 3), max_size=25))
def test_limits_hold_and_every_job_is_done(
    work: list[tuple[Need, int]], cores: int, pauses: list[int]
) -> None:
    simulation = Simulation(Schedule(memory_bytes=MEMORY, cores=cores))
    for index, (need, length) in enumerate(work):
        simulation.add(need, length)
        for _ in range(pauses[index] if index < len(pauses) else 0):
            simulation.step()
    simulation.finish()
    assert sorted(simulation.started) == list(range(len(work)))
    assert not simulation.schedule.waiting
    assert not simulation.schedule.running


@given(jobs, cores)
def test_the_first_one_is_not_held_up_by_those_that_overtake_it(
    work: list[tuple[Need, int]], cores: int
) -> None:
    """It starts at the latest when all have ended that ran before it became the first."""
    simulation = Simulation(Schedule(memory_bytes=MEMORY, cores=cores))
    for need, length in work:
        simulation.add(need, length)
    while simulation.schedule.waiting:
        assert simulation.before_first & set(simulation.schedule.running), (
            "it waits although nothing runs that ran before it became the first"
        )
        simulation.step()


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 5)), min_size=1, max_size=20), cores)
def test_equal_jobs_start_in_their_order(work: list[tuple[bool, int]], cores: int) -> None:
    simulation = Simulation(Schedule(memory_bytes=MEMORY, cores=cores))
    for light, length in work:
        simulation.add(Need(2, light=light), length)
    simulation.finish()
    for kind in (True, False):
        mine = [ticket for ticket in simulation.order if work[ticket][0] is kind]
        assert mine == sorted(mine)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=20), cores)
def test_the_most_urgent_starts_first(dues: list[int], cores: int) -> None:
    schedule = Schedule(memory_bytes=MEMORY, cores=cores)
    simulation = Simulation(schedule)
    first = simulation.add(Need(MEMORY), 1)  # takes all the room, so that the others queue
    tickets = {simulation.add(Need(MEMORY, due=due), 1): due for due in dues}
    late = simulation.add(Need(MEMORY), 1)
    simulation.finish()
    by_urgency = sorted(tickets, key=lambda ticket: (tickets[ticket], ticket))
    assert simulation.order == [first, *by_urgency, late]


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 40)), min_size=1, max_size=8))
def test_deadlines_that_can_be_kept_are_kept(work: list[tuple[int, int]]) -> None:
    """On one machine, for jobs that are all there from the start: Jackson's rule."""
    simulation = Simulation(Schedule(memory_bytes=MEMORY, cores=1))
    ends, now = [], 0
    for length, due in sorted(work, key=lambda job: job[1]):
        now += length
        ends.append((now, due))
    for length, due in work:
        simulation.lengths[simulation.schedule.add(need := Need(MEMORY, due=due))] = length
        simulation.needs[len(simulation.needs)] = need
    simulation.pump()
    simulation.finish()
    late = any(
        simulation.started[ticket] + length > due for ticket, (length, due) in enumerate(work)
    )
    assert late == any(end > due for end, due in ends)


def test_an_urgent_large_job_is_not_held_up_by_those_that_come_after() -> None:
    schedule = Schedule(memory_bytes=8, cores=4)
    schedule.add(Need(3, due=100))
    schedule.start()
    urgent = schedule.add(Need(8, due=50))
    assert not schedule.start()
    schedule.add(Need(1, due=60))
    assert not schedule.start(), "beside the urgent one there is no room for it"
    schedule.release(0)
    assert list(schedule.start()) == [urgent]


@given(jobs, cores, st.data())
def test_cancelled_jobs_free_their_room(
    work: list[tuple[Need, int]], cores: int, data: st.DataObject
) -> None:
    schedule = Schedule(memory_bytes=MEMORY, cores=cores)
    for need, _ in work:
        schedule.add(need)
        schedule.start()
    tickets = data.draw(st.permutations(range(len(work))))
    for ticket in tickets:
        schedule.release(ticket)
        schedule.start()
        assert ticket not in (*schedule.waiting, *schedule.running)
        # Whatever is cancelled, somebody works as long as somebody waits.
        assert schedule.running or not schedule.waiting
    assert schedule.reserved_bytes == schedule.busy_threads == 0


def test_a_large_job_is_not_starved_by_small_ones() -> None:
    schedule = Schedule(memory_bytes=8, cores=2)
    first = schedule.add(Need(3))
    schedule.add(Need(3))
    schedule.start()
    large = schedule.add(Need(7, least_threads=2, most_threads=2))
    late = [schedule.add(Need(1)) for _ in range(5)]
    assert not schedule.start(), "room for the small ones there is, but the large one is next"
    schedule.release(first)
    assert not schedule.start()
    schedule.release(1)
    assert schedule.start() == {large: Grant(7, 2)}
    schedule.release(large)
    assert list(schedule.start()) == late[:2]


def test_small_jobs_overtake_where_that_costs_the_large_one_nothing() -> None:
    schedule = Schedule(memory_bytes=8, cores=4)
    schedule.add(Need(5))
    schedule.start()
    large = schedule.add(Need(6, least_threads=2))
    small, more = schedule.add(Need(2)), schedule.add(Need(1))
    assert list(schedule.start()) == [small]  # 6 + 2 is all there is; 1 more would be too much
    schedule.release(0)
    assert list(schedule.start()) == [large]
    assert schedule.waiting == (more,)


def test_a_job_alone_gets_all_cores_and_two_share_them() -> None:
    schedule = Schedule(memory_bytes=8 * GIB, cores=4)
    need = Need(GIB, least_threads=1, most_threads=4)
    alone = schedule.add(need)
    assert schedule.start() == {alone: Grant(GIB, 4)}
    schedule.release(alone)
    pair = [schedule.add(need), schedule.add(need)]
    assert schedule.start() == {ticket: Grant(GIB, 2) for ticket in pair}


def test_light_jobs_run_beside_a_proof_one_at_a_time() -> None:
    schedule = Schedule(memory_bytes=8, cores=2)
    proof = schedule.add(Need(4, least_threads=2, most_threads=2))
    light = [schedule.add(Need(1, light=True)) for _ in range(2)]
    assert list(schedule.start()) == [proof, light[0]]
    schedule.release(light[0])
    assert list(schedule.start()) == [light[1]]


def test_a_job_that_asks_for_more_than_there_is_gets_all_there_is() -> None:
    schedule = Schedule(memory_bytes=8, cores=2)
    job = schedule.add(Need(100, least_threads=9, most_threads=9))
    assert schedule.start() == {job: Grant(8, 2)}
