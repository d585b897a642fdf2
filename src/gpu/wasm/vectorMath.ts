/**
 * exp, log, tanh, erf and pow of four floats at once. The bounds stated are in units in the last place of the true result,
 * as the tests measure them, with and without fused multiply-add.
 */
import { type Expr, f32x4, i32x4, v128 } from "./Assembler.ts"

type V = Expr<"v128">
/** how values are computed */
export interface Arithmetic {
  /**
   * Names a value, so that it is computed once. Every few operations have one: where several vectors are computed side
   * by side, they take turns from name to name, and none waits for its own results.
   */
  readonly name: (value: V) => V
  /** whether `x · y + z` may be rounded once, with relaxed SIMD */
  readonly relaxed: boolean
}

const c = f32x4.const
const { add, sub, mul, div } = f32x4

/** `x · y + z` */
const madd = (x: V, y: V, z: V, { relaxed }: Arithmetic): V =>
  relaxed ? f32x4.relaxedMadd(x, y, z) : add(mul(x, y), z)
/** `z − x · y` */
const nmadd = (x: V, y: V, z: V, { relaxed }: Arithmetic): V =>
  relaxed ? f32x4.relaxedNmadd(x, y, z) : sub(z, mul(x, y))

/** `c₀ + x (c₁ + x (c₂ + …))` */
const polynomial = (x: V, coefficients: ReadonlyArray<number>, m: Arithmetic): V =>
  coefficients.slice(0, -1).reduceRight((sum, a) => m.name(madd(x, sum, c(a), m)), c(coefficients.at(-1) ?? 0))

/** the larger, the first of equals, NaN where either is: three instructions on x86, where WebAssembly's own takes nine */
export const max = (x: V, y: V): V => v128.or(f32x4.pmax(x, y), f32x4.ne(y, y))
/** the smaller, alike */
export const min = (x: V, y: V): V => v128.or(f32x4.pmin(x, y), f32x4.ne(y, y))

/** a NaN stays: the comparison of either finds it no better than itself */
const clamped = (x: V, low: number, high: number): V => f32x4.pmin(f32x4.pmax(x, c(low)), c(high))

const where = (mask: V, yes: V, no: V): V => v128.bitselect(yes, no, mask)
const bits = (n: number): V => i32x4.const(n)
const signBit = bits(0x80000000 | 0)

// floats near it are whole numbers apart: what is added to it is rounded, and stands in the last bits, which are the
// exponent of 2ⁿ once they are moved to where an exponent stands
const exponentShift = 1.5 * 2 ** 23 + 127

const log2e = Math.LOG2E
// the first has so few bits that its product with any exponent is exact
const ln2High = 0.693359375
const ln2Low = Math.LN2 - ln2High

// eˣ for |x| ≤ log 2: interpolated for the least relative error, 1.4e-8, after the first two terms
const expSeries = [
  1, 1, 0.5000003576278687, 0.1666661500930786, 0.041661277413368225, 0.008336098864674568, 0.0014104305300861597,
  0.0001961180241778493,
]
/**
 * `exp(x + small)` for x in [-105, 89]: 2ⁿ · eʳ · 2ⁿ with |r| ≤ log 2, so that what overflows or is subnormal comes out
 * right and a power of two is a float's last bits in another place.
 */
const expOfSum = (x: V, small: V | undefined, m: Arithmetic): V => {
  const { name } = m
  const shifted = name(madd(x, c(log2e / 2), c(exponentShift), m))
  const n = name(sub(shifted, c(exponentShift)))
  const coarse = name(nmadd(n, c(2 * ln2High), x, m))
  const near = name(nmadd(n, c(2 * ln2Low), coarse, m))
  const r = small === undefined ? near : name(add(near, small))
  const power = name(i32x4.shl(shifted, 23))
  return name(mul(mul(polynomial(r, expSeries, m), power), power))
}

/** within 2 ulp (subnormal results within one subnormal step); 0, ∞ and NaN as they must be */
export const exp = (x: V, m: Arithmetic): V => expOfSum(m.name(clamped(x, -105, 89)), undefined, m)

/** the exponent and the mantissa in [√½, √2) of a positive x */
const decompose = (x: V, { name }: Arithmetic): { readonly exponent: V; readonly mantissa: V } => {
  const tiny = name(f32x4.lt(x, c(1.1754943508222875e-38)))
  const normal = name(where(tiny, mul(x, c(8388608)), x))
  const shifted = name(i32x4.sub(normal, bits(0x3f3504f3)))
  const exponent = i32x4.sub(i32x4.shrS(shifted, 23), v128.and(tiny, bits(23)))
  const mantissa = i32x4.add(v128.and(shifted, bits(0x007fffff)), bits(0x3f3504f3))
  return { exponent: f32x4.convertI32x4S(exponent), mantissa }
}

/** within 2 ulp; log 0 = −∞, log of a negative number NaN */
export const log = (given: V, m: Arithmetic): V => {
  const { name } = m
  const x = name(given)
  const { exponent, mantissa } = decompose(x, m)
  const e = name(exponent)
  const f = name(sub(mantissa, c(1)))
  const s = name(div(f, add(c(2), f)))
  const z = name(mul(s, s))
  const halfSquare = name(mul(mul(f, f), c(0.5)))
  // log(1+f) = f − f²/2 + s (f²/2 + R), R = 2s²/3 + 2s⁴/5 + …
  const r = mul(z, polynomial(z, [2 / 3, 2 / 5, 2 / 7, 2 / 9, 2 / 11], m))
  const small = name(add(mul(s, name(add(halfSquare, r))), mul(e, c(ln2Low))))
  const result = name(add(mul(e, c(ln2High)), name(sub(f, name(sub(halfSquare, small))))))
  const finite = name(where(f32x4.eq(x, c(Infinity)), x, result))
  const atZero = name(where(f32x4.eq(x, c(0)), c(-Infinity), finite))
  return where(f32x4.ge(x, c(0)), atZero, c(NaN))
}

