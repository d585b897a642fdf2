/** docs/support.md is what the ops' kernels and the devices' code generators say. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import { supportPage } from "../../scripts/support.ts"

it("docs/support.md is up to date (node scripts/support.ts --write)", () => {
  expect(readFileSync(join(import.meta.dirname, "../../docs/support.md"), "utf8")).toBe(supportPage())
})
