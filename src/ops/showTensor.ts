import type { HostTensor } from "./HostTensor.ts"

/** of a line, in characters */
const lineWidth = 80
/** after the point */
const precision = 4
/** a tensor of more elements is shown in part */
const wholeUpTo = 1000
/** how many elements of a long dimension are shown at each end */
const edge = 3

/** as many as JavaScript gives */
const allDigits = 100

/** the digits before rounding, exactly halfway between two: then the even one is taken, as in C */
const isTie = (digits: string): boolean => /^50*$/.test(digits)
const scientific = (x: number): string => {
  const [digits = "", exponent = ""] = Math.abs(x).toExponential(allDigits).split("e")
  const kept = digits.slice(0, 2 + precision)
  const evenAlready = isTie(digits.slice(2 + precision)) && Number(kept.at(-1)) % 2 === 0
  const [mantissa, power = "0"] = evenAlready ? [kept, exponent] : Math.abs(x).toExponential(precision).split("e")
  const sign = power.startsWith("-") ? "-" : "+"
  return `${x < 0 ? "-" : ""}${mantissa}e${sign}${power.replace(/[+-]/, "").padStart(2, "0")}`
}
const fixed = (x: number): string => {
  const scaled = Math.abs(x) * 10 ** precision // exact for a float32
  const down = Math.floor(scaled)
  const nearest = scaled - down === 0.5 ? down + (down % 2) : Math.round(scaled)
  const sign = x < 0 || Object.is(x, -0) ? "-" : ""
  return `${sign}${(nearest / 10 ** precision).toFixed(precision)}`
}
const special = (x: number): string => (Number.isNaN(x) ? "nan" : x > 0 ? "inf" : "-inf")

/** one form for all numbers of a tensor, chosen from those that are shown, and its width */
const formOf = (numbers: ReadonlyArray<number>): ((x: number) => string) => {
  const found = numbers.filter((x) => Number.isFinite(x) && x !== 0)
  const sizes = found.map(Math.abs)
  const [least, most] = [Math.min(...sizes), Math.max(...sizes)]
  const whole = found.every(Number.isInteger)
  const wide = found.length > 0 && (most / least > 1000 || most > 1e8 || (!whole && least < 1e-4))
  const form = (x: number): string =>
    Number.isFinite(x) ? (wide ? scientific(x) : whole ? `${Object.is(x, -0) ? "-0" : x}.` : fixed(x)) : special(x)
  const width = Math.max(1, ...found.map((x) => form(x).length))
  return (x) => form(x).padStart(width)
}

/** the positions of a dimension that are shown; -1 for those left out */
const positions = (n: number, inPart: boolean): ReadonlyArray<number> =>
  inPart && n > 2 * edge
    ? [...Array(edge).keys(), -1, ...Array.from({ length: edge }, (_, i) => n - edge + i)]
    : [...Array(n).keys()]

/**
 * A tensor as PyTorch prints it: four digits after the point, or powers of ten where sizes differ by more than a
 * thousand; more than a thousand elements in part.
 *
 * @example
 * HostTensor.show(HostTensor.make([2, 2], [1, 2, 3, 4.5]))
 * // => tensor([[1.0000, 2.0000],
 * //            [3.0000, 4.5000]])
 */
export const show = ({ shape, data }: HostTensor): string => {
  const sizes = shape.map(Number)
  if (data.length === 0) return sizes.length === 1 ? "tensor([])" : `tensor([], size=(${sizes.join(", ")}))`
  const inPart = data.length > wholeUpTo
  const shown: Array<number> = []
  const collect = (depth: number, start: number, step: number): void => {
    const n = sizes[depth]
    if (n === undefined) return void shown.push(data[start] ?? Number.NaN)
    for (const i of positions(n, inPart)) if (i >= 0) collect(depth + 1, start + (i * step) / n, step / n)
  }
  collect(0, 0, data.length)
  const form = formOf(shown)
  const width = form(shown[0] ?? 0).length
  const rowOf = (n: number, start: number, indent: number): string => {
    const cells = positions(n, inPart).map((i) => (i < 0 ? " ..." : form(data[start + i] ?? Number.NaN)))
    const perLine = Math.max(1, Math.floor((lineWidth - indent) / (width + 2)))
    const lines = Array.from({ length: Math.ceil(cells.length / perLine) }, (_, l) =>
      cells.slice(l * perLine, (l + 1) * perLine).join(", "),
    )
    return `[${lines.join(`,\n${" ".repeat(indent + 1)}`)}]`
  }
  const text = (depth: number, start: number, step: number, indent: number): string => {
    const n = sizes[depth]
    if (n === undefined) return form(data[start] ?? Number.NaN)
    if (depth === sizes.length - 1) return rowOf(n, start, indent)
    const parts = positions(n, inPart).map((i) =>
      i < 0 ? "..." : text(depth + 1, start + (i * step) / n, step / n, indent + 1),
    )
    const between = `,${"\n".repeat(sizes.length - depth - 1)}${" ".repeat(indent + 1)}`
    return `[${parts.join(between)}]`
  }
  return `tensor(${text(0, 0, data.length, "tensor(".length)})`
}
