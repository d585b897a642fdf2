/** Instructions as functions, under the names of the specification in camel case. */
import {
  atomic,
  codeOf,
  constant,
  floatBytes,
  intBytes,
  signed64,
  simd,
  memoryArgument,
  unary,
  binary,
  ternary,
  loader,
  storer,
  updater,
} from "./Code.ts"
import type { Address, Expr, Operand, Statement } from "./Code.ts"

export const i32 = {
  const: (n: number): Expr<"i32"> => ({ type: "i32", code: constant.i32(n) }),
  eqz: unary("i32", "i32", [0x45]),
  eq: binary("i32", "i32", [0x46]),
  ne: binary("i32", "i32", [0x47]),
  ltS: binary("i32", "i32", [0x48]),
  ltU: binary("i32", "i32", [0x49]),
  gtS: binary("i32", "i32", [0x4a]),
  gtU: binary("i32", "i32", [0x4b]),
  leS: binary("i32", "i32", [0x4c]),
  leU: binary("i32", "i32", [0x4d]),
  geS: binary("i32", "i32", [0x4e]),
  geU: binary("i32", "i32", [0x4f]),
  clz: unary("i32", "i32", [0x67]),
  ctz: unary("i32", "i32", [0x68]),
  popcnt: unary("i32", "i32", [0x69]),
  add: binary("i32", "i32", [0x6a]),
  sub: binary("i32", "i32", [0x6b]),
  mul: binary("i32", "i32", [0x6c]),
  divS: binary("i32", "i32", [0x6d]),
  divU: binary("i32", "i32", [0x6e]),
  remS: binary("i32", "i32", [0x6f]),
  remU: binary("i32", "i32", [0x70]),
  and: binary("i32", "i32", [0x71]),
  or: binary("i32", "i32", [0x72]),
  xor: binary("i32", "i32", [0x73]),
  shl: binary("i32", "i32", [0x74]),
  shrS: binary("i32", "i32", [0x75]),
  shrU: binary("i32", "i32", [0x76]),
  /** NaN gives 0, what does not fit the nearest that does */
  truncSatF32S: unary("f32", "i32", [0xfc, 0]),
  truncSatF32U: unary("f32", "i32", [0xfc, 1]),
  reinterpretF32: unary("f32", "i32", [0xbc]),
  wrapI64: unary("i64", "i32", [0xa7]),
  load: loader("i32", [0x28], 2),
  load8U: loader("i32", [0x2d], 0),
  store: storer("i32", [0x36], 2),
  store8: storer("i32", [0x3a], 0),
  atomicLoad: loader("i32", atomic(0x10), 2),
  atomicStore: storer("i32", atomic(0x17), 2),
  /** these give the value before */
  atomicAdd: updater(atomic(0x1e)),
  atomicSub: updater(atomic(0x25)),
  atomicExchange: updater(atomic(0x41)),
  atomicCompareExchange: (
    address: Address,
    expected: Operand<"i32">,
    replacement: Operand<"i32">,
    offset = 0,
  ): Expr<"i32"> => ({
    type: "i32",
    code: [
      codeOf("i32", address),
      codeOf("i32", expected),
      codeOf("i32", replacement),
      atomic(72),
      memoryArgument(2, offset),
    ],
  }),
}

export const i64 = {
  const: (n: bigint): Expr<"i64"> => ({ type: "i64", code: [0x42, signed64(n)] }),
  eqz: unary("i64", "i32", [0x50]),
  eq: binary("i64", "i32", [0x51]),
  ne: binary("i64", "i32", [0x52]),
  ltU: binary("i64", "i32", [0x54]),
  add: binary("i64", "i64", [0x7c]),
  sub: binary("i64", "i64", [0x7d]),
  mul: binary("i64", "i64", [0x7e]),
  and: binary("i64", "i64", [0x83]),
  shl: binary("i64", "i64", [0x86]),
  shrU: binary("i64", "i64", [0x88]),
  extendI32S: unary("i32", "i64", [0xac]),
  extendI32U: unary("i32", "i64", [0xad]),
  load: loader("i64", [0x29], 3),
  store: storer("i64", [0x37], 3),
}

