import { isRefusal, type Refusal } from "../shapes/Refusal.ts"
import { type Dim, type Shape, show } from "../shapes/Shape.ts"
import type { ShapeMismatch } from "../shapes/ShapeMismatch.ts"
import type { At, Layer } from "./Layer.ts"
import { mismatch, nameOf, start, step } from "./sequential.ts"

export interface SummaryRow {
  /** as in the state_dict */
  readonly name: string
  readonly label: string
  readonly output: Shape
  /** running statistics are not counted */
  readonly parameters: number
  /** for one sample */
  readonly multiplyAdds: number
}
export interface Summary {
  readonly input: Shape
  readonly rows: ReadonlyArray<SummaryRow>
  readonly parameters: number
  readonly multiplyAdds: number
  /** why there are no more rows; `null` when the layers fit */
  readonly refusal: ShapeMismatch | null
}

const count = (shape: ReadonlyArray<number>): number => shape.reduce((a, b) => a * b, 1)
/** a named size is one sample */
const one = (shape: Shape): Shape => shape.map((d: Dim) => (typeof d === "string" ? 1 : d))

/** the rows of a layer, or of all that is in a block */
const rowsOf = (layer: Layer, name: string, input: Shape, output: Shape, at: At): ReadonlyArray<SummaryRow> => {
  if (layer.kind !== "seq") {
    const asOne = layer.rule(one(input), at)
    const inside = (l: Layer): number =>
      l.children.reduce((n, c) => n + inside(c.layer), sum(l.params.map((p) => (p.trainable ? count(p.shape) : 0))))
    const multiplyAdds = isRefusal(asOne) ? 0 : layer.multiplyAdds(one(input), asOne)
    return [{ name, label: layer.label, output, parameters: inside(layer), multiplyAdds }]
  }
  return inOrder(layer, name === "" ? "" : `${name}.`, input, at).rows
}
const inOrder = (
  layer: Layer,
  prefix: string,
  input: Shape,
  first: At,
): { readonly rows: ReadonlyArray<SummaryRow>; readonly refusal: Refusal | null } => {
  const rows: Array<SummaryRow> = []
  let [shape, at] = [input, first]
  for (const [i, child] of layer.children.entries()) {
    const next = step(child, i, shape, at)
    const name = `${prefix}${nameOf(child, i)}`
    if (isRefusal(next)) {
      // what fits inside the block that refuses is still shown
      if (child.layer.kind === "seq") rows.push(...inOrder(child.layer, `${name}.`, shape, at).rows)
      return { rows, refusal: next }
    }
    rows.push(...rowsOf(child.layer, name, shape, next.out, at))
    ;[shape, at] = [next.out, next.at]
  }
  return { rows, refusal: null }
}
const sum = (numbers: ReadonlyArray<number>): number => numbers.reduce((a, b) => a + b, 0)

/**
 * What a model is made of, without running it: each layer's output, parameters and multiply-adds.
 *
 * @example
 * Nn.summary(Nn.lenet()).parameters // => 61610
 */
export const summary = (net: Layer & { readonly in: Shape }): Summary => {
  const { rows, refusal } = inOrder(net, "", net.in, start)
  return {
    input: net.in,
    rows,
    parameters: sum(rows.map((r) => r.parameters)),
    multiplyAdds: sum(rows.map((r) => r.multiplyAdds)),
    refusal: refusal === null ? null : mismatch(net, refusal, net.in),
  }
}

const thousands = (n: number): string => n.toLocaleString("en-US")

/** A summary as a table for people. */
export const showSummary = (s: Summary): string => {
  const head = ["name", "layer", "output", "parameters", "multiply-adds"]
  const body = s.rows.map((r) => [r.name, r.label, show(r.output), thousands(r.parameters), thousands(r.multiplyAdds)])
  const cells = [
    head,
    ["", "input", show(s.input), "", ""],
    ...body,
    ["", "total", "", thousands(s.parameters), thousands(s.multiplyAdds)],
  ]
  const widths = head.map((_, c) => Math.max(...cells.map((row) => row[c]?.length ?? 0)))
  const pad = (cell: string, c: number): string => (c < 3 ? cell.padEnd(widths[c] ?? 0) : cell.padStart(widths[c] ?? 0))
  const lines = cells.map((row) => row.map(pad).join("  ").trimEnd())
  const rule = "─".repeat(sum(widths) + 2 * (widths.length - 1))
  const table = [lines[0], rule, ...lines.slice(1, -1), rule, lines.at(-1)]
  return [...table, ...(s.refusal === null ? [] : [s.refusal.message])].join("\n")
}
