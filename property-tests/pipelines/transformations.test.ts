import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import * as Optim from "../../src/pipelines/Optim.ts"
import { pytorch } from "./pytorch.ts"
import { traceAll, type Vectors } from "./trace.ts"

const close = (found: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 2e-6, what = "") =>
  Array.from(expected).forEach((value, i) =>
    assert.closeTo(found[i]!, value, tolerance * Math.max(1, Math.abs(value)), `${what}[${i}]`),
  )
const run = <A, E>(self: Effect.Effect<A, E>): Promise<A> => Effect.runPromise(self)

/** plain gradient descent with rate 1 from 0: the parameters are minus the gradients that it was given */
const plain = Optim.sgd({ lr: 1 })
const given = (optimizer: Optim.Optimizer, gradients: Vectors) =>
  Effect.map(
    traceAll(
      optimizer,
      Object.fromEntries(Object.entries(gradients).map(([n, g]) => [n, g.map(() => 0)])),
      () => gradients,
      1,
    ),
    ({ found }) => Object.fromEntries(Object.entries(found[0]!).map(([n, p]) => [n, Array.from(p, (x) => -x)])),
  )
const element = fc.double({ min: -2, max: 2, noNaN: true })
const vector = (length: number) => fc.array(element, { minLength: length, maxLength: length })
/** a matrix of two parameters' gradients for some steps */
const steps = fc.array(fc.record({ w: vector(3), b: vector(2) }), { minLength: 1, maxLength: 7 })
const start = { w: [0.5, -1, 2], b: [0.25, -0.75] }

const optimizers: ReadonlyArray<readonly [string, Optim.Optimizer]> = [
  ["sgd", Optim.sgd({ lr: 0.1, momentum: 0.9 })],
  ["adam", Optim.adam({ lr: (step) => 0.1 / step, eps: 0.01, amsgrad: true })],
  ["adagrad", Optim.adagrad({ lr: 0.1, initialAccumulatorValue: 0.5 })],
]

describe("clipping", () => {
  it.effect.each(pytorch.clipNorm.map((c) => [`norm ${c.normType}, at most ${c.maxNorm}`, c] as const))(
    "%s: PyTorch's clip_grad_norm_",
    ([, c]) =>
      Effect.gen(function* () {
        const normType = c.normType === "inf" ? Infinity : c.normType
        const gradients = Object.fromEntries(c.gradients.map((g, i) => [`p${i}`, g]))
        const clipped = yield* given(plain.pipe(Optim.clipNorm(c.maxNorm, { normType })), gradients)
        c.clipped.forEach((g, i) => close(clipped[`p${i}`]!, g, 2e-6, `p${i}`))
      }),
  )

  it("by value, element by element", () =>
    fc.assert(
      fc.asyncProperty(vector(4), fc.double({ min: 0, max: 1.5, noNaN: true }), async (g, bound) => {
        const clipped = await run(given(plain.pipe(Optim.clipValue(bound)), { g }))
        close(
          clipped["g"]!,
          g.map((x) => Math.min(Math.max(x, -bound), bound)),
        )
      }),
    ))

  it.effect("what is given last sees the gradients first; NaN is not hidden", () =>
    Effect.gen(function* () {
      const valueFirst = yield* given(plain.pipe(Optim.clipNorm(1), Optim.clipValue(3)), { g: [3, 40] })
      close(valueFirst["g"]!, [3 / Math.hypot(3, 3), 3 / Math.hypot(3, 3)])
      const normFirst = yield* given(plain.pipe(Optim.clipValue(0.7), Optim.clipNorm(1)), { g: [3, 4] })
      close(normFirst["g"]!, [0.6, 0.7])
      const bad = yield* given(plain.pipe(Optim.clipNorm(1)), { g: [NaN, 1], h: [1] })
      assert.isTrue([...bad["g"]!, ...bad["h"]!].every(Number.isNaN))
    }),
  )
})

