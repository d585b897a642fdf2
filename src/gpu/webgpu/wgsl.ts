/** Prints a matrix product per slice as WGSL: workgroup tiles in shared memory, four by four results per invocation. */
import type { Gemm, Operand, Part } from "./Gemm.ts"

/** What the printed shader is specialised to besides the shapes. */
export interface Tiling {
  /** rows and columns of the output per workgroup; each invocation computes four by four */
  readonly tileM: number
  readonly tileN: number
  /** terms per round through shared memory */
  readonly tileK: number
  /** terms after which a partial sum is put aside, so that long sums keep float32's accuracy */
  readonly blockK: number
  /** terms per split of the sum; a multiple of `tileK` */
  readonly chunkK: number
  readonly splits: number
  /** workgroups in x; the rest of the work is in y */
  readonly width: number
}

export const invocations = (t: Tiling): number => (t.tileM / 4) * (t.tileN / 4)

const lanes = [0, 1, 2, 3] as const
const component = ["x", "y", "z", "w"] as const
type Side = "a" | "b"

const when = (condition: string, statement: string): string =>
  condition === "" ? statement : `if (${condition}) { ${statement} }`

/** vec4s of shared memory; for neighbours along `k`, one is left free after every four rows against bank conflicts */
const sharedSize = (operand: Operand, rows: number, tileK: number): number =>
  operand.along === "k" ? (rows / 4) * (tileK + 1) : (rows / 4) * tileK

export const sharedBytes = (g: Gemm, t: Tiling): number =>
  16 * (sharedSize(g.a, t.tileM, t.tileK) + sharedSize(g.b, t.tileN, t.tileK))

/** declares what a row or a `k` contributes to an element's place, under names that `gather` reads */
const declare = (name: string, part: Part): ReadonlyArray<string> => [
  `let ${name}o = ${part.offset};`,
  ...(part.y === undefined ? [] : [`let ${name}y = ${part.y};`]),
  ...(part.x === undefined ? [] : [`let ${name}x = ${part.x};`]),
]

/**
 * `v` becomes the four elements at (`row`, `k`), one of which is a vec4 of neighbours; zero outside of the window and
 * where a guard does not hold. Without branches: an element that is not wanted is read at 0 and dropped.
 */
const gather = (
  operand: Operand,
  side: Side,
  v: string,
  row: string,
  k: string,
  guards: ReadonlyArray<string>,
): ReadonlyArray<string> => {
  const place = `${row}o + ${k}o`
  if (operand.vector) {
    // with aligned neighbours, all four are wanted or none
    const at = `(${place}) / 4u`
    if (guards.length === 0) return [`let ${v} = ${side}[${at}];`]
    return [
      `let ${v}in = ${guards.join(" && ")};`,
      `let ${v} = select(vec4<f32>(), ${side}[select(0u, ${at}, ${v}in)], ${v}in);`,
    ]
  }
  const four = (index: string) => `vec4<f32>(${component.map((c) => `${side}[${index}.${c}]`).join(", ")})`
  const w = operand.window
  const quotient = (axis: "y" | "x", by: number) =>
    by === 1
      ? [`let ${v}${axis} = vec4<u32>(vec4<i32>(${row}${axis} + ${k}${axis}));`]
      : [
          `let ${v}${axis}s = vec4<u32>(vec4<i32>(${row}${axis} + ${k}${axis}));`,
          `let ${v}${axis} = ${v}${axis}s / ${by}u;`,
        ]
  const check = (axis: "y" | "x", by: number, extent: number) => [
    `(${v}${axis} < vec4<u32>(${extent}u))`,
    ...(by === 1 ? [] : [`(${v}${axis} * ${by}u == ${v}${axis}s)`]),
  ]
  const checks = [
    ...guards.map((g) => `vec4<bool>(${g})`),
    // a negative position is a large unsigned one, and so is its quotient
    ...(w === undefined || w.inside ? [] : [...check("y", w.divideBy[0], w.h), ...check("x", w.divideBy[1], w.w)]),
  ]
  const at = `vec4<u32>(${place}${w === undefined ? "" : ` + ${v}y * ${w.w}u + ${v}x`})`
  const positions = w === undefined ? [] : [...quotient("y", w.divideBy[0]), ...quotient("x", w.divideBy[1])]
  if (checks.length === 0) return [...positions, `let ${v}at = ${at};`, `let ${v} = ${four(`${v}at`)};`]
  return [
    ...positions,
    `let ${v}in = ${checks.join(" & ")};`,
    `let ${v}at = select(vec4<u32>(), ${at}, ${v}in);`,
    `let ${v} = select(vec4<f32>(), ${four(`${v}at`)}, ${v}in);`,
  ]
}

