/** What the types of the models cost the compiler, in instantiations: exact and repeatable, unlike time. */
import { readFileSync } from "node:fs"
import { basename, join } from "node:path"
import { compile, filesIn } from "./compile.ts"

export interface Costs {
  readonly [model: string]: number
}
const budgetFile = join(import.meta.dirname, "cost.json")

/** The instantiations of each model beyond those of the library's own sources, on the project's compiler. */
export const measure = async (): Promise<Costs> => {
  const files = filesIn("cost")
  const counts: Record<string, number> = {}
  const next = async (): Promise<void> => {
    const file = files.find((f) => !(basename(f, ".ts") in counts))
    if (file === undefined) return
    counts[basename(file, ".ts")] = 0
    const printed = await compile("typescript", [file], ["--extendedDiagnostics", "--singleThreaded"])
    const [, count] = /Instantiations:\s+(\d+)/.exec(printed) ?? []
    if (count === undefined || printed.includes("error TS")) throw new Error(`${file} does not compile:\n${printed}`)
    counts[basename(file, ".ts")] = Number(count)
    return next()
  }
  await Promise.all([next(), next()])
  const { base = 0, ...models } = counts
  const inOrder = Object.entries(models).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(inOrder.map(([name, count]) => [name, count - base]))
}
export const budget = (): Costs => JSON.parse(readFileSync(budgetFile, "utf8"))
export { budgetFile }

export const tableFile = join(import.meta.dirname, "../../docs/compile-cost.md")
/** the costs as the page of the documentation has them */
export const table = (costs: Costs): string => {
  const rows = Object.entries(costs).map(([model, cost]) => `| ${model} | ${cost.toLocaleString("en-US")} |`)
  return `# What the models' types cost the compiler

Type instantiations of a program that builds the model, asks for its output's shape and for the names of its parameters,
beyond those of the layers' own sources; counted by TypeScript's \`--extendedDiagnostics\`, and the same on every run. A
model's file is checked whole, so that models of one family cost much the same. \`chain150\` is a list of 150 layers.

\`node scripts/updateTypeCost.ts\` prints this page; a test fails when a model costs over a tenth more.

| model | instantiations |
| --- | ---: |
${rows.join("\n")}
`
}
