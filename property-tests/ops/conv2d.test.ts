import * as fc from "fast-check"
import * as Laws from "../../src/laws.ts"
import * as Ops from "../../src/ops/Ops.ts"
import { int } from "../support/cases.ts"
import { onEveryDevice } from "../support/devices.ts"

const pair = (min: number, max: number) => fc.tuple(int(min, max), int(min, max))
const modes = ["zeros", "reflect", "replicate", "circular"] as const

const cases = fc
  .record({
    batch: fc.constantFrom<ReadonlyArray<number>>([], [1], [2]),
    perGroup: pair(1, 3),
    groups: fc.constantFrom(1, 1, 2, 3),
    kernelSize: pair(1, 3),
    stride: pair(1, 3),
    dilation: pair(1, 2),
    padding: pair(0, 2),
    more: pair(0, 4),
    same: fc.boolean(),
    bias: fc.boolean(),
    paddingMode: fc.constantFrom(...modes, "zeros" as const, "zeros" as const),
  })
  .map(({ batch, perGroup: [i, o], groups, kernelSize, dilation, more, same, stride, padding, bias, paddingMode }) => {
    // as large as the window's reach, and some more: the padding comes on top
    const [h = 1, w = 1] = kernelSize.map((k, d) => Math.max(3, (k - 1) * (dilation[d] ?? 1) + 1) + (more[d] ?? 0))
    return {
      shapes: { x: [...batch, i * groups, h, w], weight: [o * groups, i, ...kernelSize], bias: [o * groups] },
      attributes: {
        groups,
        dilation,
        bias,
        paddingMode,
        ...(same ? { padding: "same" as const } : { padding, stride }),
      },
    }
  })

/** how far the padding reaches before a dimension, and how much longer it makes it */
const reach = (
  padding: "same" | readonly [number, number],
  d: 0 | 1,
  k: number,
  dilation: number,
): readonly [number, number] =>
  padding === "same" ? [Math.floor((dilation * (k - 1)) / 2), dilation * (k - 1)] : [padding[d], 2 * padding[d]]

/** where position `i` of a padded dimension of `n` is read from */
const source = (i: number, n: number, mode: (typeof modes)[number]): number | undefined => {
  if (i >= 0 && i < n) return i
  if (mode === "zeros") return undefined
  if (mode === "replicate") return i < 0 ? 0 : n - 1
  if (mode === "circular") return (i + n) % n
  return i < 0 ? -i : 2 * (n - 1) - i
}

onEveryDevice(
  Laws.op(({ x, weight, bias }, a) => Ops.conv2d(x, weight, a.bias ? bias : null, a), {
    name: "conv2d",
    cases,
    // every sum is over at most 27 products of numbers up to 2
    tolerance: 1e-5,
    reference: ({ x, weight, bias }, a) => {
      const [channels = 1, h = 1, w = 1] = x.shape.slice(-3)
      const [o = 1, perGroup = 1, kh = 1, kw = 1] = weight.shape
      const stride = "stride" in a ? a.stride : [1, 1]
      const vertical = reach(a.padding, 0, kh, a.dilation[0])
      const horizontal = reach(a.padding, 1, kw, a.dilation[1])
      const height = Math.floor((h + vertical[1] - a.dilation[0] * (kh - 1) - 1) / (stride[0] ?? 1)) + 1
      const width = Math.floor((w + horizontal[1] - a.dilation[1] * (kw - 1) - 1) / (stride[1] ?? 1)) + 1
      const outPerGroup = o / (channels / perGroup)
      return Laws.tabulate([...x.shape.slice(0, -3), o, height, width], (...index) => {
        const [filter = 0, row = 0, column = 0] = index.slice(-3)
        const first = Math.floor(filter / outPerGroup) * perGroup
        let sum = a.bias ? Laws.at(bias, filter) : 0
        for (let c = 0; c < perGroup; c++)
          for (let i = 0; i < kh; i++)
            for (let j = 0; j < kw; j++) {
              const y = source(row * (stride[0] ?? 1) + i * a.dilation[0] - vertical[0], h, a.paddingMode)
              const z = source(column * (stride[1] ?? 1) + j * a.dilation[1] - horizontal[0], w, a.paddingMode)
              if (y !== undefined && z !== undefined)
                sum += Laws.at(x, ...index.slice(0, -3), first + c, y, z) * Laws.at(weight, filter, c, i, j)
            }
        return sum
      })
    },
    refused: [
      refused([1, 3, 4, 4], [2, 2, 3, 3], 2, 1, "expects 2 input channels but the input gives 3"),
      refused([1, 2, 2, 2], [2, 2, 3, 3], 2, 1, "has a 3×3 window that is larger than its 2×2 input"),
      refused([1, 2, 4, 4], [2, 2, 3, 3], 3, 1, "expects a bias of 2 but is given 3"),
      refused([1, 4, 4, 4], [3, 2, 3, 3], 3, 2, "has 2 groups, which do not divide its 3 output channels"),
    ],
  }),
)

function refused(x: Laws.Extents, weight: Laws.Extents, bias: number, groups: 1 | 2, says: string) {
  const one: [number, number] = [1, 1]
  const none: [number, number] = [0, 0]
  const attributes = { groups, dilation: one, bias: true, paddingMode: "zeros" as const, padding: none, stride: one }
  return { shapes: { x, weight, bias: [bias] }, attributes, says }
}
