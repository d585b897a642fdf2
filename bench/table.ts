/**
 * `node bench/table.ts --write`: the results that are kept as tables, all in docs/benchmarks.md and the main ones in the
 * README.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { PeerName } from "./options.ts"
import { fileOf, readRecord, type Record, type Run } from "./record.ts"
import type { Result } from "./Result.ts"

const root = fileURLToPath(new URL("..", import.meta.url))
const kept = (options: { readonly narrow: boolean; readonly peers: ReadonlyArray<PeerName> }): Record =>
  readRecord(fileOf(join(root, "bench/results"), { ...options, device: "wasm" }))

const number = (x: number | "wrong" | null | undefined): string => {
  if (x === undefined || x === null) return ""
  if (x === "wrong") return x
  return x < 1000 ? String(Number(x.toPrecision(3))) : Math.round(x).toLocaleString("en-US")
}

/** results of one thing beside all peers */
interface Row {
  readonly name: string
  readonly shape: string
  readonly unit: string
  readonly results: ReadonlyArray<Result>
}

const rowsOf = (results: ReadonlyArray<Result>): ReadonlyArray<Row> => {
  const rows = new Map<string, { row: Row; results: Array<Result> }>()
  for (const r of results) {
    // a peer's note stands behind the shape that is ours
    const shape = r.peer === null ? r.shape : r.shape.replace(` (${r.peer}: `, "\0").replace(/\0.*$/, "")
    const key = `${r.name}\0${shape}`
    const known = rows.get(key)
    if (known !== undefined) known.results.push(r)
    else {
      const results = [r]
      rows.set(key, { row: { name: r.name, shape, unit: r.unit, results }, results })
    }
  }
  return [...rows.values()].map(({ row }) => row)
}

const isJavaScript = (r: Result): boolean => r.peer !== null && /^(tfjs|jax)/.test(r.peer)
const bestJavaScript = ({ results }: Row): Result | undefined =>
  results
    .filter((r) => isJavaScript(r) && typeof r.theirs === "number")
    .toSorted((a, b) => Number(b.theirs) - Number(a.theirs))[0]

const cell = (r: Result | undefined, named: boolean): string => {
  if (r === undefined) return ""
  const ratio = r.ratio === null ? "" : ` (×${number(r.ratio)})`
  return `${number(r.theirs)}${named ? ` ${r.peer}` : ""}${ratio}`
}

const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): ReadonlyArray<string> => [
  `| ${head.join(" | ")} |`,
  `| ${head.map((_, i) => (i < 2 ? "---" : "---:")).join(" | ")} |`,
  ...rows.map((row) => `| ${row.join(" | ")} |`),
]

const oneOf = (row: Row): Result => row.results[0]!
const against = (row: Row, peer: string): Result | undefined => row.results.find((r) => r.peer === peer)

const comparison = (rows: ReadonlyArray<Row>): ReadonlyArray<string> =>
  table(
    ["what", "shape", "ours", "unit", "PyTorch", "best in JavaScript"],
    rows.map((row) => [
      row.name,
      row.shape,
      number(oneOf(row).ours),
      row.unit,
      cell(against(row, "torch"), false),
      cell(bestJavaScript(row), true),
    ]),
  )

/** everything of a suite, peer by peer */
const everything = (rows: ReadonlyArray<Row>): ReadonlyArray<string> => {
  const peers = [...new Set(rows.flatMap((row) => row.results.flatMap((r) => (r.peer === null ? [] : [r.peer]))))]
  return table(
    ["what", "shape", "ours", "unit", ...peers],
    rows.map((row) => [
      row.name,
      row.shape,
      number(oneOf(row).ours),
      row.unit,
      ...peers.map((peer) => {
        const r = against(row, peer)
        const note =
          r === undefined ? "" : r.shape.slice(row.shape.length).replace(` (${peer}: `, ", ").replace(/\)$/, "")
        return `${cell(r, false)}${note}`
      }),
    ]),
  )
}

