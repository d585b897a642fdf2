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
  const counts: Record<string, number> = {}
  for (const file of filesIn("cost")) {
    const printed = await compile("typescript", [file], ["--extendedDiagnostics", "--singleThreaded"])
    const [, count] = /Instantiations:\s+(\d+)/.exec(printed) ?? []
    if (count === undefined || printed.includes("error TS")) throw new Error(`${file} does not compile:\n${printed}`)
    counts[basename(file, ".ts")] = Number(count)
  }
  const { base = 0, ...models } = counts
  return Object.fromEntries(Object.entries(models).map(([name, count]) => [name, count - base]))
}
export const budget = (): Costs => JSON.parse(readFileSync(budgetFile, "utf8"))
export { budgetFile }
