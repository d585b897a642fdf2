/**
 * GB/s of kernels that memory bounds, beside `memory.copy` and the peers. Bytes are those that must move: what is read and
 * what is written, each array once, or as often as the mathematics needs it (statistics before they are used).
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { values } from "../property-tests/conformance/Cases.ts"
import type { Device } from "../src/gpu/Device.ts"
import { elements } from "../src/gpu/Plan.ts"
import * as HostTensor from "../src/ops/HostTensor.ts"
import * as Ops from "../src/ops/Ops.ts"
import * as Program from "../src/ops/Program.ts"
import * as State from "../src/ops/State.ts"
import * as T from "../src/ops/Tensor.ts"
import * as Optim from "../src/pipelines/Optim.ts"
import { compare, type Entrant } from "./compare.ts"
import type { Bench } from "./main.ts"
import { startMemoryCopy } from "./memoryCopy.ts"
import type { Result } from "./Result.ts"

type Trees = { readonly [name: string]: T.Tensor }
type Values = { readonly [name: string]: Float32Array }

interface Case {
  readonly name: string
  /** of `x`; every other array is a part of it */
  readonly shape: ReadonlyArray<number>
  readonly inPlace?: true
  /** for each element of `x` */
  readonly bytesPerElement: number
  /** the arrays of the device, by name: those that are read are by formula, with the seeds 1, 2, … in their order */
  readonly arrays: { readonly [name: string]: ReadonlyArray<number> }
  /** what a step makes of them: only the arrays that change */
  readonly step: (arrays: Trees) => Trees
  readonly optimizer?: Optim.Optimizer
  /** the array that is checked */
  readonly result: string
  /** an element of it after so many steps, in float64 */
  readonly expected: (values: Values, i: number, steps: number) => number
}

/** 64 MiB, more than a cache holds */
const flat = [4096, 4096]
const image = [8, 32, 256, 256]
const half = [8, 32, 128, 128]
const [, channels = 1, height = 1, width = 1] = image
const perChannel = elements(image) / channels

const lr = 1e-3
const at = (xs: Float32Array | undefined, i: number): number => xs?.[i] ?? Number.NaN
/** the four elements of the 2×2 window of output `i` */
const window = (i: number): ReadonlyArray<number> => {
  const [w2, h2] = [width / 2, height / 2]
  const [x, y, plane] = [i % w2, Math.floor(i / w2) % h2, Math.floor(i / (w2 * h2))]
  const first = (plane * height + 2 * y) * width + 2 * x
  return [first, first + 1, first + width, first + width + 1]
}
/** the images of AlexNet's pooling, with overlapping windows of 3×3 that move by 2 */
const odd = [8, 32, 255, 255]
const overlapped = [8, 32, 127, 127]
/** the elements of overlapping window `i` */
const overlapping = (i: number): ReadonlyArray<number> => {
  const [x, y, plane] = [i % 127, Math.floor(i / 127) % 127, Math.floor(i / (127 * 127))]
  return Array.from({ length: 9 }, (_, t) => (plane * 255 + 2 * y + Math.floor(t / 3)) * 255 + 2 * x + (t % 3))
}
/** the overlapping windows that element `i` is in */
const windowsOf = (i: number): ReadonlyArray<number> => {
  const [x, y, plane] = [i % 255, Math.floor(i / 255) % 255, Math.floor(i / (255 * 255))]
  const around = (at: number) => [(at >> 1) - 1, at >> 1].filter((o) => o >= 0 && o < 127 && 2 * o + 2 >= at)
  return around(y).flatMap((v) => around(x).map((u) => (plane * 127 + v) * 127 + u))
}
const largest = (x: Float32Array | undefined, elements: ReadonlyArray<number>): number =>
  elements.reduce((best, k) => (at(x, k) > at(x, best) ? k : best), elements[0] ?? 0)

const channelOf = (i: number): number => Math.floor(i / (height * width)) % channels
/** the sum over a channel */
const channelSum = (c: number, f: (i: number) => number): number => {
  let total = 0
  const plane = height * width
  for (let n = 0; n < elements(image) / (channels * plane); n++)
    for (let k = 0, i = (n * channels + c) * plane; k < plane; k++) total += f(i + k)
  return total
}
const moments = (x: Float32Array | undefined, c: number) => {
  const mean = channelSum(c, (i) => at(x, i)) / perChannel
  const variance = channelSum(c, (i) => (at(x, i) - mean) ** 2) / perChannel
  return { mean, deviation: Math.sqrt(variance + 1e-5) }
}
/** every case has the arrays that it takes */
const get = (arrays: Trees, name: string): T.Tensor => arrays[name]!

