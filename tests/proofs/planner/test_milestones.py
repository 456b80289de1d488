from __future__ import annotations

from gateless_proofs.planner.milestones import Milestones

STAGES = ("srs", "setup", "witness", "prove", "verify")


def test_the_bar_is_full_only_when_the_last_trial_is_verified() -> None:
    seen: list[tuple[str, float]] = []
    milestones = Milestones(lambda stage, fraction: seen.append((stage, fraction)))
    for stage in ("inspect", "reference", "search"):
        milestones(stage, 1.0)
    for left in (3, 2, 1):
        milestones.next_trial(left)
        for stage in STAGES:
            milestones(stage, 0.0)
            milestones(stage, 1.0)
    fractions = [fraction for _, fraction in seen]
    assert fractions == sorted(fractions)
    ends = [round(fraction, 3) for stage, fraction in seen if stage == "verify"][1::2]
    assert ends == [0.733, 0.867, 1.0]


def test_a_search_between_trials_moves_nothing_back() -> None:
    seen: list[float] = []
    milestones = Milestones(lambda _, fraction: seen.append(fraction))
    milestones.next_trial(2)
    milestones("prove", 1.0)
    milestones("search", 0.3)
    milestones.next_trial(1)
    milestones("setup", 0.0)
    assert seen == sorted(seen)
    assert seen[1] == seen[0]
    assert 0.6 < seen[0] < 1.0


def test_an_unknown_stage_is_reported_where_the_build_is() -> None:
    seen: list[tuple[str, float]] = []
    milestones = Milestones(lambda stage, fraction: seen.append((stage, fraction)))
    milestones("search", 1.0)
    milestones("other", 1.0)
    assert seen[-1] == ("other", seen[0][1])
