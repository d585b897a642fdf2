import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import * as Optim from "../../src/pipelines/Optim.ts"
import { pytorch } from "./pytorch.ts"
import { trace } from "./trace.ts"

/** the same in float64, straight from PyTorch's documentation */
const sgdInDoubles = (
  o: { lr: number; momentum: number; dampening: number; nesterov: boolean; weightDecay: number },
  p0: ReadonlyArray<number>,
  gradients: ReadonlyArray<ReadonlyArray<number>>,
) => {
  const p = [...p0]
  const buffer: Array<number> = []
  return gradients.map((gs, t) => {
    gs.forEach((g0, i) => {
      const g = g0 + o.weightDecay * p[i]!
      let d = g
      if (o.momentum !== 0) {
        buffer[i] = t === 0 ? g : o.momentum * buffer[i]! + (1 - o.dampening) * g
        d = o.nesterov ? g + o.momentum * buffer[i]! : buffer[i]!
      }
      p[i] = p[i]! - o.lr * d
    })
    return [...p]
  })
}
const adamInDoubles = (
  o: { lr: number; betas: readonly [number, number]; eps: number; weightDecay: number },
  p0: ReadonlyArray<number>,
  gradients: ReadonlyArray<ReadonlyArray<number>>,
) => {
  const p = [...p0]
  const m = p0.map(() => 0)
  const v = p0.map(() => 0)
  return gradients.map((gs, t) => {
    gs.forEach((g0, i) => {
      const g = g0 + o.weightDecay * p[i]!
      m[i] = o.betas[0] * m[i]! + (1 - o.betas[0]) * g
      v[i] = o.betas[1] * v[i]! + (1 - o.betas[1]) * g * g
      const [c1, c2] = [1 - o.betas[0] ** (t + 1), 1 - o.betas[1] ** (t + 1)]
      p[i] = p[i]! - ((o.lr / c1) * m[i]!) / (Math.sqrt(v[i]!) / Math.sqrt(c2) + o.eps)
    })
    return [...p]
  })
}

const near = (found: ReadonlyArray<Float32Array>, expected: ReadonlyArray<ReadonlyArray<number>>, tolerance = 2e-6) =>
  expected.forEach((values, t) =>
    values.forEach((value, i) =>
      assert.closeTo(found[t]![i]!, value, tolerance * Math.max(1, Math.abs(value)), `step ${t + 1}`),
    ),
  )

