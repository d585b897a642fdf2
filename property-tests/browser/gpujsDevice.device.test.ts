/** gpu.js's WebGL modes as a device, in headless Chromium. Without a Chromium: skipped, and said. */
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import * as Browser from "../../scripts/browser.ts"

const missing = Browser.missing()

describe.skipIf(missing !== undefined)(
  `gpu.js in headless Chromium${missing === undefined ? "" : ` (skipped: ${missing})`}`,
  { timeout: 120_000 },
  () => {
    let browser: Browser.Browser
    beforeAll(async () => {
      browser = await Browser.open()
    })
    afterAll(() => browser?.close())

    test.each(["webgl2", "webgl"])("%s computes what the reference does", async (mode) => {
      const bundle = await Browser.bundle(join(import.meta.dirname, "pages", "gpujsDevice.ts"))
      const { result, errors } = await browser.run({ bundle, isolated: false, argument: mode })
      expect(errors).toEqual([])
      expect(result).toMatchObject({
        info: { name: `gpujs-${mode}`, backend: mode },
        problems: [],
        state: [5, 7, 6, 8, 5, 6, 7, 8],
        live: { handles: 0, bytes: 0 },
      })
    })
  },
)
