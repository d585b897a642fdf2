/** Summaries in the forms that PyTorch's users know. */
import type { Shape } from "../shapes/Shape.ts"
import type { Layer } from "./Layer.ts"
import { classOf, count, isCall, leaves, modulesOnly, one, outline, type Outline, sum } from "./outline.ts"
import { nameOf } from "./sequential.ts"

type Model = Layer & { readonly in: Shape }

const thousands = (n: number): string => n.toLocaleString("en-US")
/** of float32 numbers */
const bytes = (n: number): number => 4 * n
const elements = (node: Outline): number => (node.output === null ? 0 : count(one(node.output)))
const parametersOf = (node: Outline): number => node.trainable + node.frozen

const totals = (tree: Outline): ReadonlyArray<string> => [
  `Total params: ${thousands(parametersOf(tree))}`,
  `Trainable params: ${thousands(tree.trainable)}`,
  `Non-trainable params: ${thousands(tree.frozen)}`,
]
/** of one sample, in a unit of so many bytes */
const sizes = (net: Model, outputs: number, parameters: number, unit: number): ReadonlyArray<string> => {
  const input = bytes(count(one(net.in))) / unit
  const passes = (2 * bytes(outputs)) / unit
  const own = bytes(parameters) / unit
  return [
    `Input size (MB): ${input.toFixed(2)}`,
    `Forward/backward pass size (MB): ${passes.toFixed(2)}`,
    `Params size (MB): ${own.toFixed(2)}`,
    `Estimated Total Size (MB): ${(input + passes + own).toFixed(2)}`,
  ]
}

/**
 * The table of the package torchsummary. Sizes are those of one sample, a megabyte is 2²⁰ bytes.
 *
 * @example
 * Nn.torchsummary(Nn.alexnet())
 */
export const torchsummary = (net: Model): string => {
  const tree = modulesOnly(outline(net))
  const rows = leaves(tree).filter((leaf) => leaf.output !== null)
  const line = (name: string, shape: string, params: string) =>
    `${name.padStart(20)}  ${shape.padStart(25)} ${params.padStart(15)}`
  const body = rows.map((leaf, i) => {
    const shape = `[${["-1", ...one(leaf.output ?? []).slice(1)].join(", ")}]`
    return line(`${classOf(leaf.layer)}-${i + 1}`, shape, thousands(parametersOf(leaf)))
  })
  const outputs = sum(rows.map(elements))
  const [thin, thick] = ["-".repeat(64), "=".repeat(64)]
  const head = [thin, line("Layer (type)", "Output Shape", "Param #"), thick]
  return [
    ...head,
    ...body,
    thick,
    ...totals(tree),
    thin,
    ...sizes(net, outputs, parametersOf(tree), 2 ** 20),
    thin,
  ].join("\n")
}

/** multiply-adds as torchinfo counts them: of each parameter, biases too, once for each position of a convolution */
const work = (node: Outline): number => {
  if (node.layer.inside !== null) return sum(node.children.map(work))
  const { params, kind } = node.layer
  const numbers = sum(params.filter((p) => p.requiresGrad || p.frozen === true).map((p) => count(p.shape)))
  const positions = kind.startsWith("conv") ? count(one(node.output ?? []).slice(2)) : 1
  return node.output === null ? 0 : numbers * positions
}

/**
 * The tree of the package torchinfo, with multiply-adds as it counts them: each parameter once for each position of a
 * convolution's output and once elsewhere, those of biases and norms too. Sizes are those of one sample, a megabyte is
 * 10⁶ bytes.
 *
 * @example
 * Nn.torchinfo(Nn.resnet18())
 */
export const torchinfo = (net: Model): string => {
  const tree = modulesOnly(outline(net))
  const seen = new Map<number, number>()
  const number = (depth: number): number => {
    const next = (seen.get(depth) ?? 0) + 1
    seen.set(depth, next)
    return next
  }
  const dashes = (n: number): string => (n === 0 ? "--" : thousands(n))
  const row = (node: Outline, depth: number): ReadonlyArray<ReadonlyArray<string>> => {
    const branch = depth === 0 ? "" : depth === 1 ? "├─" : `${"│    ".repeat(depth - 1)}└─`
    const name = `${branch}${classOf(node.layer)}${depth === 0 ? "" : `: ${depth}-${number(depth)}`}`
    const shape = node.output === null ? "--" : `[${one(node.output).join(", ")}]`
    const isLeaf = node.layer.inside === null
    const own = [name, shape, isLeaf ? dashes(parametersOf(node)) : "--", isLeaf ? dashes(work(node)) : "--"]
    return [own, ...node.children.flatMap((c) => row(c, depth + 1))]
  }
  const cells = [["Layer (type:depth-idx)", "Output Shape", "Param #", "Mult-Adds"], ...row(tree, 0)]
  const widths = [0, 1, 2].map((c) => Math.max(...cells.map((r) => r[c]?.length ?? 0)) + 4)
  const [head = "", ...body] = cells.map((r) =>
    r
      .map((cell, c) => cell.padEnd(widths[c] ?? 0))
      .join("")
      .trimEnd(),
  )
  const rule = "=".repeat(Math.max(head.length, ...body.map((l) => l.length)))
  const outputs = sum(leaves(tree).map((leaf) => (parametersOf(leaf) === 0 ? 0 : elements(leaf))))
  const all = work(tree)
  const total = `Total mult-adds (${all < 1e9 ? "M" : "G"}): ${(all / (all < 1e9 ? 1e6 : 1e9)).toFixed(2)}`
  const foot = [...totals(tree), total, rule, ...sizes(net, outputs, parametersOf(tree), 1e6)]
  return [rule, head, rule, ...body, rule, ...foot, rule].join("\n")
}

/** the lines of what is inside a layer; of a block with the empty name its own, as if they stood here */
const inner = (layer: Layer, shownIn: Layer): ReadonlyArray<string> =>
  layer.children.flatMap((child, i) => {
    if (isCall(child.layer, shownIn)) return []
    if (child.name === "" && child.layer.inside !== null) return inner(child.layer, shownIn)
    const [first = "", ...rest] = printed(child.layer)
    return [`(${nameOf(child, i)}): ${first}`, ...rest]
  })
const printed = (layer: Layer): ReadonlyArray<string> => {
  if (layer.inside === null && layer.children.length === 0) return [layer.repr]
  const lines = inner(layer, layer)
  const name = classOf(layer)
  return lines.length === 0 ? [`${name}()`] : [`${name}(`, ...lines.map((l) => `  ${l}`), ")"]
}
/**
 * What PyTorch prints for a model.
 *
 * @example
 * Nn.pytorch(Nn.alexnet()) // AlexNet(⏎  (features): Sequential(⏎    (0): Conv2d(3, 64, kernel_size=(11, 11), …
 */
export const pytorch = (net: Layer): string => printed(net).join("\n")

/**
 * The output of each layer in turn, for one sample: `Conv2d output shape: [1, 96, 54, 54]`.
 *
 * @example
 * Nn.shapes(Nn.alexnetD2l())
 */
export const shapes = (net: Model): string =>
  leaves(outline(net))
    .flatMap(({ layer, output }) =>
      output === null ? [] : [`${classOf(layer)} output shape: [${one(output).join(", ")}]`],
    )
    .join("\n")
