import { isRefusal } from "../shapes/Refusal.ts"
import { type Shape, show } from "../shapes/Shape.ts"
import type { ShapeMismatch } from "../shapes/ShapeMismatch.ts"
import type { Layer } from "./Layer.ts"
import { leaves, outline, sum } from "./outline.ts"
import { mismatch, start } from "./sequential.ts"

export interface SummaryRow {
  /** as in the state_dict */
  readonly name: string
  /** `conv2d` */
  readonly kind: string
  /** `conv2d(3, 64)` */
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
  /** running statistics are not counted, a shared layer is once */
  readonly parameters: number
  /** without what is frozen */
  readonly trainable: number
  /** for one sample */
  readonly multiplyAdds: number
  /** why there are no more rows; `null` when the layers fit */
  readonly refusal: ShapeMismatch | null
}

/**
 * What a model is made of, without running it: each layer's output, parameters and multiply-adds.
 *
 * @example
 * Nn.summary(Nn.lenet()).parameters // => 61610
 */
export const summary = (net: Layer & { readonly in: Shape }): Summary => {
  const tree = outline(net)
  const rows = leaves(tree).flatMap(({ path, layer, output, trainable, frozen, multiplyAdds }) =>
    output === null
      ? []
      : [{ name: path, kind: layer.kind, label: layer.label, output, parameters: trainable + frozen, multiplyAdds }],
  )
  const out = net.rule(net.in, start)
  return {
    input: net.in,
    rows,
    parameters: sum(rows.map((r) => r.parameters)),
    trainable: tree.trainable,
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
