import { expect, test } from "vitest"
import { budget, measure } from "./cost.ts"

test(
  "no model costs the compiler over a tenth more than when it was last looked at",
  { timeout: 180_000 },
  async () => {
    const allowed = budget()
    const costs = await measure()
    expect(Object.keys(costs)).toEqual(Object.keys(allowed))
    const grown = Object.entries(costs).filter(([model, cost]) => cost > 1.1 * (allowed[model] ?? 0))
    // when the growth is wanted: `node scripts/updateTypeCost.ts`, and say why in the commit
    expect(grown.map(([model, cost]) => `${model}: ${cost} instantiations, ${allowed[model]} before`)).toEqual([])
  },
)