export const f32 = {
  const: (n: number): Expr<"f32"> => ({ type: "f32", code: constant.f32(n) }),
  eq: binary("f32", "i32", [0x5b]),
  ne: binary("f32", "i32", [0x5c]),
  lt: binary("f32", "i32", [0x5d]),
  gt: binary("f32", "i32", [0x5e]),
  le: binary("f32", "i32", [0x5f]),
  ge: binary("f32", "i32", [0x60]),
  abs: unary("f32", "f32", [0x8b]),
  neg: unary("f32", "f32", [0x8c]),
  ceil: unary("f32", "f32", [0x8d]),
  floor: unary("f32", "f32", [0x8e]),
  trunc: unary("f32", "f32", [0x8f]),
  nearest: unary("f32", "f32", [0x90]),
  sqrt: unary("f32", "f32", [0x91]),
  add: binary("f32", "f32", [0x92]),
  sub: binary("f32", "f32", [0x93]),
  mul: binary("f32", "f32", [0x94]),
  div: binary("f32", "f32", [0x95]),
  min: binary("f32", "f32", [0x96]),
  max: binary("f32", "f32", [0x97]),
  copysign: binary("f32", "f32", [0x98]),
  convertI32S: unary("i32", "f32", [0xb2]),
  convertI32U: unary("i32", "f32", [0xb3]),
  reinterpretI32: unary("i32", "f32", [0xbe]),
  demoteF64: unary("f64", "f32", [0xb6]),
  load: loader("f32", [0x2a], 2),
  store: storer("f32", [0x38], 2),
}

export const f64 = {
  const: (n: number): Expr<"f64"> => ({ type: "f64", code: constant.f64(n) }),
  add: binary("f64", "f64", [0xa0]),
  sub: binary("f64", "f64", [0xa1]),
  mul: binary("f64", "f64", [0xa2]),
  div: binary("f64", "f64", [0xa3]),
  promoteF32: unary("f32", "f64", [0xbb]),
  load: loader("f64", [0x2b], 3),
  store: storer("f64", [0x39], 3),
}

type Lane = 0 | 1 | 2 | 3

export const v128 = {
  /** loads and stores need no alignment */
  load: loader("v128", simd(0x00), 2),
  store: storer("v128", simd(0x0b), 2),
  /** one float in all four lanes */
  load32Splat: loader("v128", simd(0x09), 2),
  /** one or two floats in the first lanes, zero in the others */
  load32Zero: loader("v128", simd(0x5c), 2),
  load64Zero: loader("v128", simd(0x5d), 2),
  load32Lane: (lane: Lane, address: Address, into: Expr<"v128">, offset = 0): Expr<"v128"> => ({
    type: "v128",
    code: [codeOf("i32", address), into.code, simd(0x56), memoryArgument(2, offset), lane],
  }),
  store32Lane: (lane: Lane, address: Address, value: Expr<"v128">, offset = 0): Statement => ({
    type: "void",
    code: [codeOf("i32", address), value.code, simd(0x5a), memoryArgument(2, offset), lane],
  }),
  /** the first two lanes */
  store64: (address: Address, value: Expr<"v128">, offset = 0): Statement => ({
    type: "void",
    code: [codeOf("i32", address), value.code, simd(0x5b), memoryArgument(2, offset), 0],
  }),
  not: unary("v128", "v128", simd(0x4d)),
  and: binary("v128", "v128", simd(0x4e)),
  /** `x & ~y` */
  andnot: binary("v128", "v128", simd(0x4f)),
  or: binary("v128", "v128", simd(0x50)),
  xor: binary("v128", "v128", simd(0x51)),
  /** the bits of `x` where `mask` has ones, those of `y` elsewhere: `bitselect(x, y, mask)` */
  bitselect: ternary(simd(0x52)),
  anyTrue: unary("v128", "i32", simd(0x53)),
  /** four lanes out of the eight of `x` (0 to 3) and `y` (4 to 7) */
  shuffle32: (x: Expr<"v128">, y: Expr<"v128">, lanes: readonly [number, number, number, number]): Expr<"v128"> => ({
    type: "v128",
    code: [x.code, y.code, simd(0x0d), lanes.flatMap((l) => [0, 1, 2, 3].map((byte) => 4 * l + byte))],
  }),
}

