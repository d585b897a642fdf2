/**
 * exp, log, tanh, erf and pow of four floats at once, without fused multiply-add, so that every engine gives the same
 * bits. The bounds stated are in units in the last place of the true result, as the tests measure them.
 */
import { type Expr, f32x4, i32x4, v128 } from "./Assembler.ts"

type V = Expr<"v128">
/** names a value, so that it is computed once */
export type Let = (value: V) => V

const c = f32x4.const
const { add, sub, mul, div } = f32x4

/** `c₀ + x (c₁ + x (c₂ + …))` */
const polynomial = (x: V, coefficients: ReadonlyArray<number>): V =>
  coefficients.slice(0, -1).reduceRight((sum, a) => add(c(a), mul(x, sum)), c(coefficients.at(-1) ?? 0))

/** the same in pairs of terms, pairs of pairs and so on: fewer operations wait for each other */
const balanced = (x: V, coefficients: ReadonlyArray<number>, name: Let): V => {
  let power = x
  let terms: ReadonlyArray<V> = coefficients.map((a) => c(a))
  for (;;) {
    const [first, ...rest] = terms.flatMap((low, i) => {
      const high = terms[i + 1]
      return i % 2 === 1 ? [] : [high === undefined ? low : add(low, mul(power, high))]
    })
    if (first === undefined || rest.length === 0) return first ?? c(0)
    terms = [first, ...rest]
    power = name(mul(power, power))
  }
}

/** the larger, the first of equals, NaN where either is: three instructions on x86, where WebAssembly's own takes nine */
export const max = (x: V, y: V): V => v128.or(f32x4.pmax(x, y), f32x4.ne(y, y))
/** the smaller, alike */
export const min = (x: V, y: V): V => v128.or(f32x4.pmin(x, y), f32x4.ne(y, y))

/** a NaN stays: the comparison of either finds it no better than itself */
const clamped = (x: V, low: number, high: number): V => f32x4.pmin(f32x4.pmax(x, c(low)), c(high))

const where = (mask: V, yes: V, no: V): V => v128.bitselect(yes, no, mask)
const bits = (n: number): V => i32x4.const(n)
const signBit = bits(0x80000000 | 0)

// floats near it are whole numbers apart: what is added to it is rounded, and stands in the last bits
const roundingShift = 1.5 * 2 ** 23
const roundingShiftBits = 0x4b400000

/** the whole number nearest to x, ties to even, for |x| < 2²²: as a float and as an integer. Unlike a conversion, engines fuse it. */
const nearestWhole = (x: V, name: Let): { readonly float: V; readonly integer: V } => {
  const shifted = name(add(x, c(roundingShift)))
  return { float: name(sub(shifted, c(roundingShift))), integer: name(i32x4.sub(shifted, bits(roundingShiftBits))) }
}

/** 2ⁿ for a vector of integers in [-126, 127] */
const powerOfTwo = (n: V): V => i32x4.shl(i32x4.add(n, bits(127)), 23)

/** `p · 2ⁿ` for n in [-252, 254], in two factors, so that what overflows or is subnormal comes out right */
const scaled = (p: V, whole: V, name: Let): V => {
  const half = name(i32x4.shrS(whole, 1))
  return mul(mul(p, powerOfTwo(half)), powerOfTwo(i32x4.sub(whole, half)))
}

const log2e = Math.LOG2E
// the first has so few bits that its product with any exponent is exact
const ln2High = 0.693359375
const ln2Low = Math.LN2 - ln2High

/** 1, r, r²/2!, … r⁷/7! */
const expSeries = [1, 1, 1 / 2, 1 / 6, 1 / 24, 1 / 120, 1 / 720, 1 / 5040]

/** within 2 ulp (subnormal results within one subnormal step); 0, ∞ and NaN as they must be */
export const exp = (x: V, name: Let): V => {
  const bounded = name(clamped(x, -105, 89))
  const n = nearestWhole(mul(bounded, c(log2e)), name)
  const r = name(sub(sub(bounded, mul(n.float, c(ln2High))), mul(n.float, c(ln2Low))))
  return scaled(balanced(r, expSeries, name), n.integer, name)
}

