import { readFileSync } from "node:fs"
import { expect, test } from "vitest"
import * as Nn from "../../src/models/index.ts"
import { budget, measure, table, tableFile } from "./cost.ts"

test(
  "no model costs the compiler over a tenth more than when it was last looked at",
  { timeout: 600_000 },
  async () => {
    const allowed = budget()
    const costs = await measure()
    expect(Object.keys(costs)).toEqual(Object.keys(allowed))
    const grown = Object.entries(costs).filter(([model, cost]) => cost > 1.1 * (allowed[model] ?? 0))
    // when the growth is wanted: `node scripts/updateTypeCost.ts`, and say why in the commit
    expect(grown.map(([model, cost]) => `${model}: ${cost} instantiations, ${allowed[model]} before`)).toEqual([])
  },
)

test("the page of the documentation has the same numbers", () => {
  expect(readFileSync(tableFile, "utf8")).toBe(table(budget()))
})

test("and every model of the zoo", () => {
  expect(Object.keys(Nn.zoo).filter((model) => !(model in budget()))).toEqual([])
})