const adam = Optim.adam({ lr })
const sgd = Optim.sgd({ lr, momentum: 0.9 })

export const cases: ReadonlyArray<Case> = [
  {
    name: "relu",
    shape: flat,
    bytesPerElement: 8,
    arrays: { x: flat, y: flat },
    step: (a) => ({ y: Ops.relu(get(a, "x")) }),
    result: "y",
    expected: ({ x }, i) => Math.max(0, at(x, i)),
  },
  {
    name: "relu in place",
    shape: flat,
    inPlace: true,
    bytesPerElement: 8,
    arrays: { x: flat },
    step: (a) => ({ x: Ops.relu(get(a, "x")) }),
    result: "x",
    expected: ({ x }, i) => Math.max(0, at(x, i)),
  },
  {
    name: "add",
    shape: flat,
    bytesPerElement: 12,
    arrays: { x: flat, z: flat, y: flat },
    step: (a) => ({ y: Ops.add(get(a, "x"), get(a, "z")) }),
    result: "y",
    expected: ({ x, z }, i) => at(x, i) + at(z, i),
  },
  {
    name: "exp",
    shape: flat,
    bytesPerElement: 8,
    arrays: { x: flat, y: flat },
    step: (a) => ({ y: Ops.exp(get(a, "x")) }),
    result: "y",
    expected: ({ x }, i) => Math.exp(at(x, i)),
  },
  {
    name: "max pooling",
    shape: image,
    bytesPerElement: 5,
    arrays: { x: image, y: half },
    step: (a) => ({ y: Ops.maxPool2d(get(a, "x"), { kernelSize: 2 }) }),
    result: "y",
    expected: ({ x }, i) => Math.max(...window(i).map((k) => at(x, k))),
  },
  {
    name: "average pooling",
    shape: image,
    bytesPerElement: 5,
    arrays: { x: image, y: half },
    step: (a) => ({ y: Ops.avgPool2d(get(a, "x"), { kernelSize: 2 }) }),
    result: "y",
    expected: ({ x }, i) => window(i).reduce((s, k) => s + at(x, k), 0) / 4,
  },
  {
    // forward keeps which element won, a quarter as many numbers; the gradient reads them and dy
    name: "max pooling and gradient",
    shape: image,
    bytesPerElement: 11,
    arrays: { x: image, dy: half, dx: image },
    step: (a) => ({ dx: Ops.vjp(Ops.maxPool2d(get(a, "x"), { kernelSize: 2 }), get(a, "dy"), get(a, "x")) }),
    result: "dx",
    expected: ({ x, dy }, i) => {
      const [column, row, plane] = [i % width, Math.floor(i / width) % height, Math.floor(i / (width * height))]
      const output = (plane * (height / 2) + (row >> 1)) * (width / 2) + (column >> 1)
      return largest(x, window(output)) === i ? at(dy, output) : 0
    },
  },
  {
    name: "overlapping max pooling",
    shape: odd,
    bytesPerElement: 5,
    arrays: { x: odd, y: overlapped },
    step: (a) => ({ y: Ops.maxPool2d(get(a, "x"), { kernelSize: 3, stride: 2 }) }),
    result: "y",
    expected: ({ x }, i) => at(x, largest(x, overlapping(i))),
  },
  {
    name: "overlapping max pooling and gradient",
    shape: odd,
    bytesPerElement: 11,
    arrays: { x: odd, dy: overlapped, dx: odd },
    step: (a) => ({
      dx: Ops.vjp(Ops.maxPool2d(get(a, "x"), { kernelSize: 3, stride: 2 }), get(a, "dy"), get(a, "x")),
    }),
    result: "dx",
    expected: ({ x, dy }, i) =>
      windowsOf(i).reduce((sum, o) => (largest(x, overlapping(o)) === i ? sum + at(dy, o) : sum), 0),
  },
  {
    // the statistics need x before the result does
    name: "batch normalisation",
    shape: image,
    bytesPerElement: 12,
    arrays: { x: image, y: image },
    step: (a) => ({ y: Ops.batchNorm2d(get(a, "x"), { training: true }).output }),
    result: "y",
    expected: ({ x }, i) => {
      const { mean, deviation } = moments(x, channelOf(i))
      return (at(x, i) - mean) / deviation
    },
  },
  {
    // the statistics of x, the sums of dy and of dy · x, then both again
    name: "batch normalisation gradient",
    shape: image,
    bytesPerElement: 24,
    arrays: { x: image, dy: image, dx: image },
    step: (a) => {
      const { output } = Ops.batchNorm2d(get(a, "x"), { training: true })
      return { dx: Ops.vjp(output, get(a, "dy"), get(a, "x")) }
    },
    result: "dx",
    expected: ({ x, dy }, i) => {
      const c = channelOf(i)
      const { mean, deviation } = moments(x, c)
      const hat = (k: number) => (at(x, k) - mean) / deviation
      const [a, b] = [channelSum(c, (k) => at(dy, k)), channelSum(c, (k) => at(dy, k) * hat(k))]
      return (at(dy, i) - a / perChannel - (hat(i) * b) / perChannel) / deviation
    },
  },
  {
    // the statistics of a row need x before the result does, from a cache
    name: "layer normalisation",
    shape: flat,
    bytesPerElement: 8,
    arrays: { x: flat, y: flat },
    step: (a) => ({ y: Ops.layerNorm(get(a, "x"), [4096]) }),
    result: "y",
    expected: ({ x }, i) => {
      const row = Math.floor(i / 4096) * 4096
      let [mean, square] = [0, 0]
      for (let k = 0; k < 4096; k++) mean += at(x, row + k) / 4096
      for (let k = 0; k < 4096; k++) square += (at(x, row + k) - mean) ** 2 / 4096
      return (at(x, i) - mean) / Math.sqrt(square + 1e-5)
    },
  },
  {
    name: "softmax",
    shape: flat,
    bytesPerElement: 8,
    arrays: { x: flat, y: flat },
    step: (a) => ({ y: Ops.softmax(get(a, "x"), 1) }),
    result: "y",
    expected: ({ x }, i) => {
      const row = Math.floor(i / 4096) * 4096
      let total = 0
      for (let k = 0; k < 4096; k++) total += Math.exp(at(x, row + k))
      return Math.exp(at(x, i)) / total
    },
  },
  {
    name: "local response normalisation",
    shape: image,
    bytesPerElement: 8,
    arrays: { x: image, y: image },
    step: (a) => ({ y: Ops.localResponseNorm(get(a, "x"), 5) }),
    result: "y",
    expected: ({ x }, i) => {
      const c = channelOf(i)
      const plane = height * width
      let total = 0
      for (let k = Math.max(0, c - 2); k <= Math.min(channels - 1, c + 2); k++) total += at(x, i + (k - c) * plane) ** 2
      return at(x, i) / (1 + (1e-4 / 5) * total) ** 0.75
    },
  },
  {
    name: "adam",
    shape: flat,
    inPlace: true,
    bytesPerElement: 28,
    arrays: { x: flat, g: flat },
    step: () => ({}),
    optimizer: adam,
    result: "x",
    // with a gradient that stays, both averages over their corrections are g and g²
    expected: ({ x, g }, i, steps) => at(x, i) - (steps * lr * at(g, i)) / (Math.abs(at(g, i)) + 1e-8),
  },
  {
    name: "sgd with momentum",
    shape: flat,
    inPlace: true,
    bytesPerElement: 20,
    arrays: { x: flat, g: flat },
    step: () => ({}),
    optimizer: sgd,
    result: "x",
    // after step t the momentum is g (1 − 0.9ᵗ) / 0.1
    expected: ({ x, g }, i, steps) => at(x, i) - lr * at(g, i) * 10 * (steps - (0.9 * (1 - 0.9 ** steps)) / 0.1),
  },
]