/** the exponent and the mantissa in [√½, √2) of a positive x */
const decompose = (x: V, name: Let): { readonly exponent: V; readonly mantissa: V } => {
  const tiny = name(f32x4.lt(x, c(1.1754943508222875e-38)))
  const normal = name(where(tiny, mul(x, c(8388608)), x))
  const shifted = name(i32x4.sub(normal, bits(0x3f3504f3)))
  const exponent = i32x4.sub(i32x4.shrS(shifted, 23), v128.and(tiny, bits(23)))
  const mantissa = i32x4.add(v128.and(shifted, bits(0x007fffff)), bits(0x3f3504f3))
  return { exponent: f32x4.convertI32x4S(exponent), mantissa }
}

/** within 2 ulp; log 0 = −∞, log of a negative number NaN */
export const log = (given: V, name: Let): V => {
  const x = name(given)
  const { exponent, mantissa } = decompose(x, name)
  const e = name(exponent)
  const f = name(sub(mantissa, c(1)))
  const s = name(div(f, add(c(2), f)))
  const z = name(mul(s, s))
  const halfSquare = name(mul(mul(f, f), c(0.5)))
  // log(1+f) = f − f²/2 + s (f²/2 + R), R = 2s²/3 + 2s⁴/5 + …
  const r = mul(z, polynomial(z, [2 / 3, 2 / 5, 2 / 7, 2 / 9, 2 / 11]))
  const small = add(mul(s, add(halfSquare, r)), mul(e, c(ln2Low)))
  const result = add(mul(e, c(ln2High)), sub(f, sub(halfSquare, small)))
  const finite = where(f32x4.eq(x, c(Infinity)), x, result)
  const atZero = where(f32x4.eq(x, c(0)), c(-Infinity), finite)
  return where(f32x4.ge(x, c(0)), atZero, c(NaN))
}

// tanh x = x + x³ · p(x²) for |x| < 0.63: interpolated at Chebyshev nodes, within 2e-9
const tanhSeries = [
  -0.3333333432674408, 0.1333329975605011, -0.053958460688591, 0.021762501448392868, -0.008323184214532375,
  0.0022694990038871765,
]

/** within 3 ulp; ±1 at ±∞ */
export const tanh = (given: V, name: Let): V => {
  const x = name(given)
  const size = name(f32x4.abs(x))
  const z = name(mul(x, x))
  const near = name(add(x, mul(mul(x, z), polynomial(z, tanhSeries))))
  const far = sub(c(1), div(c(2), add(exp(mul(size, c(2)), name), c(1))))
  const signed = v128.or(far, v128.and(x, signBit))
  // a NaN is not less than anything and goes through `far`, where exp keeps it
  return where(f32x4.lt(size, c(0.63)), near, signed)
}

// erf x = x + x · p(x²) for |x| < 1, and log(1 − erf x) as a polynomial in x − 2.5 from 1 to 4
const erfSeries = [
  0.1283791670955126, -0.37612637877464294, 0.1128375381231308, -0.026861699298024178, 0.0052045788615942,
  -0.000816198589745909, 8.379752398468554e-5,
]
const logErfcSeries = [
  -7.806815147399902, -5.352680683135986, -0.9438937306404114, -0.01085854135453701, 0.0021653035655617714,
  -0.00042012252379208803, 7.729137723799795e-5, -1.3315014257386792e-5, 1.6371513993362896e-6,
]

/** within 3 ulp; ±1 at ±∞ */
export const erf = (given: V, name: Let): V => {
  const x = name(given)
  const size = name(f32x4.pmin(f32x4.abs(x), c(4)))
  const z = name(mul(size, size))
  const near = name(add(x, mul(x, polynomial(z, erfSeries))))
  const t = name(sub(size, c(2.5)))
  const far = sub(c(1), exp(polynomial(t, logErfcSeries), name))
  return where(f32x4.lt(size, c(1)), near, v128.or(far, v128.and(x, signBit)))
}

// ---------- pow: logarithm and product as unevaluated sums of two floats

interface Pair {
  readonly high: V
  readonly low: V
}

/** the first twelve bits, whose products are exact */
const head = (x: V): V => v128.and(x, bits(0xfffff000 | 0))

const exactProduct = (a: V, b: V, name: Let): Pair => {
  const high = name(mul(a, b))
  const [ah, bh] = [name(head(a)), name(head(b))]
  const [al, bl] = [name(sub(a, ah)), name(sub(b, bh))]
  const low = add(add(add(sub(mul(ah, bh), high), mul(ah, bl)), mul(al, bh)), mul(al, bl))
  return { high, low: name(low) }
}
/** needs |a| ≥ |b| */
const quickSum = (a: V, b: V, name: Let): Pair => {
  const high = name(add(a, b))
  return { high, low: name(sub(b, sub(high, a))) }
}
const exactSum = (a: V, b: V, name: Let): Pair => {
  const high = name(add(a, b))
  const t = name(sub(high, a))
  return { high, low: name(add(sub(a, sub(high, t)), sub(b, t))) }
}

