/** The functions of float32 that gpu.js's modes lack or get wrong, written out as statements. */
import type * as K from "../Kernel.ts"
import type { Dialect } from "./dialect.ts"
import { literal, type Printer } from "./literal.ts"

export interface Operand {
  /** its name or literal, printed when asked for */
  readonly atom: () => string
  readonly constant?: number | undefined
}

/**
 * Whether `x` (a name) is NaN. Shader compilers take `x != x` for false. That the magnitude is not within the finite
 * numbers they cannot know, and neither can they relate it to the same question about `1 / x`, which tells infinity
 * (whose inverse is 0) from NaN.
 */
export const printNaN = (x: string, dialect: Dialect): string =>
  dialect.shader ? `(!(Math.abs(${x}) <= 3.4e38) && !(Math.abs(1 / ${x}) <= 3.4e38))` : `(${x} !== ${x})`

export const printUnary = (op: K.UnaryOp, a: Operand, lines: Array<string>, printer: Printer): string => {
  const x = a.atom()
  switch (op) {
    case "neg":
      return `(-${x})`
    case "tanh":
      return printer.dialect.shader ? shaderTanh(x, lines, printer) : `Math.tanh(${x})`
    case "erf":
      return erf(x, lines, printer)
    case "exp":
      return printer.dialect.shader ? shaderExp(x, lines, printer) : `Math.exp(${x})`
    case "log":
      return printer.dialect.shader ? shaderLog(x, lines, printer) : `Math.log(${x})`
    case "abs":
    case "sqrt":
    case "floor":
      return `Math.${op}(${x})`
  }
}

const operators = { add: "+", sub: "-", mul: "*", div: "/" } as const

export const printBinary = (op: K.BinaryOp, a: Operand, b: Operand, lines: Array<string>, printer: Printer): string => {
  switch (op) {
    case "add":
    case "sub":
    case "mul":
    case "div":
      return `(${a.atom()} ${operators[op]} ${b.atom()})`
    case "min":
    case "max":
      return printer.dialect.shader ? shaderExtreme(op, a, b, lines, printer) : `Math.${op}(${a.atom()}, ${b.atom()})`
    case "pow":
      return pow(a, b, lines, printer)
  }
}

/** NaN stays: every comparison with it is false, so nothing replaces it, and one on the right is asked for */
const shaderExtreme = (op: "min" | "max", a: Operand, b: Operand, lines: Array<string>, printer: Printer): string => {
  const [left, right] = a.constant !== undefined && b.constant === undefined ? [b, a] : [a, b]
  const [x, y] = [left.atom(), right.atom()]
  const r = printer.fresh("v")
  lines.push(`let ${r} = ${x};`, `if (${y} ${op === "max" ? ">" : "<"} ${r}) {`, `${r} = ${y};`, "}")
  if (right.constant === undefined) lines.push(`if ${printNaN(y, printer.dialect)} {`, `${r} = ${y};`, "}")
  else if (Number.isNaN(right.constant)) lines.push(`${r} = ${y};`)
  return r
}

/** shaders may give infinity for the exponential of NaN */
const shaderExp = (x: string, lines: Array<string>, printer: Printer): string => {
  const r = printer.fresh("v")
  lines.push(`let ${r} = Math.exp(${x});`, `if ${printNaN(x, printer.dialect)} {`, `${r} = ${x};`, "}")
  return r
}

/** the logarithm of what is not positive is whatever a shader's approximation makes of its bits */
const shaderLog = (x: string, lines: Array<string>, printer: Printer): string => {
  const r = printer.fresh("v")
  lines.push(
    `let ${r} = ${printer.scalar("nan")};`,
    `if (${x} > 0) {`,
    `${r} = Math.log(${x});`,
    "}",
    `if (${x} === 0) {`,
    `${r} = -${printer.scalar("inf")};`,
    "}",
  )
  return r
}

/**
 * Through `exp` of twice the magnitude, held under 15 where it would overflow, and by its series near 0, where the
 * difference of two exponentials loses its digits.
 */
