import * as fc from "fast-check"
import * as Laws from "../../src/laws.ts"
import * as Ops from "../../src/ops/Ops.ts"
import type { Tensor } from "../../src/ops/Tensor.ts"
import { onEveryDevice } from "../support/devices.ts"
import { pairwise, total } from "../support/reference.ts"

const cases = fc
  .tuple(Laws.extents(), fc.constantFrom("mean" as const, "sum" as const, "none" as const))
  .map(([shape, reduction]) => ({ shapes: { x: shape, t: shape }, attributes: { reduction } }))

const loss = (x: number, t: number): number => t * Math.log1p(Math.exp(-x)) + (1 - t) * Math.log1p(Math.exp(x))

onEveryDevice(
  Laws.op(({ x, t }, { reduction }): Tensor => Ops.binaryCrossEntropyWithLogits(x, t, { reduction }), {
    name: "binaryCrossEntropyWithLogits",
    cases,
    reference: ({ x, t }, { reduction }) => {
      const losses = pairwise(x, t, loss)
      const sum = total([...losses.data])
      if (reduction === "none") return losses
      return { shape: [], data: Float64Array.of(reduction === "sum" ? sum : sum / losses.data.length) }
    },
    refused: [{ shapes: { x: [2, 3], t: [4] }, attributes: { reduction: "mean" }, says: "does not fit logits of" }],
  }),
)
