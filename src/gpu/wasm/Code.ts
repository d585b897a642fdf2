/** What the assembler's expressions are made of, and the forms that instructions take. */

export type Type = "i32" | "i64" | "f32" | "f64" | "v128"

/** Code that leaves a value of type `T` on the stack, or nothing where `T` is `void`. */
export interface Expr<T extends Type | "void"> {
  readonly type: T
  readonly code: Code
}
export type Statement = Expr<"void">

/** An expression, or a number that becomes a constant. */
export type Operand<T extends Type> = Expr<T> | (T extends "v128" | "i64" ? never : number)

/** An address: `i32`, or `i64` where the module's memory says so. */
export type Address = Operand<"i32"> | Expr<"i64">

/** A local variable or parameter; as an expression, its value. */
export interface Local<T extends Type> extends Expr<T> {
  readonly index: number
}

/** Where a branch goes: behind the end of a `block`, back to the start of a `loop`. */
export interface Label {
  readonly _tag: "Label"
}

export interface Func {
  readonly name: string
  readonly parameters: ReadonlyArray<Type>
  readonly result: Type | "void"
  readonly locals: ReadonlyArray<Type>
  readonly body: Code
  /** set for a function that the host gives */
  readonly importedFrom?: string
}

/** Bytes, with the names that only the whole module can resolve. */
export type Code =
  | number
  | ReadonlyArray<Code>
  | { readonly _tag: "Labelled"; readonly label: Label; readonly body: Code }
  | { readonly _tag: "Branch"; readonly label: Label }
  | { readonly _tag: "Callee"; readonly func: Func }
  /** a constant vector */
  | { readonly _tag: "Constant"; readonly bytes: ReadonlyArray<number> }

export const typeByte: Record<Type | "void", number> = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
  void: 0x40,
}

// ---------- numbers as bytes

export const unsigned = (n: number): ReadonlyArray<number> => {
  if (n < 128) return [n]
  const bytes: Array<number> = []
  for (let rest = n; ; rest = Math.floor(rest / 128)) {
    bytes.push(rest < 128 ? rest : (rest % 128) | 0x80)
    if (rest < 128) return bytes
  }
}

export const signed = (n: number): ReadonlyArray<number> => {
  const bytes: Array<number> = []
  for (let rest = n | 0; ; rest >>= 7) {
    const last = rest >= -64 && rest < 64
    bytes.push(last ? rest & 0x7f : (rest & 0x7f) | 0x80)
    if (last) return bytes
  }
}

export const signed64 = (n: bigint): ReadonlyArray<number> => {
  const bytes: Array<number> = []
  for (let rest = n; ; rest >>= 7n) {
    const last = rest >= -64n && rest < 64n
    bytes.push(Number(rest & 0x7fn) | (last ? 0 : 0x80))
    if (last) return bytes
  }
}

export const floatBytes = (n: number): ReadonlyArray<number> => [...new Uint8Array(new Float32Array([n]).buffer)]
const doubleBytes = (n: number): ReadonlyArray<number> => [...new Uint8Array(new Float64Array([n]).buffer)]
export const intBytes = (n: number): ReadonlyArray<number> => [...new Uint8Array(new Int32Array([n]).buffer)]

export const simd = (n: number): ReadonlyArray<number> => [0xfd, ...unsigned(n)]
export const atomic = (n: number): ReadonlyArray<number> => [0xfe, n]

// ---------- forms of instruction

export type Opcode = ReadonlyArray<number>

export const constant: Record<Type, (n: number) => Code> = {
  i32: (n) => [0x41, signed(n)],
  i64: (n) => [0x42, signed64(BigInt(n))],
  f32: (n) => [0x43, ...floatBytes(n)],
  f64: (n) => [0x44, ...doubleBytes(n)],
  v128: (n) => [...simd(0x0c), ...[0, 1, 2, 3].flatMap(() => floatBytes(n))],
}
export const codeOf = (type: Type, x: Expr<Type> | number): Code => (typeof x === "number" ? constant[type](x) : x.code)

export const unary =
  <A extends Type, R extends Type>(a: A, result: R, opcode: Opcode) =>
  (x: Operand<A>): Expr<R> => ({ type: result, code: [codeOf(a, x), opcode] })

export const binary =
  <A extends Type, R extends Type>(a: A, result: R, opcode: Opcode) =>
  (x: Operand<A>, y: Operand<A>): Expr<R> => ({ type: result, code: [codeOf(a, x), codeOf(a, y), opcode] })

export const ternary =
  (opcode: Opcode) =>
  (x: Expr<"v128">, y: Expr<"v128">, z: Expr<"v128">): Expr<"v128"> => ({
    type: "v128",
    code: [x.code, y.code, z.code, opcode],
  })

export const memoryArgument = (log2Align: number, offset: number): Code => [log2Align, unsigned(offset)]

export const loader =
  <R extends Type>(result: R, opcode: Opcode, log2Align: number) =>
  (address: Address, offset = 0): Expr<R> => ({
    type: result,
    code: [codeOf("i32", address), opcode, memoryArgument(log2Align, offset)],
  })

export const storer =
  <A extends Type>(a: A, opcode: Opcode, log2Align: number) =>
  (address: Address, value: Operand<A>, offset = 0): Statement => ({
    type: "void",
    code: [codeOf("i32", address), codeOf(a, value), opcode, memoryArgument(log2Align, offset)],
  })

export const updater =
  (opcode: Opcode) =>
  (address: Address, value: Operand<"i32">, offset = 0): Expr<"i32"> => ({
    type: "i32",
    code: [codeOf("i32", address), codeOf("i32", value), opcode, memoryArgument(2, offset)],
  })
