import * as Laws from "../../src/laws.ts"
import * as Ops from "../../src/ops/Ops.ts"
import { alongSome, named } from "../support/cases.ts"
import { onEveryDevice } from "../support/devices.ts"
import { reduced } from "../support/reference.ts"

onEveryDevice(
  Laws.op(({ x }, options) => Ops.amin(x, options), {
    name: "amin",
    cases: alongSome,
    reference: ({ x }, options) => reduced(x, { ...options, dims: named(x.shape, options) }, (xs) => Math.min(...xs)),
    elements: () => ({ x: Laws.distinct }),
    refused: [
      { shapes: { x: [2, 3] }, attributes: { dim: [2], keepDim: false }, says: "there is no dimension 2 in 2×3" },
    ],
  }),
)

/** among equals the first wins, so that the incoming gradient goes to one element */
onEveryDevice(
  Laws.op(({ x }, options) => Ops.amin(x, options), {
    name: "amin",
    cases: alongSome,
    reference: ({ x }, options) => reduced(x, { ...options, dims: named(x.shape, options) }, (xs) => Math.min(...xs)),
    elements: () => ({ x: Laws.tied }),
    differentiable: "at a tie there is a subgradient only",
  }),
)