const about = (suite: string, run: Run): ReadonlyArray<string> => {
  const { processor, processors, memoryGiB, node, load } = run.machine
  const peers = Object.entries(run.peers).map(([name, what]) => `\`${name}\` is ${what}`)
  const missing = Object.entries(run.missing).map(([name, why]) => `\`${name}\` was not measured (${why})`)
  return [
    `${run.date.slice(0, 10)}, ${processor}, ${processors} processors, ${memoryGiB} GiB, Node ${node}, load before ${load}: \`${run.command}\`.`,
    `Ours is ${run.ours}. ${[...peers, ...missing].join("; ")}${peers.length + missing.length > 0 ? "." : ""}`,
  ]
}

const titles: { readonly [suite: string]: string } = {
  contraction: "Contractions",
  step: "Training steps and inference",
  bandwidth: "Kernels that memory bounds",
  overhead: "Outside kernels",
  data: "Data",
  scale: "Growth",
}

/** what of the contractions stands in the README */
const main = /^(matmul 1024|alexnet conv[23]|vgg16 64→64|lenet conv2|tinyvgg conv2)/

/** the table in the README; peers in JavaScript from a run of their own, where there is one */
export const readmeTable = (record: Record, javaScript: Record): string => {
  const { step, contraction } = record
  const all = (suite: string) => rowsOf([...(record[suite]?.results ?? []), ...(javaScript[suite]?.results ?? [])])
  const rows = [...all("step"), ...all("contraction").filter((row) => main.test(row.name))]
  const run = step ?? contraction
  if (run === undefined) return "Nothing has been measured yet."
  const { processor, node } = run.machine
  return [
    ...comparison(rows),
    "",
    `Measured in turn in one run on ${run.date.slice(0, 10)}: ${processor}, ${run.ours}, Node ${node}; medians, and in brackets ours to theirs${Object.keys(javaScript).length > 0 ? " (in JavaScript: in runs of their own)" : ""}.`,
  ].join("\n")
}

/** docs/benchmarks.md, between its markers */
export const fullTables = (wide: Record, narrow: Record, javaScript: Record): string => {
  const section = (title: string, suite: string, run: Run): ReadonlyArray<string> => [
    `### ${title}`,
    "",
    ...about(suite, run),
    "",
    ...everything(rowsOf(run.results)),
    "",
  ]
  const further = (record: Record, what: string): ReadonlyArray<string> =>
    Object.entries(titles).flatMap(([suite, title]) => {
      const run = record[suite]
      return run === undefined ? [] : section(`${title}, ${what}`, suite, run)
    })
  return [
    ...Object.entries(titles).flatMap(([suite, title]) => {
      const run = wide[suite]
      return run === undefined ? [`### ${title}`, "", "Not measured yet.", ""] : section(title, suite, run)
    }),
    ...further(narrow, "128-bit vectors"),
    ...further(javaScript, "peers in JavaScript"),
  ]
    .join("\n")
    .trimEnd()
}

const [begin, end] = ["<!-- benchmarks: npm run bench:table -->", "<!-- end of benchmarks -->"]

/** a page with other text between its markers */
export const replaced = (page: string, text: string): string => {
  const [from, to] = [page.indexOf(begin), page.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`the page has no ${begin} before ${end}`)
  return `${page.slice(0, from + begin.length)}\n${text}\n${page.slice(to)}`
}

/** the pages as they should be */
export const pages = (): ReadonlyArray<{ readonly file: string; readonly now: string; readonly due: string }> => {
  const [wide, narrow] = [kept({ narrow: false, peers: ["torch"] }), kept({ narrow: true, peers: ["torch"] })]
  const javaScript = kept({ narrow: false, peers: ["jax-wasm"] })
  return (
    [
      ["README.md", readmeTable(wide, javaScript)],
      ["docs/benchmarks.md", fullTables(wide, narrow, javaScript)],
    ] as const
  ).map(([file, text]) => {
    const now = readFileSync(join(root, file), "utf8")
    return { file, now, due: replaced(now, text) }
  })
}

if (import.meta.main) {
  if (process.argv.includes("--write")) for (const { file, due } of pages()) writeFileSync(join(root, file), due)
  else console.log(pages()[0]?.due)
}
