import * as fc from "fast-check"
import * as Laws from "../../src/laws.ts"
import * as Ops from "../../src/ops/Ops.ts"
import { int } from "../support/cases.ts"
import { onEveryDevice } from "../support/devices.ts"
import { pairwise, spread } from "../support/reference.ts"

const batches = fc.constantFrom<readonly [a: ReadonlyArray<number>, b: ReadonlyArray<number>]>(
  [[], []],
  [[2], []],
  [[], [3]],
  [[2], [2]],
  [[1], [2]],
  [[2, 1], [3]],
)
const cases = fc
  .tuple(batches, int(1, 9), int(1, 9), int(1, 9), fc.constantFrom("matrices", "row", "column", "vectors"))
  .map(([[a, b], m, k, n, what]) => ({
    shapes: {
      a: what === "row" || what === "vectors" ? [k] : [...a, m, k],
      b: what === "column" || what === "vectors" ? [k] : [...b, k, n],
    },
    attributes: {},
  }))

onEveryDevice(
  Laws.op(({ a, b }) => Ops.matmul(a, b), {
    name: "matmul",
    cases,
    edges: [
      { shapes: { a: [0, 3], b: [3, 2] }, attributes: {} },
      { shapes: { a: [2, 0], b: [0, 3] }, attributes: {} },
      { shapes: { a: [1, 1], b: [1, 1] }, attributes: {} },
    ],
    reference: ({ a: left, b: right }) => {
      // a vector is a row on the left and a column on the right, and the result lacks what it lacked
      const a = left.shape.length === 1 ? { ...left, shape: [1, ...left.shape] } : left
      const b = right.shape.length === 1 ? { ...right, shape: [...right.shape, 1] } : right
      const k = a.shape.at(-1) ?? 0
      // one number for each of the batch, to know how it broadcasts
      const ones = (shape: Laws.Extents) => Laws.tabulate(shape.slice(0, -2), () => 1)
      const lead = pairwise(ones(a.shape), ones(b.shape), () => 1).shape
      const whole = Laws.tabulate([...lead, a.shape.at(-2) ?? 0, b.shape.at(-1) ?? 0], (...i) => {
        const [batch, row, column] = [i.slice(0, -2), i.at(-2) ?? 0, i.at(-1) ?? 0]
        let sum = 0
        for (let j = 0; j < k; j++) sum += spread(a, [...batch, row, j]) * spread(b, [...batch, j, column])
        return sum
      })
      const kept = [...(a === left ? whole.shape.slice(-2, -1) : []), ...(b === right ? whole.shape.slice(-1) : [])]
      return { shape: [...lead, ...kept], data: whole.data }
    },
    refused: [
      { shapes: { a: [2, 3], b: [4, 5] }, attributes: {}, says: "2×3 times 4×5: the inner sizes differ (3 and 4)" },
      { shapes: { a: [3], b: [2, 4, 5] }, attributes: {}, says: "3 times 2×4×5: the inner sizes differ (3 and 4)" },
      { shapes: { a: [], b: [2] }, attributes: {}, says: "both need at least 1 dimension" },
      { shapes: { a: [2, 2, 3], b: [3, 3, 4] }, attributes: {}, says: "the batches do not broadcast (2 and 3)" },
    ],
  }),
)