const shaderTanh = (x: string, lines: Array<string>, printer: Printer): string => {
  const [m, s, r] = [printer.fresh("v"), printer.fresh("v"), printer.fresh("v")]
  lines.push(
    `let ${m} = Math.abs(${x});`,
    `if (${m} > 15) {`,
    `${m} = 15;`,
    "}",
    `let ${r} = 0;`,
    `if (${m} < 0.3) {`,
    `let ${s} = ${m} * ${m};`,
    `${r} = ${m} * (1 + ${s} * (-0.3333333333 + ${s} * (0.1333333333 + ${s} * (-0.0539682540 + ${s} * (0.0218694885 - ${s} * 0.0088632355)))));`,
    "} else {",
    `${r} = 1 - 2 / (Math.exp(2 * ${m}) + 1);`,
    "}",
    `if (${x} < 0) {`,
    `${r} = -${r};`,
    "}",
    `if ${printNaN(x, printer.dialect)} {`,
    `${r} = ${x};`,
    "}",
  )
  return r
}

/**
 * The error function: its series below ½, above it one less the complement by the Chebyshev fit of Press et al.
 * (Numerical Recipes, `erfcc`: 1.2e-7 of the complement everywhere).
 */
const erf = (x: string, lines: Array<string>, printer: Printer): string => {
  const [m, s, t, r] = [printer.fresh("v"), printer.fresh("v"), printer.fresh("v"), printer.fresh("v")]
  const series = [1, -1 / 3, 1 / 10, -1 / 42, 1 / 216, -1 / 1320, 1 / 9360]
  const fit = [
    -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587, -0.82215223,
    0.17087277,
  ]
  const horner = (coefficients: ReadonlyArray<number>, at: string): string =>
    coefficients.reduceRight(
      (text, c) => (text === "" ? literal(c, printer) : `(${literal(c, printer)} + ${at} * ${text})`),
      "",
    )
  lines.push(
    `let ${m} = Math.abs(${x});`,
    `let ${r} = 0;`,
    `if (${m} < 0.5) {`,
    `let ${s} = ${m} * ${m};`,
    `${r} = ${m} * 1.1283791670955126 * ${horner(series, s)};`,
    "} else {",
    `if (${m} > 9) {`,
    `${m} = 9;`,
    "}",
    `let ${t} = 1 / (1 + 0.5 * ${m});`,
    `${r} = 1 - ${t} * Math.exp(${horner(fit, t)} - ${m} * ${m});`,
    "}",
    `if (${x} < 0) {`,
    `${r} = -${r};`,
    "}",
  )
  return r
}

/** C's `pow`; small whole powers are products everywhere, since shaders go through a logarithm */
const pow = (a: Operand, b: Operand, lines: Array<string>, printer: Printer): string => {
  const [x, p] = [a.atom(), b.constant]
  if (p === 0) return "1"
  if (p === 1) return x
  if (p === 2) return `(${x} * ${x})`
  if (p === 3) return `(${x} * ${x} * ${x})`
  if (p === -1) return `(1 / ${x})`
  const y = b.atom()
  const r = printer.fresh("v")
  if (!printer.dialect.shader) {
    // JavaScript differs from C for a base of 1 with NaN, and of ±1 with an infinite power
    lines.push(
      `let ${r} = Math.pow(${x}, ${y});`,
      `if (${x} === 1 || ((${x} === (-1)) && (Math.abs(${y}) === ${printer.scalar("inf")}))) {`,
      `${r} = 1;`,
      "}",
    )
    return r
  }
  const m = printer.fresh("v")
  lines.push(
    `let ${m} = Math.abs(${x});`,
    `let ${r} = 1;`,
    `if (!(${y} === 0) && !(${x} === 1)) {`,
    `if (${m} === 0) {`,
    `${r} = 0;`,
    `if (${y} < 0) {`,
    `${r} = ${printer.scalar("inf")};`,
    "}",
    "} else {",
    // 1 to an infinite power is 1, and a logarithm of 0 times infinity is not
    `if (!(${m} === 1)) {`,
    `${r} = Math.pow(${m}, ${y});`,
    "}",
    "}",
    `if (${x} < 0) {`,
    // a negative base has a power only where that is whole: negative where it is odd
    `if (Math.floor(${y}) === ${y}) {`,
    `if (!(Math.floor(${y} * 0.5) * 2 === ${y})) {`,
    `${r} = -${r};`,
    "}",
    "} else {",
    `if (${m} <= 3.4e38) {`,
    `${r} = ${printer.scalar("nan")};`,
    "}",
    "}",
    "}",
    "}",
    `if (${printNaN(x, printer.dialect)} && !(${y} === 0)) {`,
    `${r} = ${x};`,
    "}",
    `if (${printNaN(y, printer.dialect)} && !(${x} === 1)) {`,
    `${r} = ${y};`,
    "}",
  )
  return r
}