/** log of a positive x to about 2⁻⁴⁰ */
const logPair = (x: V, name: Let): Pair => {
  const { exponent, mantissa } = decompose(x, name)
  const m = name(mantissa)
  const e = name(exponent)
  const f = name(sub(m, c(1)))
  const d = exactSum(c(1), m, name)
  // s = f / (m + 1), to twice the precision
  const s = name(div(f, d.high))
  const back = exactProduct(s, d.high, name)
  const sLow = name(div(sub(sub(sub(f, back.high), back.low), mul(s, d.low)), d.high))
  const z = name(mul(s, s))
  // 2 atanh s = 2s + s³ (2/3 + 2s²/5 + …); the cubic term with the pair's precision
  const square = exactProduct(s, s, name)
  const cube = exactProduct(square.high, s, name)
  const cubeLow = name(add(cube.low, add(mul(square.low, s), mul(mul(c(3), z), sLow))))
  const third = exactProduct(cube.high, c(2 / 3), name)
  // 2/3 has a remainder in float32
  const thirdLow = add(third.low, add(mul(cubeLow, c(2 / 3)), mul(cube.high, c(2 / 3 - Math.fround(2 / 3)))))
  const rest = mul(mul(cube.high, z), polynomial(z, [2 / 5, 2 / 7, 2 / 9, 2 / 11, 2 / 13]))
  const first = exactSum(name(add(s, s)), third.high, name)
  const tail = name(add(add(add(sLow, sLow), first.low), add(thirdLow, rest)))
  const whole = exactSum(name(mul(e, c(ln2High))), first.high, name)
  return quickSum(whole.high, name(add(whole.low, add(tail, mul(e, c(ln2Low))))), name)
}

/** C's: 1 where the base is 1 or the exponent 0, NaN for a negative base and a fractional exponent; within 3 ulp */
export const pow = (givenBase: V, givenExponent: V, name: Let): V => {
  const [a, b] = [name(givenBase), name(givenExponent)]
  const size = name(f32x4.abs(a))
  const l = logPair(size, name)
  // no logarithm but 0 is so small that a larger exponent would change the result, and the product must not overflow
  const bounded = name(clamped(b, -1e12, 1e12))
  const product = exactProduct(l.high, bounded, name)
  const total = quickSum(product.high, name(add(product.low, mul(l.low, bounded))), name)
  const high = name(clamped(total.high, -105, 89))
  const n = nearestWhole(mul(high, c(log2e)), name)
  // where the whole is out of range its remainder says nothing
  const low = v128.and(total.low, f32x4.eq(high, total.high))
  const r = name(add(sub(sub(high, mul(n.float, c(ln2High))), mul(n.float, c(ln2Low))), low))
  const value = name(scaled(balanced(r, expSeries, name), n.integer, name))

  const [rising, infinite] = [name(f32x4.gt(b, c(0))), name(f32x4.eq(f32x4.abs(b), c(Infinity)))]
  const atZero = where(rising, c(0), c(Infinity))
  const atInfinity = where(rising, c(Infinity), c(0))
  const byInfinity = where(v128.xor(rising, f32x4.lt(size, c(1))), c(Infinity), c(0))
  const ends = where(f32x4.eq(size, c(0)), atZero, where(f32x4.eq(size, c(Infinity)), atInfinity, value))
  const magnitude = name(where(infinite, where(f32x4.eq(size, c(1)), c(1), byInfinity), ends))

  const whole = name(f32x4.eq(b, f32x4.floor(b)))
  const half = name(mul(b, c(0.5)))
  const odd = v128.and(v128.andnot(whole, infinite), f32x4.ne(half, f32x4.floor(half)))
  const signed = v128.xor(magnitude, v128.and(v128.and(a, signBit), odd))
  const finiteNegative = v128.and(f32x4.lt(a, c(0)), f32x4.gt(a, c(-Infinity)))
  const real = where(v128.andnot(finiteNegative, v128.or(whole, infinite)), c(NaN), signed)
  const ordered = v128.and(f32x4.eq(a, a), f32x4.eq(b, b))
  const one = v128.or(f32x4.eq(b, c(0)), f32x4.eq(a, c(1)))
  return where(one, c(1), where(ordered, real, c(NaN)))
}
