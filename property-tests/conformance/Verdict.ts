/** What comes of one reference case. */
import type { Tensor } from "./Cases.ts"

export type Verdict =
  | { readonly _tag: "Passed" }
  | { readonly _tag: "Failed"; readonly why: string }
  | { readonly _tag: "NotSupported"; readonly what: string }

export const passed: Verdict = { _tag: "Passed" }
export const failed = (why: string): Verdict => ({ _tag: "Failed", why })
export const notSupported = (what: string): Verdict => ({ _tag: "NotSupported", what })

/** A scalar is stored as one number with one dimension, or with none. */
const sameShape = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): boolean =>
  a.join() === b.join() || [a, b].every((shape) => shape.length <= 1 && shape.every((d) => d === 1))

/** Why an output does not agree: `max|out − ref| ≤ tol · max(1, max|ref|)`, and no NaN that is not in the reference. */
export const difference = (name: string, out: Tensor, reference: Tensor, tol: number): string | undefined => {
  if (!sameShape(out.shape, reference.shape))
    return `${name} has shape [${out.shape.join(", ")}], the reference [${reference.shape.join(", ")}]`
  const largest = reference.data.reduce((m, r) => (Number.isFinite(r) ? Math.max(m, Math.abs(r)) : m), 0)
  const allowed = tol * Math.max(1, largest)
  const far = (v: number, r: number): number =>
    Number.isNaN(r) || Object.is(v, r) ? 0 : Number.isFinite(r) && Number.isFinite(v) ? Math.abs(v - r) : Infinity
  let worst = 0
  let at = 0
  for (const [i, v] of out.data.entries()) {
    const distance = far(v, reference.data[i] ?? Number.NaN)
    if (distance > worst) [worst, at] = [distance, i]
  }
  if (worst <= allowed) return undefined
  const size = Number.isFinite(worst)
    ? `differs by ${worst.toExponential(2)} of ${allowed.toExponential(2)} allowed`
    : "differs"
  return `${name} ${size}: number ${at} is ${out.data[at]}, the reference ${reference.data[at]}`
}

/** a result of a program: numbers are tensors without dimensions */
export const asTensor = (result: unknown): Tensor => {
  if (typeof result === "number") return { shape: [], data: Float32Array.of(result) }
  // a program gives a number or a host tensor for each tensor
  return (result as Tensor | undefined) ?? { shape: [], data: new Float32Array() }
}

/** Why a loss does not agree: `|l − ref| ≤ tol · max(1, |ref|)`. */
export const lossDifference = (name: string, loss: number, reference: number, tol: number): string | undefined =>
  Math.abs(loss - reference) <= tol * Math.max(1, Math.abs(reference))
    ? undefined
    : `${name} is ${loss}, the reference ${reference}, and ${tol} of it are allowed`

/** the first difference, or a pass */
export const verdict = (differences: Iterable<string | undefined>): Verdict => {
  for (const why of differences) if (why !== undefined) return failed(why)
  return passed
}
