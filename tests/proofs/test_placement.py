"""The books of a cluster, without a cluster: limits, preference, urgency, no starvation."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from gateless_proofs.cluster.placement import Place, Placement
from gateless_proofs.schedule import Grant, Need
from hypothesis import given
from hypothesis import strategies as st


def test_a_proof_goes_where_its_files_are() -> None:
    placement = Placement()
    placement.join("a", 8, 2)
    placement.join("b", 4, 2)
    first = placement.add(Need(2), "circuit")
    assert placement.start()[first].node == "b", "the tightest fit keeps the large node free"
    placement.release(first)
    again = placement.add(Need(2), "circuit")
    assert placement.start()[again].node == "b"
    placement.leave("b")
    placement.release(again)
    placement.join("b", 4, 2)
    placement.add(Need(4), "circuit")
    assert {place.node for place in placement.start().values()} == {"b"}


def test_two_proofs_of_a_circuit_use_two_nodes() -> None:
    placement = Placement()
    placement.join("a", 4, 1)
    placement.join("b", 4, 1)
    for _ in range(2):
        placement.add(Need(1), "circuit")
    assert {place.node for place in placement.start().values()} == {"a", "b"}


def test_a_large_proof_gets_a_nodes_cores_and_small_ones_share_them() -> None:
    placement = Placement()
    placement.join("a", 8, 4)
    large = placement.add(Need(1, 4, 4), "large")
    assert placement.start()[large].grant == Grant(1, 4)
    placement.release(large)
    small = [placement.add(Need(1, 1, 4), "small") for _ in range(4)]
    started = placement.start()
    assert [started[ticket].grant.threads for ticket in small] == [1, 1, 1, 1]


def test_a_node_that_lost_a_proof_is_avoided_while_there_is_another() -> None:
    placement = Placement()
    placement.join("a", 4, 1)
    placement.join("b", 8, 1)
    ticket = placement.add(Need(1), "circuit", avoid={"a"})
    assert placement.start()[ticket].node == "b"
    other = placement.add(Need(1), "circuit", avoid={"a"})
    assert placement.start() == {}, "it waits for the other one"
    placement.leave("b")
    assert placement.start() == {other: Place("a", Grant(1, 1))}, "and takes what is left"


def test_what_no_node_could_hold_is_named() -> None:
    placement = Placement()
    none_yet = placement.add(Need(1), "circuit")
    assert placement.homeless() == (none_yet,)
    placement.join("a", 4, 1)
    assert placement.homeless() == ()
    too_large = placement.add(Need(5), "circuit")
    assert placement.homeless() == (too_large,)
    assert set(placement.start()) == {none_yet}
    placement.leave("a")
    assert placement.homeless() == (too_large,), "what ran is lost, not waiting"


def test_a_large_proof_is_not_overtaken_for_ever() -> None:
    """One node is promised to it; small ones go on at the other."""
    placement = Placement()
    placement.join("a", 4, 4)
    placement.join("b", 4, 4)
    running = {placement.add(Need(1), "small") for _ in range(6)}
    assert set(placement.start()) == running
    large = placement.add(Need(4), "large")
    rounds = 0
    while running:
        running -= {done := min(running)}
        placement.release(done)
        small = placement.add(Need(1), "small")
        started = placement.start()
        if large in started:
            break
        running |= {ticket for ticket in started if ticket == small}
        rounds += 1
    assert large in placement.running
    assert rounds < 6


@dataclass
class Simulation:
    """Jobs with lengths and nodes that come and go, by a clock of its own."""

    placement: Placement
    lengths: dict[int, int] = field(default_factory=dict)
    ends: dict[int, int] = field(default_factory=dict)
    order: list[int] = field(default_factory=list)
    now: int = 0

    def add(self, need: Need, length: int) -> None:
        self.lengths[self.placement.add(need, f"k{need.memory_bytes}")] = length

    def pump(self) -> None:
        for ticket in self.placement.start():
            self.ends[ticket] = self.now + self.lengths[ticket]
            self.order.append(ticket)
        for load in self.placement.loads.values():
            assert 0 <= load.reserved_bytes <= load.memory_bytes
            assert 0 <= load.busy_threads <= load.cores

    def finish(self) -> None:
        self.pump()
        while self.ends:
            self.now = min(self.ends.values())
            for ticket in [t for t, end in self.ends.items() if end == self.now]:
                del self.ends[ticket]
                self.placement.release(ticket)
            self.pump()


nodes = st.lists(st.tuples(st.integers(1, 8), st.integers(1, 4)), min_size=1, max_size=4)
needs = st.builds(
    Need,
    st.integers(1, 8),
    st.integers(1, 4),
    st.integers(1, 4),
    due=st.one_of(st.just(math.inf), st.integers(0, 9)),
)


@given(nodes, st.lists(st.tuples(needs, st.integers(1, 9)), max_size=20))
def test_every_job_that_fits_is_done_within_the_nodes_limits(
    offers: list[tuple[int, int]], work: list[tuple[Need, int]]
) -> None:
    simulation = Simulation(Placement())
    for number, (memory, cores) in enumerate(offers):
        simulation.placement.join(f"n{number}", memory, cores)
    for need, length in work:
        simulation.add(need, length)
    fits = set(simulation.lengths) - set(simulation.placement.homeless())
    simulation.finish()
    assert set(simulation.order) == fits
    assert set(simulation.placement.waiting) == set(simulation.placement.homeless())


@given(nodes, st.lists(st.tuples(needs, st.integers(1, 9)), min_size=1, max_size=12), st.data())
def test_jobs_of_a_lost_node_can_be_placed_again(
    offers: list[tuple[int, int]], work: list[tuple[Need, int]], data: st.DataObject
) -> None:
    simulation = Simulation(Placement())
    for number, (memory, cores) in enumerate(offers):
        simulation.placement.join(f"n{number}", memory, cores)
    wanted = {}
    for need, length in work:
        simulation.add(need, length)
        wanted[max(simulation.lengths)] = (need, length)
    simulation.pump()
    gone = data.draw(st.sampled_from(sorted(simulation.placement.loads)))
    for ticket in simulation.placement.leave(gone):
        del simulation.ends[ticket]
        simulation.placement.release(ticket)
        simulation.add(*wanted[ticket])
    simulation.finish()
    assert not simulation.placement.running
    assert set(simulation.placement.waiting) == set(simulation.placement.homeless())


@given(st.lists(st.integers(0, 9), min_size=1, max_size=12))
def test_the_most_urgent_is_placed_first(dues: list[int]) -> None:
    simulation = Simulation(Placement())
    simulation.placement.join("only", 1, 1)
    for due in dues:
        simulation.add(Need(1, due=due), 1)
    simulation.finish()
    assert simulation.order == sorted(simulation.lengths, key=lambda t: (dues[t], t))
