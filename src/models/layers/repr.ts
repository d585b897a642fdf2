/** How PyTorch prints the arguments of a layer. */
import type { OutputSize } from "../../shapes/adaptivePool2d.ts"
import { type Pair, pairX, pairY } from "../../shapes/Shape.ts"

/** `(3, 5)`, also of one number */
export const tuple = (p: Pair): string => `(${pairY(p)}, ${pairX(p)})`
/** `3`, or `(3, None)` of a pair */
export const asGiven = (p: OutputSize): string =>
  typeof p === "number" ? `${p}` : `(${p.map((n) => n ?? "None").join(", ")})`
/** `1e-05` and `1.0` for 1e-5 and 1, as Python writes floats */
export const float = (n: number): string => {
  if (Number.isInteger(n)) return `${n}.0`
  if (Math.abs(n) >= 1e-4) return `${n}`
  const [digits = "", exponent = ""] = n.toExponential().split("e-")
  return `${digits}e-${exponent.padStart(2, "0")}`
}
/** `True` and `False` */
export const bool = (b: boolean): string => (b ? "True" : "False")
/** the arguments that are not what they are by default: `[["groups", 4, 1]]` gives `, groups=4` */
export const unusual = (args: ReadonlyArray<readonly [name: string, value: string, usual: string]>): string =>
  args
    .filter(([, value, usual]) => value !== usual)
    .map(([name, value]) => `, ${name}=${value}`)
    .join("")
