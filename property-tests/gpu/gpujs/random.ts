/** Kernels made at random, of small whole numbers, which every device must compute exactly. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import type { Device } from "../../../src/gpu/Device.ts"
import * as K from "../../../src/gpu/Kernel.ts"
import { elements } from "../../../src/gpu/Plan.ts"
import * as Reference from "../../../src/gpu/reference/Reference.ts"
import { runKernel } from "../runKernel.ts"
import { layerOf, type Present } from "./modes.ts"

interface Case {
  readonly kernel: K.Kernel
  readonly inputs: ReadonlyArray<Float32Array>
}

const shape = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 0, maxLength: 5 })

/** an expression drawn from the numbers `draw` gives, so that a case shrinks by its draws */
const build = (
  space: ReadonlyArray<number>,
  shapes: ReadonlyArray<ReadonlyArray<number>>,
  draw: (n: number) => number,
) => {
  let reductions = 0
  type Axes = ReadonlyArray<K.ReduceAxis>
  const scope = (axes: Axes) => [...space.map((extent, axis) => ({ axis, extent })), ...axes]
  const pick = <A>(of: ReadonlyArray<A>): A => of[draw(of.length)] as A // `of` is not empty

  const index = (axes: Axes, depth: number): K.Index => {
    const all = scope(axes)
    const leaf = () => (all.length === 0 || draw(4) === 0 ? K.int(draw(9) - 4) : K.axis(pick(all).axis))
    if (depth === 0) return leaf()
    const a = index(axes, depth - 1)
    switch (draw(8)) {
      case 0:
        return K.iadd(a, index(axes, depth - 1))
      case 1:
        return K.isub(a, index(axes, depth - 1))
      case 2:
        return K.imul(a, draw(5))
      case 3:
        return K.idiv(a, 1 + draw(5))
      case 4:
        return K.imod(a, 1 + draw(5))
      case 5:
        return K.imin(a, leaf())
      case 6:
        return K.imax(a, leaf())
      default:
        return a
    }
  }
  const load = (axes: Axes): K.Value => {
    if (shapes.length === 0) return K.constant(draw(7) - 3)
    const input = draw(shapes.length)
    return K.load(
      input,
      (shapes[input] ?? []).map((extent) => K.imod(index(axes, draw(3)), extent)),
    )
  }
  const condition = (axes: Axes, depth: number): K.Condition => {
    const op = pick(["lt", "le", "gt", "ge", "eq", "ne"] as const)
    switch (draw(depth > 0 ? 6 : 3)) {
      case 0:
        return K.compareIndex(op, index(axes, 1), index(axes, 1))
      case 1:
        return K.compare(op, value(axes, depth - 1), value(axes, depth - 1))
      case 2:
        return K.isNaN(value(axes, depth - 1))
      case 3:
        return K.and(condition(axes, depth - 1), condition(axes, depth - 1))
      case 4:
        return K.or(condition(axes, depth - 1), condition(axes, depth - 1))
      default:
        return K.not(condition(axes, depth - 1))
    }
  }
  const made: Array<readonly [K.Value, Axes]> = []
  const value = (axes: Axes, depth: number): K.Value => {
    if (depth <= 0) return draw(4) === 0 ? K.constant(draw(9) - 4) : load(axes)
    const again = made.filter(([, of]) => of.every((a) => axes.includes(a)))
    // now and then a part that stands elsewhere too, as fused kernels have
    if (again.length > 0 && draw(5) === 0) return pick(again)[0]
    const v = ((): K.Value => {
      switch (draw(9)) {
        case 0:
          return K.add(value(axes, depth - 1), value(axes, depth - 1))
        case 1:
          return K.sub(value(axes, depth - 1), value(axes, depth - 1))
        case 2:
          return K.mul(value(axes, depth - 2), value(axes, depth - 2))
        case 3:
          return pick([K.min, K.max])(value(axes, depth - 1), value(axes, depth - 1))
        case 4:
          return pick([K.neg, K.abs, K.floor])(value(axes, depth - 1))
        case 5:
          return K.toFloat(index(axes, 2))
        case 6:
          return K.select(condition(axes, depth - 1), value(axes, depth - 1), value(axes, depth - 1))
        default: {
          const own = Array.from({ length: 1 + draw(2) }, () => ({
            axis: K.reductionAxis(reductions++),
            extent: 1 + draw(4),
          }))
          return pick([K.sum, K.maximum, K.argmax])(own, value([...axes, ...own], depth - 1))
        }
      }
    })()
    made.push([v, axes])
    return v
  }
  return Array.from({ length: 1 + draw(2) }, () => value([], 3))
}

/** `nonFinite`: inputs may hold NaN and infinity, which shader compilers are free to lose (`0 * x` is 0 to them) */
const cases = (nonFinite: boolean): fc.Arbitrary<Case> =>
  fc
    .record({
      space: shape,
      shapes: fc.array(shape, { maxLength: 3 }),
      draws: fc.array(fc.nat(), { minLength: 40, maxLength: 200 }),
      seed: fc.nat(),
      nan: nonFinite ? fc.boolean() : fc.constant(false),
    })
    .map(({ space, shapes, draws, seed, nan }) => {
      let at = 0
      const stores = build(space, shapes, (n) => (draws[at++ % draws.length] ?? 0) % n)
      const inputs = shapes.map((s, i) =>
        Float32Array.from({ length: elements(s) }, (_, j) => {
          const v = ((seed % 9973) * 31 + i * 7 + j * 13) % 23
          return nan && v === 22 ? NaN : nan && v === 21 ? -Infinity : (v % 7) - 3
        }),
      )
      return { kernel: { _tag: "Kernel", name: "random", space, inputs: shapes, stores }, inputs }
    })

const seed = 20261122

export const random = ({ mode, absent }: Present): void => {
  const suite = absent === undefined ? describe : describe.skip
  suite(`gpu.js ${mode}${absent === undefined ? "" : ` (absent: ${absent})`}`, { timeout: 180_000 }, () => {
    it.layer(layerOf(mode))((it) => {
      it.effect("agrees with the reference on random kernels", () =>
        Effect.gen(function* () {
          const context = yield* Effect.context<Device>()
          yield* Effect.promise(() =>
            fc.assert(
              fc.asyncProperty(cases(mode === "cpu" || mode === "webasm"), async ({ kernel, inputs }) => {
                const expected = await Effect.runPromise(
                  runKernel(kernel, inputs).pipe(Effect.provide(Reference.layer)),
                )
                fc.pre(expected.every((e) => e.every((v) => !Number.isFinite(v) || Math.abs(v) < 2 ** 20)))
                const actual = await Effect.runPromiseWith(context)(runKernel(kernel, inputs))
                const plain = (arrays: ReadonlyArray<Float32Array>) => arrays.map((a) => Array.from(a, (v) => v + 0))
                assert.deepStrictEqual(plain(actual), plain(expected))
              }),
              { seed, numRuns: mode === "webgpu" ? 150 : 400, interruptAfterTimeLimit: 150_000, endOnFailure: true },
            ),
          )
        }),
      )
    })
  })
}
