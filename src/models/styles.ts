/** Summaries in the forms that PyTorch's users know. */
import type { Shape } from "../shapes/Shape.ts"
import type { Layer, Param } from "./Layer.ts"
import { classOf, count, isCall, leaves, modulesOnly, one, outline, type Outline, sum } from "./outline.ts"
import { nameOf } from "./sequential.ts"

type Model = Layer & { readonly in: Shape }

const thousands = (n: number): string => n.toLocaleString("en-US")
/** of float32 numbers */
const bytes = (n: number): number => 4 * n
const elements = (node: Outline): number => (node.output === null ? 0 : count(one(node.output)))
const parametersOf = (node: Outline): number => node.trainable + node.frozen

/** with two decimals as Python rounds, half to even; an eighth is what can lie in the middle */
const decimals = (n: number): string => {
  const isHalf = Number.isInteger(8 * n) && !Number.isInteger(4 * n)
  const below = Math.floor(100 * n)
  return isHalf ? ((below + (below % 2)) / 100).toFixed(2) : n.toFixed(2)
}

const totals = (tree: Outline): ReadonlyArray<string> => [
  `Total params: ${thousands(parametersOf(tree))}`,
  `Trainable params: ${thousands(tree.trainable)}`,
  `Non-trainable params: ${thousands(tree.frozen)}`,
]
/** of one sample, as torchsummary gives them */
const sizes = (net: Model, outputs: number, parameters: number): ReadonlyArray<string> => {
  const input = bytes(count(one(net.in))) / 2 ** 20
  const passes = (2 * bytes(outputs)) / 2 ** 20
  const own = bytes(parameters) / 2 ** 20
  return [
    `Input size (MB): ${decimals(input)}`,
    `Forward/backward pass size (MB): ${decimals(passes)}`,
    `Params size (MB): ${decimals(own)}`,
    `Estimated Total Size (MB): ${decimals(input + passes + own)}`,
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
  return [...head, ...body, thick, ...totals(tree), thin, ...sizes(net, outputs, parametersOf(tree)), thin].join("\n")
}

/** multiply-adds as torchinfo counts them: of each weight and bias, once for each place where the layer uses all of it */
const work = (node: Outline): number => {
  if (node.layer.inside !== null) return sum(node.children.map(work))
  if (node.output === null) return 0
  const out = one(node.output)
  const [samples = 1] = out
  const name = classOf(node.layer)
  const uses = name.includes("Conv")
    ? samples * count(out.slice(2))
    : name.includes("Linear")
      ? count(out.slice(0, -1))
      : samples
  const of = ({ name: param, shape }: Param): number =>
    param === "weight" || param === "bias"
      ? uses * count(shape)
      : /weight|bias/.test(param)
        ? count(out.slice(0, 2)) * count(shape)
        : 0
  return sum(learned(node.layer).map(of))
}
/** a layer's own parameters, without running statistics */
const learned = (layer: Layer): ReadonlyArray<Param> => layer.params.filter((p) => p.requiresGrad || p.frozen === true)

/** ` (M): 1.50` for 1,500,000, as torchinfo chooses units */
const inUnits = (n: number, unit: string = ""): string => {
  const units = [
    [1e12, "T"],
    [1e9, "G"],
    [1e6, "M"],
    [1e3, "k"],
  ] as const
  const [size, prefix] = units.find(([least]) => n >= least) ?? [1, ""]
  const text = Number.isInteger(n / size) ? thousands(n / size) : decimals(n / size)
  return prefix === "" ? `: ${text}` : ` (${prefix}${unit}): ${text}`
}
const deepest = (node: Outline): number => 1 + Math.max(-1, ...node.children.map(deepest))

/**
 * The tree of the package torchinfo, for one sample, with its columns `output_size`, `num_params` and `mult_adds`, and
 * multiply-adds as it counts them: weights and biases once for each position of a convolution's output and for each row of
 * a linear layer's, those of norms once. What is deeper than `depth` (3 when absent) is one row. The input's size is that
 * of its numbers, without the 56 bytes of a Python object that torchinfo adds.
 *
 * @example
 * Nn.torchinfo(Nn.resnet18())
 */
export const torchinfo = (net: Model, { depth: most = 3 }: { readonly depth?: number } = {}): string => {
  const tree = modulesOnly(outline(net))
  const seen = Array.from({ length: deepest(tree) + 1 }, () => 0)
  const dashes = (n: number): string => (n === 0 ? "--" : thousands(n))
  const numbers = (node: Outline, isWhole: boolean): string => {
    const own = isWhole ? parametersOf(node) : parametersOf(node) - sum(node.children.map(parametersOf))
    if (own === 0) return learned(node.layer).length > 0 ? "(recursive)" : "--"
    return isWhole && node.trainable === 0 ? `(${thousands(own)})` : thousands(own)
  }
  const row = (node: Outline, depth: number): ReadonlyArray<Row> => {
    const isWhole = node.layer.inside === null || depth === most
    const title = `${classOf(node.layer)}${depth === 0 ? "" : `: ${depth}-${++seen[depth]!}`}`
    const shape = node.output === null ? "--" : `[${one(node.output).join(", ")}]`
    const cells = [shape, numbers(node, isWhole), isWhole ? dashes(work(node)) : "--"]
    return [{ depth, title, cells }, ...node.children.flatMap((c) => row(c, depth + 1))]
  }
  const rows = row(tree, 0)
  // as wide as the longest needs, of those too that are not shown
  const widest = Math.max(...rows.map(({ depth, title }) => title.length + 5 * depth + 1))
  const width = widest < 40 ? 40 : 5 * Math.ceil(widest / 5)
  const line = (name: string, cells: ReadonlyArray<string>) =>
    [name.padEnd(width), ...cells.map((cell) => cell.padEnd(25))].join(" ").trimEnd()
  const branch = (depth: number): string => (depth === 0 ? "" : depth === 1 ? "├─" : `${"│    ".repeat(depth - 1)}└─`)
  const rule = "=".repeat(width + 3 * 25)
  const shown = rows.filter(({ depth }) => depth <= most)
  const kept = sum(leaves(tree).map((leaf) => (learned(leaf.layer).length === 0 ? 0 : elements(leaf))))
  const [input, passes, own] = [bytes(count(one(net.in))), 2 * bytes(kept), bytes(parametersOf(tree))]
  return [
    rule,
    line("Layer (type:depth-idx)", ["Output Shape", "Param #", "Mult-Adds"]),
    rule,
    ...shown.map(({ depth, title, cells }) => line(`${branch(depth)}${title}`, cells)),
    rule,
    ...totals(tree),
    `Total mult-adds${inUnits(work(tree))}`,
    rule,
    `Input size${inUnits(input, "B")}`,
    `Forward/backward pass size${inUnits(passes, "B")}`,
    `Params size${inUnits(own, "B")}`,
    `Estimated Total Size${inUnits(input + passes + own, "B")}`,
    rule,
  ].join("\n")
}
interface Row {
  readonly depth: number
  readonly title: string
  readonly cells: ReadonlyArray<string>
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