export const f32x4 = {
  const: (a: number, b = a, c = a, d = a): Expr<"v128"> => ({
    type: "v128",
    code: { _tag: "Constant", bytes: [a, b, c, d].flatMap(floatBytes) },
  }),
  splat: unary("f32", "v128", simd(0x13)),
  extractLane: (lane: Lane, x: Expr<"v128">): Expr<"f32"> => ({ type: "f32", code: [x.code, simd(0x1f), lane] }),
  replaceLane: (lane: Lane, x: Expr<"v128">, value: Operand<"f32">): Expr<"v128"> => ({
    type: "v128",
    code: [x.code, codeOf("f32", value), simd(0x20), lane],
  }),
  eq: binary("v128", "v128", simd(0x41)),
  ne: binary("v128", "v128", simd(0x42)),
  lt: binary("v128", "v128", simd(0x43)),
  gt: binary("v128", "v128", simd(0x44)),
  le: binary("v128", "v128", simd(0x45)),
  ge: binary("v128", "v128", simd(0x46)),
  ceil: unary("v128", "v128", simd(0x67)),
  floor: unary("v128", "v128", simd(0x68)),
  trunc: unary("v128", "v128", simd(0x69)),
  nearest: unary("v128", "v128", simd(0x6a)),
  abs: unary("v128", "v128", simd(0xe0)),
  neg: unary("v128", "v128", simd(0xe1)),
  sqrt: unary("v128", "v128", simd(0xe3)),
  add: binary("v128", "v128", simd(0xe4)),
  sub: binary("v128", "v128", simd(0xe5)),
  mul: binary("v128", "v128", simd(0xe6)),
  div: binary("v128", "v128", simd(0xe7)),
  /** NaN where either is NaN */
  min: binary("v128", "v128", simd(0xe8)),
  max: binary("v128", "v128", simd(0xe9)),
  /** `y < x ? y : x` and `x < y ? y : x`, one instruction on x86 */
  pmin: binary("v128", "v128", simd(0xea)),
  pmax: binary("v128", "v128", simd(0xeb)),
  convertI32x4S: unary("v128", "v128", simd(0xfa)),
  convertI32x4U: unary("v128", "v128", simd(0xfb)),
  /** `x · y + z`, rounded once or twice as the engine likes: relaxed SIMD, to be asked for (`supportsRelaxed`) */
  relaxedMadd: ternary(simd(0x105)),
  relaxedNmadd: ternary(simd(0x106)),
}

export const i32x4 = {
  const: (a: number, b = a, c = a, d = a): Expr<"v128"> => ({
    type: "v128",
    code: { _tag: "Constant", bytes: [a, b, c, d].flatMap(intBytes) },
  }),
  splat: unary("i32", "v128", simd(0x11)),
  extractLane: (lane: Lane, x: Expr<"v128">): Expr<"i32"> => ({ type: "i32", code: [x.code, simd(0x1b), lane] }),
  replaceLane: (lane: Lane, x: Expr<"v128">, value: Operand<"i32">): Expr<"v128"> => ({
    type: "v128",
    code: [x.code, codeOf("i32", value), simd(0x1c), lane],
  }),
  eq: binary("v128", "v128", simd(0x37)),
  ne: binary("v128", "v128", simd(0x38)),
  ltS: binary("v128", "v128", simd(0x39)),
  gtS: binary("v128", "v128", simd(0x3b)),
  leS: binary("v128", "v128", simd(0x3d)),
  geS: binary("v128", "v128", simd(0x3f)),
  allTrue: unary("v128", "i32", simd(0xa3)),
  bitmask: unary("v128", "i32", simd(0xa4)),
  shl: (x: Expr<"v128">, by: Operand<"i32">): Expr<"v128"> => shift(0xab, x, by),
  shrS: (x: Expr<"v128">, by: Operand<"i32">): Expr<"v128"> => shift(0xac, x, by),
  shrU: (x: Expr<"v128">, by: Operand<"i32">): Expr<"v128"> => shift(0xad, x, by),
  add: binary("v128", "v128", simd(0xae)),
  sub: binary("v128", "v128", simd(0xb1)),
  mul: binary("v128", "v128", simd(0xb5)),
  minS: binary("v128", "v128", simd(0xb6)),
  maxS: binary("v128", "v128", simd(0xb8)),
  truncSatF32x4S: unary("v128", "v128", simd(0xf8)),
  truncSatF32x4U: unary("v128", "v128", simd(0xf9)),
}

const shift = (opcode: number, x: Expr<"v128">, by: Operand<"i32">): Expr<"v128"> => ({
  type: "v128",
  code: [x.code, codeOf("i32", by), simd(opcode)],
})

// ---------- memory and threads

/** `memory.copy`: the regions may overlap */
export const copyBytes = (to: Address, from: Address, bytes: Address): Statement => ({
  type: "void",
  code: [codeOf("i32", to), codeOf("i32", from), codeOf("i32", bytes), [0xfc, 0x0a, 0, 0]],
})
/** `memory.fill` with one byte */
export const fillBytes = (to: Address, byte: Operand<"i32">, bytes: Address): Statement => ({
  type: "void",
  code: [codeOf("i32", to), codeOf("i32", byte), codeOf("i32", bytes), [0xfc, 0x0b, 0]],
})
/** `memory.atomic.wait32`: 0 woken, 1 the value was another, 2 timed out; no time limit where it is negative */
export const wait32 = (address: Address, expected: Operand<"i32">, timeoutNs: Expr<"i64">): Expr<"i32"> => ({
  type: "i32",
  code: [codeOf("i32", address), codeOf("i32", expected), timeoutNs.code, atomic(0x01), memoryArgument(2, 0)],
})
/** `memory.atomic.notify`: how many were woken */
export const notify = (address: Address, count: Operand<"i32">): Expr<"i32"> => ({
  type: "i32",
  code: [codeOf("i32", address), codeOf("i32", count), atomic(0x00), memoryArgument(2, 0)],
})
