/**
 * Random kernels whose results are whole numbers small enough to be exact in float32, so that two devices agree on them
 * bit for bit however they add.
 */
import * as fc from "fast-check"
import * as K from "../../src/gpu/Kernel.ts"

interface Scope {
  readonly axes: ReadonlyArray<readonly [axis: number, extent: number]>
  readonly inputs: ReadonlyArray<ReadonlyArray<number>>
  readonly fresh: () => number
}

type Draw = fc.GeneratorValue

const integer = (g: Draw, min: number, max: number): number => g(fc.integer, { min, max })

const index = (g: Draw, scope: Scope, depth: number): K.Index => {
  const leaf = () => {
    const pick = integer(g, -1, scope.axes.length - 1)
    const axis = scope.axes[pick]
    return axis === undefined ? K.int(integer(g, -3, 9)) : K.axis(axis[0])
  }
  if (depth === 0) return leaf()
  const [a, b] = [index(g, scope, depth - 1), () => index(g, scope, depth - 1)]
  switch (integer(g, 0, 9)) {
    case 0:
      return K.iadd(a, b())
    case 1:
      return K.isub(a, b())
    case 2:
      return K.imul(a, integer(g, -2, 5))
    case 3:
      return K.idiv(a, integer(g, 1, 7))
    case 4:
      return K.imod(a, integer(g, 1, 8))
    case 5:
      return K.imin(a, b())
    case 6:
      return K.imax(a, b())
    case 7:
      return K.toIndex(value(g, scope, 0))
    default:
      return a
  }
}

const within = (i: K.Index, extent: number): K.Condition =>
  K.and(K.compareIndex("ge", i, 0), K.compareIndex("lt", i, extent))

const load = (g: Draw, scope: Scope): K.Value => {
  const input = integer(g, 0, scope.inputs.length - 1)
  const shape = scope.inputs[input] ?? []
  // most kernels load along their own axes
  const along = shape.map((extent): K.Index => {
    const same = scope.axes.filter(([, e]) => e === extent)
    const chosen = same[integer(g, 0, Math.max(0, same.length - 1))]
    return chosen === undefined || integer(g, 0, 2) === 0 ? index(g, scope, 2) : K.axis(chosen[0])
  })
  if (integer(g, 0, 1) === 0)
    return K.load(
      input,
      along.map((i, d) => K.imod(i, shape[d] ?? 1)),
    )
  const conditions = along.map((i, d) => within(i, shape[d] ?? 1))
  const [first, ...rest] = conditions
  const loaded = K.load(input, along)
  return first === undefined ? loaded : K.select(K.and(first, ...rest), loaded, integer(g, -2, 2))
}

const condition = (g: Draw, scope: Scope, depth: number): K.Condition => {
  const op = g(fc.constantFrom, ...(["lt", "le", "gt", "ge", "eq", "ne"] as const))
  switch (integer(g, 0, depth === 0 ? 2 : 5)) {
    case 0:
      return K.compareIndex(op, index(g, scope, 1), index(g, scope, 1))
    case 1:
      return K.compare(op, value(g, scope, depth - 1), value(g, scope, depth - 1))
    case 2:
      return K.isNaN(value(g, scope, depth - 1))
    case 3:
      return K.and(condition(g, scope, depth - 1), condition(g, scope, depth - 1))
    case 4:
      return K.or(condition(g, scope, depth - 1), condition(g, scope, depth - 1))
    default:
      return K.not(condition(g, scope, depth - 1))
  }
}

const bounded = (v: K.Value): K.Value => K.min(K.max(v, -32), 32)

const value = (g: Draw, scope: Scope, depth: number): K.Value => {
  if (depth <= 0) {
    const kind = integer(g, 0, 5)
    if (kind === 0 || scope.inputs.length === 0) return K.constant(integer(g, -3, 3))
    return kind === 1 ? bounded(K.toFloat(index(g, scope, 1))) : load(g, scope)
  }
  const part = () => value(g, scope, depth - 1)
  switch (integer(g, 0, 11)) {
    case 0:
      return K.add(part(), part())
    case 1:
      return K.sub(part(), part())
    case 2:
      return bounded(K.mul(bounded(part()), bounded(part())))
    case 3:
      return K.min(part(), part())
    case 4:
      return K.max(part(), part())
    case 5:
      return K.neg(part())
    case 6:
      return K.abs(part())
    case 7:
      return K.floor(part())
    case 8:
    case 9:
      return K.select(condition(g, scope, depth - 1), part(), part())
    default: {
      const axes = Array.from({ length: integer(g, 1, 2) }, () => ({
        axis: scope.fresh(),
        extent: g(fc.constantFrom, 1, 2, 3, 5, 8, 17, 40),
      }))
      const inner = {
        ...scope,
        axes: [...scope.axes, ...axes.map((a): readonly [number, number] => [a.axis, a.extent])],
      }
      const make = g(fc.constantFrom, K.sum, K.maximum, K.argmax)
      return bounded(make(axes, bounded(value(g, inner, Math.min(1, depth - 1)))))
    }
  }
}

export interface Case {
  readonly kernel: K.Kernel
  readonly inputs: ReadonlyArray<Float32Array>
}

const extents: fc.Arbitrary<number> = fc.constantFrom(1, 2, 3, 4, 5, 7, 8, 16, 19, 33)

export const kernelCase: fc.Arbitrary<Case> = fc.gen().map((g) => {
  const space = Array.from({ length: integer(g, 0, 3) }, () => g(() => extents))
  const inputs = Array.from({ length: integer(g, 1, 3) }, () =>
    Array.from({ length: integer(g, 0, 3) }, () =>
      space.length > 0 && integer(g, 0, 2) > 0 ? (space[integer(g, 0, space.length - 1)] ?? 1) : g(() => extents),
    ),
  )
  let axes = 0
  const scope: Scope = {
    axes: space.map((extent, axis): readonly [number, number] => [axis, extent]),
    inputs,
    fresh: () => K.reductionAxis(axes++),
  }
  const stores = Array.from({ length: integer(g, 1, 2) }, () => value(g, scope, integer(g, 1, 3)))
  const kernel: K.Kernel = { _tag: "Kernel", name: "random", space, inputs, stores }
  const data = inputs.map((shape) => {
    const n = shape.reduce((a, b) => a * b, 1)
    const seed = integer(g, 1, 1000)
    return Float32Array.from({ length: n }, (_, i) => {
      const r = (seed * 31 + i * 7919 + ((i * i) % 101)) % 13
      return r === 12 && seed % 5 === 0 ? NaN : r - 6
    })
  })
  return { kernel, inputs: data }
})