interface Loader {
  /** before the loop over `k` */
  readonly prepare: ReadonlyArray<string>
  /** in the loop, for the round that begins at `k0` */
  readonly load: ReadonlyArray<string>
}

/** how the workgroup brings one operand's tile into shared memory, each invocation a vec4 at a time */
const loader = (g: Gemm, t: Tiling, side: Side): Loader => {
  const operand = g[side]
  const [rows, extent, origin] = side === "a" ? [t.tileM, g.m, "m0"] : [t.tileN, g.n, "n0"]
  const alongRow = operand.along === "row"
  const threads = invocations(t)
  const quads = (rows * t.tileK) / 4
  /** vec4s side by side before the other coordinate advances; a power of two that divides `threads`, or the reverse */
  const perLine = alongRow ? rows / 4 : t.tileK / 4
  const step = threads / perLine
  const rounds = Array.from({ length: Math.max(1, quads / threads) }, (_, i) => i)
  const first = (along: boolean) =>
    along && !operand.vector ? ` + ${side}Q * 4u + vec4<u32>(0u, 1u, 2u, 3u)` : along ? ` + ${side}Q * 4u` : ""
  const int = (along: boolean) => (along && !operand.vector ? "vec4<i32>" : "i32")
  const below = (name: string, limit: number, along: boolean) =>
    along && !operand.vector ? `${name} < vec4<u32>(${limit}u)` : `${name} < ${limit}u`
  const guards = (row: string, k: string) => [
    ...(g.k % t.tileK === 0 ? [] : [below(k, g.k, !alongRow)]),
    ...(extent % rows === 0 ? [] : [below(row, extent, alongRow)]),
  ]
  const line = (i: number) => `${side}L${i === 0 ? "" : ` + ${i * step}u`}`
  /** `row` or `k` that all rounds share, and the one that advances with the rounds */
  const declareRow = (name: string, i: number) => [
    `let ${name} = ${origin}${alongRow ? first(true) : ` + ${line(i)}`};`,
    ...declare(name, operand.row(name, "z", int(alongRow))),
  ]
  const declareK = (name: string, i: number) => [
    `let ${name} = k0${alongRow ? ` + ${line(i)}` : first(true)};`,
    ...declare(name, operand.k(name, "z", int(!alongRow))),
  ]
  const [row, k] = [
    (i: number) => (alongRow ? `${side}R` : `${side}R${i}`),
    (i: number) => (alongRow ? `${side}K${i}` : `${side}K`),
  ]
  const slot = (i: number) =>
    alongRow
      ? `(${line(i)}) * ${perLine}u + ${side}Q`
      : `(${line(i)}) / 4u * ${t.tileK + 1}u + (${line(i)}) % 4u * ${perLine}u + ${side}Q`
  const load = [
    ...(alongRow ? [] : declareK(k(0), 0)),
    ...rounds.flatMap((i) => [
      ...(alongRow ? declareK(k(i), i) : []),
      ...gather(operand, side, `${side}V${i}`, row(i), k(i), guards(row(i), k(i))),
      `${side}Tile[${slot(i)}] = ${side}V${i};`,
    ]),
  ]
  return {
    prepare: [
      `let ${side}Q = lid % ${perLine}u;`,
      `let ${side}L = lid / ${perLine}u;`,
      ...(alongRow ? declareRow(row(0), 0) : rounds.flatMap((i) => declareRow(row(i), i))),
    ],
    load: quads < threads ? [`if (lid < ${quads}u) {`, ...load.map((l) => `  ${l}`), `}`] : load,
  }
}