// tanh x = x + x³ · p(x²) for |x| < 0.63: interpolated at Chebyshev nodes, within 2e-9
const tanhSeries = [
  -0.3333333432674408, 0.1333329975605011, -0.053958460688591, 0.021762501448392868, -0.008323184214532375,
  0.0022694990038871765,
]

/** within 3 ulp; ±1 at ±∞ */
export const tanh = (given: V, m: Arithmetic): V => {
  const { name } = m
  const x = name(given)
  const size = name(f32x4.abs(x))
  const z = name(mul(x, x))
  const near = name(add(x, mul(mul(x, z), polynomial(z, tanhSeries, m))))
  const far = sub(c(1), div(c(2), add(exp(mul(size, c(2)), m), c(1))))
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
export const erf = (given: V, m: Arithmetic): V => {
  const { name } = m
  const x = name(given)
  const size = name(f32x4.pmin(f32x4.abs(x), c(4)))
  const z = name(mul(size, size))
  const near = name(add(x, mul(x, polynomial(z, erfSeries, m))))
  const t = name(sub(size, c(2.5)))
  const far = sub(c(1), exp(polynomial(t, logErfcSeries, m), m))
  return where(f32x4.lt(size, c(1)), near, v128.or(far, v128.and(x, signBit)))
}

// ---------- pow: logarithm and product as unevaluated sums of two floats

interface Pair {
  readonly high: V
  readonly low: V
}

/** the first twelve bits, whose products are exact */
const head = (x: V): V => v128.and(x, bits(0xfffff000 | 0))

const exactProduct = (a: V, b: V, { name }: Arithmetic): Pair => {
  const high = name(mul(a, b))
  const [ah, bh] = [name(head(a)), name(head(b))]
  const [al, bl] = [name(sub(a, ah)), name(sub(b, bh))]
  const low = add(add(add(sub(mul(ah, bh), high), mul(ah, bl)), mul(al, bh)), mul(al, bl))
  return { high, low: name(low) }
}
/** needs |a| ≥ |b| */
const quickSum = (a: V, b: V, { name }: Arithmetic): Pair => {
  const high = name(add(a, b))
  return { high, low: name(sub(b, sub(high, a))) }
}
const exactSum = (a: V, b: V, { name }: Arithmetic): Pair => {
  const high = name(add(a, b))
  const t = name(sub(high, a))
  return { high, low: name(add(sub(a, sub(high, t)), sub(b, t))) }
}

/** log of a positive x to about 2⁻⁴⁰ */
const logPair = (x: V, m: Arithmetic): Pair => {
  const { name } = m
  const { exponent, mantissa } = decompose(x, m)
  const fraction = name(mantissa)
  const e = name(exponent)
  const f = name(sub(fraction, c(1)))
  const d = exactSum(c(1), fraction, m)
  // s = f / (m + 1), to twice the precision
  const s = name(div(f, d.high))
  const back = exactProduct(s, d.high, m)
  const sLow = name(div(sub(sub(sub(f, back.high), back.low), mul(s, d.low)), d.high))
  const z = name(mul(s, s))
  // 2 atanh s = 2s + s³ (2/3 + 2s²/5 + …); the cubic term with the pair's precision
  const square = exactProduct(s, s, m)
  const cube = exactProduct(square.high, s, m)
  const cubeLow = name(add(cube.low, add(mul(square.low, s), mul(mul(c(3), z), sLow))))
  const third = exactProduct(cube.high, c(2 / 3), m)
  // 2/3 has a remainder in float32
  const thirdLow = add(third.low, add(mul(cubeLow, c(2 / 3)), mul(cube.high, c(2 / 3 - Math.fround(2 / 3)))))
  const rest = mul(mul(cube.high, z), polynomial(z, [2 / 5, 2 / 7, 2 / 9, 2 / 11, 2 / 13], m))
  const first = exactSum(name(add(s, s)), third.high, m)
  const tail = name(add(add(add(sLow, sLow), first.low), add(thirdLow, rest)))
  const whole = exactSum(name(mul(e, c(ln2High))), first.high, m)
  return quickSum(whole.high, name(add(whole.low, add(tail, mul(e, c(ln2Low))))), m)
}

/** C's: 1 where the base is 1 or the exponent 0, NaN for a negative base and a fractional exponent; within 3 ulp */
export const pow = (givenBase: V, givenExponent: V, m: Arithmetic): V => {
  const { name } = m
  const [a, b] = [name(givenBase), name(givenExponent)]
  const size = name(f32x4.abs(a))
  const l = logPair(size, m)
  // no logarithm but 0 is so small that a larger exponent would change the result, and the product must not overflow
  const bounded = name(clamped(b, -1e12, 1e12))
  const product = exactProduct(l.high, bounded, m)
  const total = quickSum(product.high, name(add(product.low, mul(l.low, bounded))), m)
  const high = name(clamped(total.high, -105, 89))
  // where the whole is out of range its remainder says nothing
  const low = v128.and(total.low, f32x4.eq(high, total.high))
  const value = expOfSum(high, low, m)

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
