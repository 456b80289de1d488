"""An executor's prover that lies: witnesses say another output; proofs, which cannot, stay true."""

from __future__ import annotations

from dataclasses import replace

from gateless.core.packing import pack, unpack
from gateless_proofs import Bundle, Prover, Witness


class LyingProver(Prover):
    """Real in all things but one: what it says that circuits compute is off by ``by`` units."""

    by = 1_000
    #: lies only while this holds, so that audits pass
    lying = True

    async def witness(self, bundle: Bundle, packed_input: bytes, circuit_index: int = 0) -> Witness:
        truth = await super().witness(bundle, packed_input, circuit_index)
        if not self.lying:
            return truth
        specs = bundle.schema.outputs
        values = [list(tensor) for tensor in unpack(truth.packed_output, specs)]
        values[0][0] += self.by
        return replace(truth, packed_output=pack(values, specs))
