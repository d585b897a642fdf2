import * as Laws from "../../src/laws.ts"
import * as Ops from "../../src/ops/Ops.ts"
import { alongSome, named } from "../support/cases.ts"
import { onEveryDevice } from "../support/devices.ts"
import { reduced, average } from "../support/reference.ts"

onEveryDevice(
  Laws.op(({ x }, options) => Ops.mean(x, options), {
    name: "mean",
    cases: alongSome,
    reference: ({ x }, options) => reduced(x, { ...options, dims: named(x.shape, options) }, average),
    refused: [
      { shapes: { x: [2, 3] }, attributes: { dim: [2], keepDim: false }, says: "there is no dimension 2 in 2×3" },
    ],
  }),
)