/** the numbers of every array at the start; an array that is only written starts at 0 */
const initial = (c: Case): Values => {
  const changed = new Set(c.result === "x" ? [] : [c.result])
  let seed = 0
  return Object.fromEntries(
    Object.entries(c.arrays).map(([name, shape]) => [
      name,
      changed.has(name) ? new Float32Array(elements(shape)) : values(shape, ++seed, 1).data,
    ]),
  )
}

interface Running {
  readonly step: Effect.Effect<void, unknown, Device>
  readonly read: Effect.Effect<Float32Array, unknown, Device>
}

const running = (c: Case, start: Values): Effect.Effect<Running, unknown, Device | Scope.Scope> =>
  Effect.gen(function* () {
    const arrays = Object.fromEntries(
      Object.entries(c.arrays).map(([name, shape]) => [name, { shape, data: start[name] ?? new Float32Array() }]),
    )
    const { optimizer } = c
    const slots = optimizer === undefined ? {} : Optim.init(optimizer, { x: arrays["x"]! })
    let state = yield* State.make({ arrays, slots })
    const scalars: T.TensorSpec<[number]> = optimizer?.spec ?? T.input(1)
    const program = yield* Program.compile({ state, scalars }, ({ state, scalars }) => {
      if (optimizer === undefined)
        return { state: { arrays: { ...state.arrays, ...c.step(state.arrays) }, slots: state.slots } }
      const { params, slots } = Optim.update(optimizer, {
        params: { x: get(state.arrays, "x") },
        gradients: { x: get(state.arrays, "g") },
        slots: state.slots,
        scalars,
      })
      return { state: { arrays: { ...state.arrays, ...params }, slots } }
    })
    let steps = 0
    return {
      step: Effect.gen(function* () {
        const given = optimizer?.scalars(++steps) ?? HostTensor.make([1], [0])
        state = (yield* program.run({ state, scalars: given })).state
      }),
      read: Effect.suspend(() =>
        Effect.map(State.read(state), (all) => all.arrays[c.result]?.data ?? new Float32Array()),
      ),
    }
  })

