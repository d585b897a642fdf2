/** Headless Chromium as the other browser tests use it. Without a Chromium: skipped, and said. */
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import * as Browser from "../../scripts/browser.ts"

const page = (name: string) => Browser.bundle(join(import.meta.dirname, "pages", `${name}.ts`))
const missing = Browser.missing()
if (missing !== undefined) console.warn(`browser tests skipped: ${missing}`)

describe.skipIf(missing !== undefined)(
  `headless Chromium${missing === undefined ? "" : ` (skipped: ${missing})`}`,
  () => {
    let browser: Browser.Browser
    beforeAll(async () => {
      browser = await Browser.open()
    })
    afterAll(() => browser?.close())

    test.each([true, false])("a page, cross-origin isolated: %s", async (isolated) => {
      const reports: Array<unknown> = []
      const { result, errors } = await browser.run({
        bundle: await page("environment"),
        isolated,
        argument: { some: ["json"] },
        files: join(import.meta.dirname, "../conformance/golden"),
        onReport: (message) => reports.push(message),
      })
      expect(result).toEqual({
        argument: { some: ["json"] },
        isolated,
        sharedMemory: isolated,
        file: expect.arrayContaining(["cases"]),
        outside: 404,
      })
      expect(reports).toEqual([{ started: true }])
      expect(errors.filter((e) => !e.includes("404"))).toEqual([])
    })

    test("what a page throws is what its run fails with, beside its console", async () => {
      const run = browser.run({ bundle: await page("environment"), isolated: false, argument: { fail: true } })
      await expect(run).rejects.toThrow(/asked to fail[^]*error: about to fail/)
    })

    test.each(["webgl2", "webgl"])("gpu.js runs its %s mode, and no other", async (mode) => {
      const { result, errors } = await browser.run({ bundle: await page("gpujs"), isolated: false, argument: mode })
      expect(errors).toEqual([])
      expect(result).toMatchObject({ ran: mode, fallbackReason: null, length: 1000 })
      expect((result as { readonly worst: number }).worst).toBeLessThan(1e-4) // as the line above has seen
    })
  },
)
