/** What every printer of a kernel has at hand, and numbers as it writes them. */
import type { Dialect } from "./dialect.ts"

export interface Printer {
  readonly dialect: Dialect
  readonly fresh: (stem: string) => string
  readonly scalar: (name: "inf" | "nan") => string
}

/** a float32 as source text; what cannot be spelled becomes an argument of the kernel */
export const literal = (v: number, printer: Printer): string => {
  if (Number.isNaN(v)) return printer.scalar("nan")
  if (v === Infinity) return printer.scalar("inf")
  if (v === -Infinity) return `(-${printer.scalar("inf")})`
  const f = Math.fround(v)
  if (!Number.isFinite(f)) return literal(f, printer)
  return f < 0 || Object.is(f, -0) ? `(-${-f})` : String(f)
}