export const run = async function* (bench: Bench): AsyncGenerator<ReadonlyArray<Result>> {
  const chosen = cases.filter((c) => c.name.includes(bench.options.only))
  if (chosen.length === 0) return
  const copy = await startMemoryCopy(elements(flat), bench.options.threads)
  const copies: Entrant = {
    name: "memory.copy",
    work: (elements(flat) * 8) / 1e9,
    run: (n) => copy.run(n),
    wrong: () => copy.wrong(),
  }
  for (const c of chosen) yield await one(bench, c, copies)
  await copy.stop()
}

const one = async (bench: Bench, c: Case, copies: Entrant): Promise<ReadonlyArray<Result>> => {
  const start = initial(c)
  const { value, drop } = await bench.ours.make(running(c, start))
  const size = elements(c.arrays[c.result] ?? [])
  const bytes = elements(c.shape) * c.bytesPerElement
  let taken = 0
  const wrongAt = (at: ReadonlyArray<number>, found: ReadonlyArray<number>, steps: number): boolean =>
    at.some((i, k) => {
      const expected = c.expected(start, i, steps)
      // each step of an optimiser rounds once more
      const roundings = c.optimizer === undefined ? 1 : Math.max(1, steps / 10)
      return !(Math.abs((found[k] ?? Number.NaN) - expected) <= 1e-5 * Math.max(1, Math.abs(expected)) * roundings)
    })
  const ours: Entrant = {
    name: "ours",
    work: bytes / 1e9,
    run: async (n) => {
      taken += n
      const begin = performance.now()
      await bench.ours.run(Effect.forEach(Array.from({ length: n }), () => value.step, { discard: true }))
      return performance.now() - begin
    },
    wrong: async () => {
      const result = await bench.ours.run(value.read)
      const places = bench.positions(size)
      return wrongAt(
        places,
        places.map((i) => result[i] ?? Number.NaN),
        taken,
      )
    },
  }
  const about = {
    suite: "bandwidth",
    name: c.name,
    shape: `${c.shape.join("×")}${c.inPlace === true ? ", in place" : ""}`,
    unit: "GB/s",
  }
  const results = await compare(
    bench,
    about,
    ours,
    {
      job: { kind: "bandwidth", name: c.name, shape: c.shape },
      work: bytes / 1e9,
      size,
      wrong: async (places, found, iterations) => wrongAt(places, found, iterations),
    },
    { others: [copies] },
  )
  await drop()
  return results
}