/** four terms of the sum for the invocation's four by four results */
const multiply = (g: Gemm, t: Tiling): ReadonlyArray<string> => {
  const read = (side: Side, thread: string, rows: number) =>
    lanes.map((c) =>
      g[side].along === "k"
        ? `let ${side}${c} = ${side}Tile[${thread} * ${t.tileK + 1}u + ${(c * t.tileK) / 4}u + q];`
        : `let ${side}${c} = ${side}Tile[(q * 4u + ${c}u) * ${rows / 4}u + ${thread}];`,
    )
  const left = (r: number, k: 0 | 1 | 2 | 3) => (g.a.along === "k" ? `a${r}.${component[k]}` : `a${k}.${component[r]}`)
  const right = (k: 0 | 1 | 2 | 3) =>
    g.b.along === "row" ? `b${k}` : `vec4<f32>(${lanes.map((c) => `b${c}.${component[k]}`).join(", ")})`
  return [
    ...read("a", "ty", t.tileM),
    ...read("b", "tx", t.tileN),
    ...lanes.flatMap((k) => [`let c${k} = ${right(k)};`, ...lanes.map((r) => `acc${r} += ${left(r, k)} * c${k};`)]),
  ]
}

/** adds the bias and writes the invocation's results */
const store = (g: Gemm, t: Tiling, outputSize: number, bias: boolean): ReadonlyArray<string> => {
  const [rowTail, columnTail] = [g.m % t.tileM !== 0, g.n % t.tileN !== 0]
  const split = t.splits > 1 ? `split * ${outputSize}u + ` : ""
  const count = g.vector ? [0 as const] : lanes
  const b = bias ? g.bias : undefined
  const columns = count.flatMap((c) => [`let j${c} = n0 + tx * 4u + ${c}u;`, `let j${c}o = ${g.column(`j${c}`)};`])
  const rows = lanes.flatMap((r) => {
    const [i, value] = [`i${r}`, `acc${r}`]
    const alongI = b?.along === "i" ? ` + bias[${b.at(i, "", "z")}]` : ""
    const alongJ = (c: number) => (b?.along === "j" ? ` + bias[${b.at("", `j${c}`, "z")}]` : "")
    const four =
      b?.along === "j" ? ` + vec4<f32>(${lanes.map((c) => `bias[${b.at("", `(j0 + ${c}u)`, "z")}]`).join(", ")})` : ""
    const writes = g.vector
      ? [when(columnTail ? `j0 < ${g.n}u` : "", `y[(${i}o + j0o) / 4u] = ${value}${alongI}${four};`)]
      : lanes.map((c) =>
          when(
            columnTail ? `j${c} < ${g.n}u` : "",
            `y[${i}o + j${c}o] = ${value}.${component[c]}${alongI}${alongJ(c)};`,
          ),
        )
    const body = [`let ${i}o = ${split}${g.row(i, "z")};`, ...writes]
    return [
      `let ${i} = m0 + ty * 4u + ${r}u;`,
      ...(rowTail ? [`if (${i} < ${g.m}u) {`, ...body.map((l) => `  ${l}`), `}`] : body),
    ]
  })
  return [...columns, ...rows]
}

const indent = (by: number, lines: ReadonlyArray<string>): string => lines.map((l) => " ".repeat(by) + l).join("\n")
const arrayOf = (vector: boolean): string => (vector ? "array<vec4<f32>>" : "array<f32>")

/**
 * The main pass. Bindings: 0 left operand, 1 right operand, 2 the output (or, where the sum is split, the workspace),
 * 3 the bias if there is one and the sum is not split. `outputSize` is in elements.
 */
