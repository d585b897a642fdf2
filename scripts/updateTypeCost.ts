/** Writes what the models' types cost now to `property-tests/types/cost.json`, and prints the change. */
import { writeFileSync } from "node:fs"
import { budget, budgetFile, measure } from "../property-tests/types/cost.ts"

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
