/** Writes what the models' types cost now to `property-tests/types/cost.json` and `docs/compile-cost.md`, and prints the change. */
import { mkdirSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import { budget, budgetFile, measure, table, tableFile } from "../property-tests/types/cost.ts"

const before = ((): ReturnType<typeof budget> => {
  try {
    return budget()
  } catch {
    return {}
  }
})()
const now = await measure()
for (const [model, cost] of Object.entries(now)) console.log(`${model}: ${before[model] ?? "–"} → ${cost}`)
writeFileSync(budgetFile, `${JSON.stringify(now, null, 2)}\n`)
mkdirSync(dirname(tableFile), { recursive: true })
writeFileSync(tableFile, table(now))