describe("accumulation", () => {
  it.each(optimizers)("%s: every k batches, the update with the mean of their gradients", (_, optimizer) =>
    fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 3 }), async (gs, k) => {
        const mean = (update: number): Vectors => {
          const those = gs.slice((update - 1) * k, update * k)
          const of = (name: "w" | "b") => start[name].map((_, i) => those.reduce((s, g) => s + g[name][i]!, 0) / k)
          return { w: of("w"), b: of("b") }
        }
        const updates = Math.floor(gs.length / k)
        const expected = await run(traceAll(optimizer, start, (_, update) => mean(update), Math.max(1, updates)))
        const accumulating = optimizer.pipe(Optim.accumulate(k))
        const { found } = await run(traceAll(accumulating, start, (_, step) => gs[step - 1]!, gs.length))
        found.forEach((p, i) => {
          const update = Math.floor((i + 1) / k)
          for (const name of ["w", "b"] as const) {
            if (update === 0) assert.deepStrictEqual([...p[name]!], start[name])
            else close(p[name]!, expected.found[update - 1]![name]!, 5e-6)
            if ((i + 1) % k !== 0 && i > 0) assert.deepStrictEqual(p[name], found[i - 1]![name])
          }
        })
      }),
      { numRuns: 30 },
    ),
  )

  it("the learning rate counts updates", () => {
    const optimizer = Optim.sgd({ lr: (step) => step }).pipe(Optim.accumulate(3))
    assert.deepStrictEqual(
      [1, 2, 3, 4, 6, 7].map((s) => optimizer.learningRate(s)),
      [1, 1, 1, 2, 2, 3],
    )
  })

  it.effect("clips what the batches gave together", () =>
    Effect.gen(function* () {
      const optimizer = plain.pipe(Optim.clipNorm(1), Optim.accumulate(2))
      const { found } = yield* traceAll(optimizer, { p: [0, 0] }, (_, s) => ({ p: s === 1 ? [6, 0] : [0, 8] }), 2)
      close(found[1]!["p"]!, [-0.6, -0.8])
    }),
  )
})

describe("average", () => {
  it.each([
    ["exponential", 0.9, (step: number) => (step === 1 ? 0 : 0.9)],
    ["of all steps", (step: number) => 1 - 1 / step, (step: number) => 1 - 1 / step],
  ] as const)("%s: of the parameters after each step, which go on as they would", (_, decay, decayAt) =>
    fc.assert(
      fc.asyncProperty(steps, async (gs) => {
        const optimizer = Optim.adam({ lr: 0.1, eps: 0.01 })
        const gradients = (_: unknown, step: number) => gs[step - 1]!
        const expected = await run(traceAll(optimizer, start, gradients, gs.length))
        const { found, slots } = await run(
          traceAll(optimizer.pipe(Optim.average({ decay })), start, gradients, gs.length),
        )
        assert.deepStrictEqual(found, expected.found)
        for (const name of ["w", "b"] as const) {
          let average = start[name]
          found.forEach((p, i) => {
            const d = decayAt(i + 1)
            average = average.map((a, j) => d * a + (1 - d) * p[name]![j]!)
            close(slots[i]!["average"]![name]!.data, average)
          })
        }
      }),
      { numRuns: 30 },
    ),
  )

  it.effect("moves with the updates where batches are accumulated after it", () =>
    Effect.gen(function* () {
      const optimizer = plain.pipe(Optim.average({ decay: 0.5 }), Optim.accumulate(2))
      const { slots } = yield* traceAll(optimizer, { p: [8] }, () => ({ p: [1] }), 4)
      assert.deepStrictEqual(
        slots.map((s) => s["average"]!["p"]!.data[0]),
        [8, 7, 7, 6.5],
      )
    }),
  )
})

describe("freezing", () => {
  it.effect("leaves what it names, keeps nothing for it, and clips without it wherever it stands", () =>
    Effect.gen(function* () {
      for (const optimizer of [
        Optim.sgd({ lr: 1, momentum: 0.5 }).pipe(Optim.freeze("body"), Optim.clipNorm(1)),
        Optim.sgd({ lr: 1, momentum: 0.5 }).pipe(Optim.clipNorm(1), Optim.freeze(/^body/)),
        Optim.sgd({ lr: 1, momentum: 0.5 }).pipe(
          Optim.clipNorm(1),
          Optim.freeze((n) => n !== "head.w"),
        ),
      ]) {
        const gradients = () => ({ "body.w": [30, 40], "head.w": [3, 4] })
        const { found, slots, plan } = yield* traceAll(
          optimizer.pipe(Optim.average(), Optim.accumulate(1)),
          { "body.w": [1, 2], "head.w": [0, 0] },
          gradients,
          1,
        )
        assert.deepStrictEqual([...found[0]!["body.w"]!], [1, 2])
        close(found[0]!["head.w"]!, [-0.6, -0.8])
        for (const slot of ["momentum_buffer", "average", "accumulated"])
          assert.deepStrictEqual(Object.keys(slots[0]![slot]!), ["head.w"])
        // its gradient is read by nothing
        const read = new Set(plan.steps.flatMap((s) => s.inputs))
        const inputs = plan.buffers.flatMap((b, i) => (b.role._tag === "Input" && b.role.slot === 0 ? [i] : []))
        assert.isTrue(inputs.every((i) => !read.has(i)))
      }
    }),
  )
})

