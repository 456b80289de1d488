"""The executor's life, driven with crashes between any two steps, on both databases.

Journal, recovery, transactions, sender and earnings are the real ones, and in the second pair of
tests the pipeline with all that belongs to it; the chain is a market in memory.
"""

from __future__ import annotations

from crash_machine import drive
from database_fixtures import NewDatabase
from journal_machine import Process
from pipeline_machine import PipelineProcess


def test_crashes_lose_and_double_nothing_on_sqlite(new_sqlite: NewDatabase) -> None:
    drive(new_sqlite(), Process, examples=40, steps=30)


def test_crashes_lose_and_double_nothing_on_postgresql(new_postgresql: NewDatabase) -> None:
    drive(new_postgresql(), Process, examples=8, steps=25)


def test_crashes_of_the_pipeline_lose_and_double_nothing(new_sqlite: NewDatabase) -> None:
    drive(new_sqlite(), PipelineProcess, examples=15, steps=20)


def test_crashes_of_the_pipeline_on_postgresql(new_postgresql: NewDatabase) -> None:
    drive(new_postgresql(), PipelineProcess, examples=3, steps=12)
