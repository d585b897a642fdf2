/**
 * An assembler for WebAssembly modules: expressions are plain typed data, nested as in the source of any language, and
 * `encode` turns functions into the bytes of a module.
 *
 * ```ts
 * const sum = func("sum", { from: "i32", n: "i32" }, "f32", ({ from, n }, local) => {
 *   const [i, total] = [local("i32"), local("f32")]
 *   return [
 *     forRange(i, 0, n, 1, () => [set(total, f32.add(total, f32.load(i32.add(from, i32.shl(i, 2)))))]),
 *     total,
 *   ]
 * })
 * const bytes = encode({ memory: { minimum: 1, maximum: 1, shared: false, address: "i32" }, exports: [sum] })
 * ```
 */

import { codeOf, typeByte, unsigned } from "./Code.ts"
import type { Code, Expr, Func, Label, Local, Operand, Statement, Type } from "./Code.ts"
import { f32x4, i32 } from "./Instructions.ts"

export type * from "./Code.ts"
export * from "./Instructions.ts"

// ---------- variables and control

export const set = <T extends Type>(local: Local<T>, value: Operand<T>): Statement => ({
  type: "void",
  code: [codeOf(local.type, value), 0x21, unsigned(local.index)],
})
/** sets the variable and gives the value */
export const tee = <T extends Type>(local: Local<T>, value: Operand<T>): Expr<T> => ({
  type: local.type,
  code: [codeOf(local.type, value), 0x22, unsigned(local.index)],
})
/** `local = local + by` */
export const increase = (local: Local<"i32">, by: Operand<"i32">): Statement => set(local, i32.add(local, by))

const codes = (statements: ReadonlyArray<Expr<Type | "void">>): Code => statements.map((s) => s.code)

/** statements as one */
export const seq = (...statements: ReadonlyArray<Statement>): Statement => ({ type: "void", code: codes(statements) })
/** statements, then a value */
export const within = <T extends Type>(statements: ReadonlyArray<Statement>, value: Expr<T>): Expr<T> => ({
  type: value.type,
  code: [codes(statements), value.code],
})
/** evaluates a value for what it does only */
export const drop = (value: Expr<Type>): Statement => ({ type: "void", code: [value.code, 0x1a] })

const labelled = (opcode: number, body: (label: Label) => ReadonlyArray<Statement>): Statement => {
  const label: Label = { _tag: "Label" }
  return {
    type: "void",
    code: [opcode, typeByte.void, { _tag: "Labelled", label, body: codes(body(label)) }, 0x0b],
  }
}
/** a branch to the label leaves it */
export const block = (body: (exit: Label) => ReadonlyArray<Statement>): Statement => labelled(0x02, body)
/** a branch to the label starts it again; without one it ends */
export const loop = (body: (again: Label) => ReadonlyArray<Statement>): Statement => labelled(0x03, body)
export const br = (label: Label): Statement => ({ type: "void", code: [0x0c, { _tag: "Branch", label }] })
export const brIf = (label: Label, condition: Operand<"i32">): Statement => ({
  type: "void",
  code: [codeOf("i32", condition), 0x0d, { _tag: "Branch", label }],
})
export const ret = (value?: Expr<Type>): Statement => ({
  type: "void",
  code: value === undefined ? [0x0f] : [value.code, 0x0f],
})
export const unreachable: Statement = { type: "void", code: [0x00] }

const conditional = (type: Type | "void", condition: Operand<"i32">, then: Code, otherwise: Code | undefined): Code => [
  codeOf("i32", condition),
  0x04,
  typeByte[type],
  // branches out of an `if` count it as a level
  { _tag: "Labelled", label: { _tag: "Label" }, body: otherwise === undefined ? then : [then, 0x05, otherwise] },
  0x0b,
]
export const when = (
  condition: Operand<"i32">,
  then: ReadonlyArray<Statement>,
  otherwise?: ReadonlyArray<Statement>,
): Statement => ({
  type: "void",
  code: conditional("void", condition, codes(then), otherwise === undefined ? undefined : codes(otherwise)),
})
/** only the chosen side is evaluated */
export const choose = <T extends Type>(condition: Operand<"i32">, a: Expr<T>, b: Expr<T>): Expr<T> => ({
  type: a.type,
  code: conditional(a.type, condition, a.code, b.code),
})
/** both sides are evaluated */
export const select = <T extends Type>(condition: Operand<"i32">, a: Expr<T>, b: Expr<T>): Expr<T> => ({
  type: a.type,
  code: [a.code, b.code, codeOf("i32", condition), 0x1c, 1, typeByte[a.type]],
})

/** `for (i = from; i < to; i += step)`, signed; `to` is evaluated in every round, so keep it a constant or a variable */
export const forRange = (
  i: Local<"i32">,
  from: Operand<"i32">,
  to: Operand<"i32">,
  step: Operand<"i32">,
  body: (exit: Label) => ReadonlyArray<Statement>,
): Statement =>
  block((exit) => [
    set(i, from),
    brIf(exit, i32.geS(i, to)),
    loop((again) => [...body(exit), brIf(again, i32.ltS(tee(i, i32.add(i, step)), to))]),
  ])

