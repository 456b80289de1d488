"""What a circuit is made of, from the counts that ezkl states when it lays a model out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gateless_proofs.circuit import RESERVED_ROWS

#: rows of a column that ezkl does not assign to: halo2's blinding rows and the last one
_BLINDING_ROWS = 6
#: ezkl keeps each of these in as many columns as it has blocks of advice
_OPERANDS = 3


@dataclass(frozen=True, slots=True)
class Layout:
    """Counts of a laid-out model that its cost follows from.

    Attributes:
        logrows: k; there are ``2**k`` rows.
        columns: inner columns.
        base: base of the range decomposition.
        assignments: cells of one operand, over all columns.
        constants: different constants.
        dynamic_cells: cells of tables that depend on the data.
        dynamic_inputs: longest of them.
        dynamic_kinds: 0 to 2: whether there are dynamic lookups, and whether shuffles.
        instances: public values.
        committed: values of each committed tensor.
        checks: range checks, as (low, high).
        lookups: tables of nonlinear functions.
        lookup_range: smallest and largest input of these.
    """

    logrows: int
    columns: int
    base: int
    assignments: int
    constants: int
    dynamic_cells: int
    dynamic_inputs: int
    dynamic_kinds: int
    instances: int
    committed: tuple[int, ...]
    checks: tuple[tuple[int, int], ...]
    lookups: int
    lookup_range: tuple[int, int]

    @property
    def rows(self) -> int:
        """Cells of one column, were there no limit to its length."""
        return -(-self.assignments // self.columns)

    @property
    def extent(self) -> int:
        """Cells that it takes: those of its operands, or of a function's table where that is what
        makes its columns long."""
        low, high = self.lookup_range
        return max(self.assignments, high - low + 1 if self.lookups else 0)

    @property
    def usable(self) -> int:
        """Rows of a column that can be assigned to."""
        return (1 << self.logrows) - _BLINDING_ROWS

    @property
    def blocks(self) -> int:
        """Times that the inner columns are repeated, since one column is too short."""
        return _columns_for(self.assignments, self.usable * self.columns)

    @property
    def dynamic_blocks(self) -> int:
        """Columns of one operand of the tables that depend on the data."""
        return _columns_for(self.dynamic_cells, self.usable) if self.dynamic_kinds else 0

    @property
    def advice(self) -> int:
        """Columns that a prover fills."""
        operands = _OPERANDS * (self.columns * self.blocks + self.dynamic_blocks)
        return operands + len(self.committed)

    @property
    def constant_columns(self) -> int:
        """Columns of constants."""
        return _columns_for(self.constants, self.usable) if self.constants else 0

    @property
    def permuted(self) -> int:
        """Columns that take part in copy constraints."""
        return self.advice + self.constant_columns + 1

    @property
    def arguments(self) -> int:
        """Lookup arguments: every table is looked up from every inner column of every block."""
        wide = self.columns * self.blocks
        fixed = (len(self.checks) + self.lookups) * wide
        return fixed + self.dynamic_kinds * wide * self.dynamic_blocks

    @property
    def fits(self) -> bool:
        """Whether tables, public values and commitments have room in a column each."""
        needs = [self.instances, self.dynamic_inputs, *self.committed]
        needs += [high - low + 1 for low, high in self.checks]
        if self.lookups:
            needs.append(self.lookup_range[1] - self.lookup_range[0] + 1)
        return max(needs, default=0) + RESERVED_ROWS <= 1 << self.logrows

    def moved(
        self,
        *,
        base: int | None = None,
        logrows: int | None = None,
        lookup_range: tuple[int, int] | None = None,
    ) -> Layout:
        """The same circuit with another base, size or table range: ezkl's counts do not depend on
        these, but for a few cells where a column overflows."""
        base = self.base if base is None else base
        digits, others = (0, self.base - 1), self.checks
        checks = tuple((0, base - 1) if check == digits else check for check in others)
        return replace(
            self,
            base=base,
            logrows=self.logrows if logrows is None else logrows,
            checks=checks,
            lookup_range=self.lookup_range if lookup_range is None else lookup_range,
        )


def _columns_for(cells: int, capacity: int) -> int:
    """As ezkl counts columns: a cell is repeated at the start of each but the first."""
    columns = cells // capacity + 1
    return (cells + columns) // capacity + 1


def layout_of(settings: Mapping[str, Any]) -> Layout:
    """Reads ezkl's settings."""
    arguments = settings["run_args"]
    low, high = arguments["lookup_range"]
    return Layout(
        logrows=arguments["logrows"],
        columns=arguments["num_inner_cols"],
        base=arguments["decomp_base"],
        assignments=max(
            settings["total_assignments"], settings["num_rows"] * arguments["num_inner_cols"]
        ),
        constants=settings["total_const_size"],
        dynamic_cells=settings["total_dynamic_col_size"] + settings["total_shuffle_col_size"],
        dynamic_inputs=settings["max_dynamic_input_len"],
        dynamic_kinds=(settings["num_dynamic_lookups"] > 0) + (settings["num_shuffles"] > 0),
        instances=_count(settings["model_instance_shapes"]),
        committed=tuple(settings["module_sizes"]["polycommit"]),
        checks=tuple((low, high) for low, high in settings["required_range_checks"]),
        lookups=len(settings["required_lookups"]),
        lookup_range=(low, high),
    )


def _count(shapes: Sequence[Sequence[int]]) -> int:
    return sum(math.prod(shape) for shape in shapes)
