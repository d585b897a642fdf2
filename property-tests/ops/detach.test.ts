import * as Laws from "../../src/laws.ts"
import * as Ops from "../../src/ops/Ops.ts"
import type { Tensor } from "../../src/ops/Tensor.ts"
import { onEveryDevice } from "../support/devices.ts"
import { pairwise } from "../support/reference.ts"

onEveryDevice(
  Laws.op(({ x }) => Ops.detach(x), {
    name: "detach",
    cases: Laws.shapes({ x: Laws.extents() }),
    reference: ({ x }) => x,
    differentiable: "it gives no gradient: the next law",
  }),
)

// `x · detach(x)` has the gradient of `x · c`
onEveryDevice(
  Laws.op(({ x, dy }) => Ops.vjp(Ops.mul(x, Ops.detach(x)) as Tensor, dy, { x }).x, {
    name: "the gradient of x times detach",
    cases: Laws.extents().map((s) => ({ shapes: { x: s, dy: s }, attributes: {} })),
    reference: ({ x, dy }) => pairwise(x, dy, (a, b) => a * b),
    differentiable: ["dy"],
  }),
)