/** `while (condition) body` */
export const whileLoop = (condition: Operand<"i32">, body: (exit: Label) => ReadonlyArray<Statement>): Statement =>
  block((exit) => [loop((again) => [brIf(exit, i32.eqz(condition)), ...body(exit), br(again)])])

// ---------- functions and modules

type Parameters<P extends Readonly<Record<string, Type>>> = { readonly [K in keyof P]: Local<P[K]> }
/** what a function's body ends with */
type Body<R extends Type | "void"> = R extends Type
  ? readonly [...ReadonlyArray<Statement>, Expr<R>]
  : ReadonlyArray<Statement>

/** A function; `body` gets its parameters by name, and `local`, which declares a further variable (at first zero). */
export const func = <const P extends Readonly<Record<string, Type>>, R extends Type | "void">(
  name: string,
  parameters: P,
  result: R,
  body: (parameters: Parameters<P>, local: <T extends Type>(type: T) => Local<T>) => Body<R>,
): Func => {
  const types: Array<Type> = Object.values(parameters)
  const variable = <T extends Type>(type: T, index: number): Local<T> => ({
    type,
    index,
    code: [0x20, unsigned(index)],
  })
  const local = <T extends Type>(type: T): Local<T> => variable(type, types.push(type) - 1)
  const named = Object.fromEntries(Object.entries(parameters).map(([key, type], i) => [key, variable(type, i)]))
  const count = types.length
  // the record has a local for each key of `parameters`, of its type: entries do not carry that in their type
  const code = codes(body(named as Parameters<P>, local))
  return { name, parameters: types.slice(0, count), result, locals: types.slice(count), body: code }
}

/**
 * The statements with their constant vectors in variables that are set first: an engine makes one anew, in several
 * instructions, wherever it stands.
 */
export const constantsFirst = (
  statements: ReadonlyArray<Statement>,
  local: (type: "v128") => Local<"v128">,
): ReadonlyArray<Statement> => {
  const made = new Map<string, Local<"v128">>()
  const first: Array<Statement> = []
  const moved = (code: Code): Code => {
    if (typeof code === "number") return code
    if (isSequence(code)) return code.map(moved)
    if ("body" in code) return { ...code, body: moved(code.body) }
    // zeros and ones are a single instruction
    if (!("bytes" in code) || code.bytes.every((b) => b === 0) || code.bytes.every((b) => b === 255)) return code
    const key = code.bytes.join()
    const known = made.get(key) ?? local("v128")
    if (!made.has(key)) first.push(set(known, { type: "v128", code }))
    made.set(key, known)
    return known.code
  }
  const rest = statements.map((s): Statement => ({ type: "void", code: moved(s.code) }))
  return [...first, ...rest]
}

/** a function that the host gives as `imports[from][name]` */
export const importFunc = (
  from: string,
  name: string,
  parameters: ReadonlyArray<Type>,
  result: Type | "void",
): Func => ({ name, parameters, result, locals: [], body: [], importedFrom: from })

/** a call for what it does */
export const call = (callee: Func, ...operands: ReadonlyArray<Expr<Type> | number>): Statement => ({
  type: "void",
  code: [operands.map((o, i) => codeOf(callee.parameters[i] ?? "i32", o)), 0x10, { _tag: "Callee", func: callee }],
})
/** a call for its value, of the type that the function gives */
export const callFor = <R extends Type>(
  result: R,
  callee: Func,
  ...operands: ReadonlyArray<Expr<Type> | number>
): Expr<R> => ({ type: result, code: call(callee, ...operands).code })

export interface Memory {
  /** in pages of 64 KiB */
  readonly minimum: number
  /** must be given where the memory is shared */
  readonly maximum?: number
  readonly shared: boolean
  /** the type of addresses: `i64` needs an engine with 64-bit memories */
  readonly address: "i32" | "i64"
}

export interface Module {
  /** imported as `env.memory` */
  readonly memory: Memory
  /** exported under their names; what they call comes along */
  readonly exports: ReadonlyArray<Func>
}

/** the functions that code calls, added to `found` */
const callees = (code: Code, found: Set<Func>): void => {
  if (typeof code === "number") return
  if (isSequence(code)) for (const part of code) callees(part, found)
  else if ("func" in code) found.add(code.func)
  else if ("body" in code) callees(code.body, found)
}
const isSequence = (code: Code): code is ReadonlyArray<Code> => Array.isArray(code)