describe("groups", () => {
  it("each parameter follows the optimiser of its group, as if it were alone", () =>
    fc.assert(
      fc.asyncProperty(steps, async (gs) => {
        const [rest, own] = [
          Optim.adamw({ lr: 0.1, weightDecay: 0.5, eps: 0.01 }),
          Optim.sgd({ lr: 0.01, momentum: 0.9 }),
        ]
        const gradients = (_: unknown, step: number) => gs[step - 1]!
        const { found, slots } = await run(traceAll(rest.pipe(Optim.groups([["b", own]])), start, gradients, gs.length))
        const alone = (name: "w" | "b", o: Optim.Optimizer) =>
          run(traceAll(o, { [name]: start[name] }, (_, s) => ({ [name]: gs[s - 1]![name] }), gs.length))
        const [w, b] = [await alone("w", rest), await alone("b", own)]
        found.forEach((p, i) => assert.deepStrictEqual(p, { ...w.found[i], ...b.found[i] }))
        assert.deepStrictEqual(slots.at(-1), { ...w.slots.at(-1), ...b.slots.at(-1) })
      }),
      { numRuns: 30 },
    ))

  it.effect("no decay for biases; the rate of every group is scaled", () =>
    Effect.gen(function* () {
      const sgd = (weightDecay: number) => Optim.sgd({ lr: 0.1, weightDecay })
      const optimizer = sgd(0.5).pipe(Optim.groups([[[/bias$/, /^norm/], sgd(0)]]))
      const p0 = { "fc.weight": [1], "fc.bias": [1], "norm.weight": [1] }
      const none = () => ({ "fc.weight": [0], "fc.bias": [0], "norm.weight": [1] })
      const { found } = yield* traceAll(optimizer, p0, none, 1)
      close(
        Object.values(found[0]!).map((p) => p[0]!),
        [0.95, 1, 0.9],
      )
      const half = yield* traceAll(optimizer, p0, none, 1, 0.5)
      close(
        Object.values(half.found[0]!).map((p) => p[0]!),
        [0.975, 1, 0.95],
      )
    }),
  )
})

describe("transformations", () => {
  it.each([
    [Optim.adam().pipe(Optim.clipNorm(-1)), "clipNorm needs maxNorm of at least 0, not -1"],
    [Optim.adam().pipe(Optim.clipNorm(1, { normType: 0 })), "clipNorm needs normType above 0, not 0"],
    [Optim.adam().pipe(Optim.clipValue(NaN)), "clipValue needs clipValue of at least 0, not NaN"],
    [Optim.adam().pipe(Optim.accumulate(0)), "accumulate needs a whole number of batches of at least 1, not 0"],
    [Optim.adam().pipe(Optim.accumulate(2), Optim.accumulate(2)), "accumulate needs to be given once"],
    [Optim.adam().pipe(Optim.average({ decay: 2 })), "average needs decay from 0 to 1, not 2"],
    [Optim.adam({ lr: -1 }).pipe(Optim.clipNorm(1), Optim.freeze("a")), "adam needs lr of at least 0, not -1"],
    [Optim.adam().pipe(Optim.groups([["a", Optim.sgd({ lr: -1 })]])), "sgd needs lr of at least 0, not -1"],
    [Optim.adam().pipe(Optim.clipNorm(1), Optim.average()), undefined],
  ])("an option that cannot be meant is told: %#", ({ refusal }, says) => assert.strictEqual(refusal, says))

  it.each([
    [Optim.adam().pipe(Optim.freeze("feature")), "freeze: feature means no parameter; there are fc.weight, fc.bias"],
    [
      Optim.adam().pipe(Optim.groups([[["fc", /bn/], Optim.adam()]]), Optim.clipNorm(1)),
      "groups: /bn/ means no parameter; there are fc.weight, fc.bias",
    ],
    [Optim.adam().pipe(Optim.freeze("fc")), undefined],
    [Optim.adam().pipe(Optim.freeze("fc.bias"), Optim.groups([[/weight$/g, Optim.adam()]])), undefined],
  ])("names that mean nothing are told: %#", ({ refusalFor }, says) => {
    assert.strictEqual(refusalFor?.(["fc.weight", "fc.bias"]), says)
  })

  it("data first and data last are the same", () => {
    const of = ({ slots, spec, learningRate }: Optim.Optimizer) => [slots, spec, learningRate(5)]
    const adam = Optim.adam()
    assert.deepStrictEqual(
      of(Optim.average(Optim.accumulate(adam, 2), { decay: 0.5 })),
      of(adam.pipe(Optim.accumulate(2), Optim.average({ decay: 0.5 }))),
    )
    assert.deepStrictEqual(of(Optim.average(adam)), of(adam.pipe(Optim.average())))
    assert.deepStrictEqual(of(Optim.clipNorm(adam, 1)), of(adam.pipe(Optim.clipNorm(1))))
  })
})
