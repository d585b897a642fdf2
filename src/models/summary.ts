import { isRefusal } from "../shapes/Refusal.ts"
import { type Dim, type Shape, show } from "../shapes/Shape.ts"
import type { ShapeMismatch } from "../shapes/ShapeMismatch.ts"
import type { At, Layer } from "./Layer.ts"
import { mismatch, nameOf, start } from "./sequential.ts"

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

/** one row for each layer of a block in the order they are asked, as far as they fit */
const rowsOf = (layer: Layer, name: string, input: Shape, at: At, counted: Set<Layer>): ReadonlyArray<SummaryRow> => {
  if (layer.inside !== null) {
    return layer.inside(input, at).flatMap((call) => {
      const child = layer.children[call.child]
      if (child === undefined) return []
      const own = nameOf(child, call.child)
      const path = own === "" ? name : `${name}${name === "" ? "" : "."}${own}`
      return rowsOf(child.layer, path, call.input, call.at, counted)
    })
  }
  const output = layer.rule(input, at)
  if (isRefusal(output)) return []
  const asOne = layer.rule(one(input), at)
  const multiplyAdds = isRefusal(asOne) ? 0 : layer.multiplyAdds(one(input), asOne)
  return [{ name, label: layer.label, output, parameters: trainable(layer, counted), multiplyAdds }]
}
/** how many numbers a layer learns; 0 where it was counted before */
const trainable = (layer: Layer, counted: Set<Layer>): number => {
  if (counted.has(layer)) return 0
  counted.add(layer)
  const own = sum(layer.params.map((p) => (p.trainable ? count(p.shape) : 0)))
  return own + sum(layer.children.map((c) => trainable(c.layer, counted)))
}
const sum = (numbers: ReadonlyArray<number>): number => numbers.reduce((a, b) => a + b, 0)

/**
 * What a model is made of, without running it: each layer's output, parameters and multiply-adds.
 *
 * @example
 * Nn.summary(Nn.lenet()).parameters // => 61610
 */
export const summary = (net: Layer & { readonly in: Shape }): Summary => {
  const rows = rowsOf(net, "", net.in, start, new Set())
  const out = net.rule(net.in, start)
  return {
    input: net.in,
    rows,
    parameters: sum(rows.map((r) => r.parameters)),
    multiplyAdds: sum(rows.map((r) => r.multiplyAdds)),
    refusal: isRefusal(out) ? mismatch(net, out, net.in) : null,
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