/** imported functions first, as the format numbers them; each function once */
const reachable = (exported: ReadonlyArray<Func>): ReadonlyArray<Func> => {
  const seen = new Set<Func>()
  const visit = (f: Func): void => {
    if (seen.has(f)) return
    seen.add(f)
    const called = new Set<Func>()
    callees(f.body, called)
    called.forEach(visit)
  }
  exported.forEach(visit)
  const all = [...seen]
  return [...all.filter((f) => f.importedFrom !== undefined), ...all.filter((f) => f.importedFrom === undefined)]
}

/** bytes one after the other */
const makeBytes = () => {
  let bytes = new Uint8Array(4096)
  let length = 0
  const room = (more: number): void => {
    if (length + more <= bytes.length) return
    const larger = new Uint8Array(2 * (length + more))
    larger.set(bytes.subarray(0, length))
    bytes = larger
  }
  const byte = (n: number): void => {
    if (length === bytes.length) room(1)
    bytes[length++] = n
  }
  return {
    byte,
    put: (more: ArrayLike<number>): void => {
      room(more.length)
      bytes.set(more, length)
      length += more.length
    },
    number: (n: number): void => {
      if (n < 128) byte(n)
      else for (const b of unsigned(n)) byte(b)
    },
    clear: (): void => {
      length = 0
    },
    /** valid until more is put or cleared */
    view: (): Uint8Array<ArrayBuffer> => bytes.subarray(0, length),
  }
}
type Bytes = ReturnType<typeof makeBytes>

const emitCode = (code: Code, index: (f: Func) => number, to: Bytes): void => {
  const labels: Array<Label> = []
  const emit = (part: Code): void => {
    if (typeof part === "number") to.byte(part)
    else if (isSequence(part)) for (const inner of part) emit(inner)
    else if ("bytes" in part) to.put([0xfd, 0x0c, ...part.bytes])
    else if ("func" in part) to.number(index(part.func))
    else if ("body" in part) {
      labels.push(part.label)
      emit(part.body)
      labels.pop()
    } else if ("label" in part) to.number(labels.length - 1 - labels.lastIndexOf(part.label))
  }
  emit(code)
}

/** The bytes of a module, for `WebAssembly.compile`. */
export const encode = (module: Module): Uint8Array<ArrayBuffer> => {
  const functions = reachable(module.exports)
  const indices = new Map(functions.map((f, i) => [f, i]))
  const index = (f: Func): number => indices.get(f) ?? 0
  const imported = functions.filter((f) => f.importedFrom !== undefined)
  const defined = functions.slice(imported.length)

  const [result, body, inner] = [makeBytes(), makeBytes(), makeBytes()]
  const utf8 = new TextEncoder()
  const text = (s: string): void => {
    const bytes = utf8.encode(s)
    body.number(bytes.length)
    body.put(bytes)
  }
  const vector = <A>(items: ReadonlyArray<A>, put: (item: A) => void): void => {
    body.number(items.length)
    items.forEach(put)
  }
  const section = (id: number, write: () => void): void => {
    body.clear()
    write()
    result.byte(id)
    result.number(body.view().length)
    result.put(body.view())
  }
  const types = (all: ReadonlyArray<Type>): void => vector(all, (t) => body.byte(typeByte[t]))

  const { minimum, maximum, shared, address } = module.memory
  result.put(magic)
  section(1, () =>
    vector(functions, (f) => {
      body.byte(0x60)
      types(f.parameters)
      types(f.result === "void" ? [] : [f.result])
    }),
  )
  section(2, () => {
    body.number(1 + imported.length)
    text("env")
    text("memory")
    body.byte(0x02)
    body.byte((maximum === undefined ? 0 : 1) | (shared ? 2 : 0) | (address === "i64" ? 4 : 0))
    body.number(minimum)
    if (maximum !== undefined) body.number(maximum)
    for (const f of imported) {
      text(f.importedFrom ?? "")
      text(f.name)
      body.byte(0x00)
      body.number(index(f))
    }
  })
  section(3, () => vector(defined, (f) => body.number(index(f))))
  section(7, () =>
    vector(module.exports, (f) => {
      text(f.name)
      body.byte(0x00)
      body.number(index(f))
    }),
  )
  section(10, () =>
    vector(defined, (f) => {
      inner.clear()
      inner.number(f.locals.length)
      for (const t of f.locals) {
        inner.byte(1)
        inner.byte(typeByte[t])
      }
      emitCode(f.body, index, inner)
      body.number(inner.view().length + 1)
      body.put(inner.view())
      body.byte(0x0b)
    }),
  )
  return result.view().slice()
}

/** `\0asm`, version 1 */
const magic = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]

/** whether this engine has relaxed SIMD, and so `relaxedMadd` */
export const supportsRelaxed = (): boolean => {
  const probe = func("probe", {}, "v128", () => [f32x4.relaxedMadd(f32x4.const(1), f32x4.const(1), f32x4.const(1))])
  return WebAssembly.validate(encode({ memory: { minimum: 0, shared: false, address: "i32" }, exports: [probe] }))
}