export const product = (g: Gemm, t: Tiling, outputSize: number): string => {
  const bias = g.bias !== undefined && t.splits === 1
  const [tilesM, tilesN] = [Math.ceil(g.m / t.tileM), Math.ceil(g.n / t.tileN)]
  const total = tilesM * tilesN * g.slices * t.splits
  const [a, b] = [loader(g, t, "a"), loader(g, t, "b")]
  const blocked = t.chunkK > t.blockK
  const round = (from: string, to: string, by: number) => `    for (var k0 = ${from}; k0 < ${to}; k0 += ${t.tileK}u) {
${indent(by, [...a.load, ...b.load])}
      workgroupBarrier();
      for (var q = 0u; q < ${t.tileK / 4}u; q++) {
${indent(8, multiply(g, t))}
      }
      workgroupBarrier();
    }`
  const zeros = (name: string) => lanes.map((r) => `var ${name}${r} = vec4<f32>();`)
  const loop = blocked
    ? `${indent(2, zeros("total"))}
  for (var block = kStart; block < kEnd; block += ${t.blockK}u) {
${indent(4, zeros("acc"))}
    let blockEnd = min(block + ${t.blockK}u, kEnd);
${round("block", "blockEnd", 6)}
${indent(
  4,
  lanes.map((r) => `total${r} += acc${r};`),
)}
  }
${indent(
  2,
  lanes.map((r) => `let acc${r} = total${r};`),
)}`
    : `${indent(2, zeros("acc"))}
${round("kStart", "kEnd", 6)}`
  return `@group(0) @binding(0) var<storage, read> a : ${arrayOf(g.a.vector)};
@group(0) @binding(1) var<storage, read> b : ${arrayOf(g.b.vector)};
@group(0) @binding(2) var<storage, read_write> y : ${arrayOf(g.vector)};
${bias ? `@group(0) @binding(3) var<storage, read> bias : array<f32>;\n` : ""}
var<workgroup> aTile : array<vec4<f32>, ${sharedSize(g.a, t.tileM, t.tileK)}>;
var<workgroup> bTile : array<vec4<f32>, ${sharedSize(g.b, t.tileN, t.tileK)}>;

@compute @workgroup_size(${invocations(t)})
fn main(@builtin(workgroup_id) group : vec3<u32>, @builtin(local_invocation_index) lid : u32) {
  let id = group.x + group.y * ${t.width}u;
  if (id >= ${total}u) { return; }
  let n0 = id % ${tilesN}u * ${t.tileN}u;
  let m0 = id / ${tilesN}u % ${tilesM}u * ${t.tileM}u;
  let z = id / ${tilesN * tilesM}u % ${g.slices}u;
  let split = id / ${tilesN * tilesM * g.slices}u;
  let kStart = split * ${t.chunkK}u;
  let kEnd = min(kStart + ${t.chunkK}u, ${g.k}u);
  let tx = lid % ${t.tileN / 4}u;
  let ty = lid / ${t.tileN / 4}u;
${indent(2, [...a.prepare, ...b.prepare])}
${loop}
${indent(2, store(g, t, outputSize, bias))}
}
`
}

/**
 * The second pass where the sum is split: the splits' results are added in their order, and the bias to them. With
 * no splits at all (`k` is 0) it only writes the bias, or zeros. Bindings: 0 the output, then the workspace and the bias
 * where they are used.
 */
export const total = (g: Gemm, splits: number, outputSize: number, width: number): string => {
  const bindings = [...(splits > 0 ? ["parts"] : []), ...(g.bias === undefined ? [] : ["bias"])]
  return `@group(0) @binding(0) var<storage, read_write> y : array<f32>;
${bindings.map((name, i) => `@group(0) @binding(${i + 1}) var<storage, read> ${name} : array<f32>;\n`).join("")}
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) at : vec3<u32>) {
  let i = at.x + at.y * ${width * 64}u;
  if (i >= ${outputSize}u) { return; }
  var sum = 0.0;
${splits > 0 ? `  for (var s = 0u; s < ${splits}u; s++) { sum += parts[s * ${outputSize}u + i]; }\n` : ""}${
    g.bias === undefined ? "" : `  sum += bias[${g.bias.atPlace("i")}];\n`
  }  y[i] = sum;
}
`
}