describe("Optim", () => {
  // f(p) = p², p₀ = 1, learning rate 0.1: three steps as PyTorch 1.13.1 computed them in float64
  it.effect.each([
    ["sgd", Optim.sgd({ lr: 0.1 }), [0.8, 0.64, 0.512]],
    ["momentum", Optim.sgd({ lr: 0.1, momentum: 0.9 }), [0.8, 0.46, 0.062]],
    ["dampening", Optim.sgd({ lr: 0.1, momentum: 0.9, dampening: 0.5 }), [0.8, 0.54, 0.252]],
    ["nesterov", Optim.sgd({ lr: 0.1, momentum: 0.9, nesterov: true }), [0.62, 0.2224, -0.108352]],
    ["weight decay", Optim.sgd({ lr: 0.1, momentum: 0.9, weightDecay: 0.1 }), [0.79, 0.4351, 0.024319]],
    ["maximize", Optim.sgd({ lr: 0.1, maximize: true }), [1.2, 1.44, 1.728]],
    ["adam", Optim.adam({ lr: 0.1 }), [0.9000000005, 0.800412228692, 0.701586272946]],
    ["adamw", Optim.adamw({ lr: 0.1, weightDecay: 0.1 }), [0.8900000005, 0.781571855937, 0.67510122164]],
    ["rmsprop", Optim.rmsprop({ lr: 0.1 }), [5e-8, -2.52e-10, 3e-12]],
  ] as const)("%s follows PyTorch", ([, optimizer, expected]) =>
    Effect.gen(function* () {
      const { found } = yield* trace(optimizer, [1], ([p]) => [2 * p!], 3)
      near(
        found,
        expected.map((p) => [p]),
      )
    }),
  )

  it.effect.each(pytorch.optimizers.map((c, i) => [`${c.optimizer} ${i}`, c] as const))(
    "%s follows PyTorch with random options",
    ([, c]) =>
      Effect.gen(function* () {
        // the options of a case are those of its optimiser
        const make = Optim.optimizers[c.optimizer] as (options: object) => Optim.Optimizer
        const optimizer = make(c.options)
        assert.strictEqual(optimizer.refusal, undefined)
        const { found } = yield* trace(optimizer, c.p0, (_, step) => c.gradients[step - 1]!, c.gradients.length)
        assert.strictEqual(found.length, c.params.length)
        near(found, c.params, 2e-5)
      }),
  )

  it("defaults are PyTorch's", () => {
    assert.deepStrictEqual(Object.keys(Optim.optimizers), ["adam", "adamw", "sgd", "rmsprop", "adagrad"])
    const rates = [Optim.adam(), Optim.adamw(), Optim.rmsprop(), Optim.adagrad()].map((o) => o.learningRate(1))
    assert.deepStrictEqual(rates, [1e-3, 1e-3, 1e-2, 1e-2])
  })

  it.effect("rmsprop that is centred stays finite where all gradients are the same", () =>
    Effect.gen(function* () {
      const optimizer = Optim.rmsprop({ centered: true, alpha: 0.5, eps: 1e-3 })
      const { found } = yield* trace(optimizer, [0, 0, 0], () => [0.1, 0.7, 1.3], 60)
      assert.isTrue(found.every((p) => p.every(Number.isFinite)))
    }),
  )

  const vector = fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: 3, maxLength: 3 })
  const gradients = fc.array(vector, { minLength: 1, maxLength: 6 })
  const share = fc.double({ min: 0, max: 0.95, noNaN: true })

  it("sgd is PyTorch's with any options", () =>
    fc.assert(
      fc.asyncProperty(
        vector,
        gradients,
        share,
        share,
        share,
        fc.boolean(),
        async (p0, gs, lr, momentum, other, nesterov) => {
          const o =
            nesterov && momentum > 0
              ? { lr, momentum, dampening: 0 as const, nesterov: true as const, weightDecay: other }
              : { lr, momentum, dampening: other, nesterov: false as const, weightDecay: other / 10 }
          const { found } = await Effect.runPromise(trace(Optim.sgd(o), p0, (_, t) => gs[t - 1]!, gs.length))
          assert.strictEqual(found.length, gs.length)
          near(found, sgdInDoubles(o, p0, gs))
        },
      ),
    ))

  it("adam is PyTorch's with any options", () =>
    fc.assert(
      fc.asyncProperty(vector, gradients, share, share, share, async (p0, gs, lr, beta1, weightDecay) => {
        // a large epsilon, so that a gradient near zero does not make the quotient a matter of rounding
        const o = { lr, betas: [beta1, 0.9] as const, eps: 0.01, weightDecay }
        const { found } = await Effect.runPromise(trace(Optim.adam(o), p0, (_, t) => gs[t - 1]!, gs.length))
        assert.strictEqual(found.length, gs.length)
        near(found, adamInDoubles(o, p0, gs))
      }),
    ))

  it.effect("the learning rate may change from step to step without compiling anew", () =>
    Effect.gen(function* () {
      const { found } = yield* trace(Optim.sgd({ lr: (step) => 1 / step }), [0], () => [1], 3)
      near(found, [[-1], [-1.5], [-1 - 1 / 2 - 1 / 3]])
    }),
  )

  it.effect("the update of a parameter is one pass over its memory", () =>
    Effect.gen(function* () {
      for (const optimizer of [
        Optim.adam(),
        Optim.adam({ amsgrad: true }),
        Optim.adamw(),
        Optim.sgd({ lr: 1, momentum: 0.9 }),
        Optim.sgd({ lr: 1 }),
        Optim.rmsprop({ centered: true, momentum: 0.9 }),
        Optim.adagrad(),
        Optim.adam().pipe(Optim.clipValue(1)),
      ]) {
        const { plan } = yield* trace(optimizer, [1, 2], () => [0, 0], 1)
        assert.strictEqual(plan.steps.length, 1, optimizer.name)
      }
    }),
  )

  it.each([
    [Optim.sgd({ lr: -1 }), "sgd needs lr of at least 0, not -1"],
    [Optim.sgd({ lr: 1, momentum: -0.5 }), "sgd needs momentum of at least 0, not -0.5"],
    [Optim.sgd({ lr: 1, momentum: 0, nesterov: true }), "sgd needs momentum above 0 and dampening 0 for nesterov"],
    [Optim.adam({ betas: [1, 0.9] }), "adam needs betas[0] from 0 to below 1, not 1"],
    [Optim.adam({ eps: NaN }), "adam needs eps of at least 0, not NaN"],
    [Optim.adamw({ weightDecay: -1 }), "adamw needs weightDecay of at least 0, not -1"],
    [Optim.rmsprop({ alpha: -1 }), "rmsprop needs alpha of at least 0, not -1"],
    [Optim.adagrad({ initialAccumulatorValue: -1 }), "adagrad needs initialAccumulatorValue of at least 0, not -1"],
    [
      Optim.adam({ lr: Optim.schedule.cosine({ lr: 0.1, tMax: 0 }) }),
      "cosine needs tMax to be a whole number of at least 1, not 0",
    ],
    [Optim.adam(), undefined],
  ])("an option that cannot be meant is told: %#", (optimizer, says) => assert.strictEqual(optimizer.refusal, says))

  it("nesterov without momentum, or with dampening, does not compile", () => {
    const wrong = [
      // @ts-expect-error nesterov needs momentum
      Optim.sgd({ lr: 1, nesterov: true }),
      // @ts-expect-error nesterov needs dampening 0
      Optim.sgd({ lr: 1, nesterov: true, momentum: 0.9, dampening: 0.5 }),
    ]
    assert.isTrue(wrong.every((o) => o.refusal === "sgd needs momentum above 0 and dampening 0 for nesterov"))
  })
})
