/** The same training in Node and in headless Chromium. Without a Chromium: skipped, and said. */
import { join } from "node:path"
import * as Effect from "effect/Effect"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import * as Browser from "../../scripts/browser.ts"
import * as Wasm from "../../src/gpu/wasm/Wasm.ts"
import { train, type Trained } from "./lenet.ts"

const missing = Browser.missing()
if (missing !== undefined) console.warn(`training in a browser skipped: ${missing}`)
const nothing = { handles: 0, bytes: 0 }

describe.skipIf(missing !== undefined)(
  `training in Chromium${missing === undefined ? "" : ` (skipped: ${missing})`}`,
  () => {
    let browser: Browser.Browser
    let inNode: Trained
    beforeAll(async () => {
      browser = await Browser.open()
      inNode = await Effect.runPromise(train(20).pipe(Effect.provide(Wasm.layer({ threads: 2 }))))
    })
    afterAll(() => browser?.close())

    const inPage = async (page: string, isolated: boolean, argument: object): Promise<Trained> => {
      const bundle = await Browser.bundle(join(import.meta.dirname, "pages", `${page}.ts`))
      const { result, errors } = await browser.run({ bundle, isolated, argument })
      expect(errors).toEqual([])
      return result as Trained // what the page's main returns
    }
    const furthest = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): number =>
      Math.max(...a.map((x, i) => Math.abs(x - (b[i] ?? Number.NaN))))

    test("in Node the loss falls", () => {
      expect(inNode.losses.length).toBe(20)
      expect(inNode.losses[19]).toBeLessThan(inNode.losses[0]! * 0.9)
      expect(inNode.live).toEqual(nothing)
    })

    test("a cross-origin isolated page trains on two threads with Node's losses", async () => {
      const trained = await inPage("lenet", true, { steps: 20, threads: 2 })
      expect(trained.device).toMatchObject({ name: "wasm", threads: 2 })
      expect(furthest(inNode.losses, trained.losses)).toBeLessThanOrEqual(1e-5)
      expect(trained.live).toEqual(nothing)
    })

    test("a page that is not isolated trains on one worker with Node's losses", async () => {
      const trained = await inPage("lenet", false, { steps: 20, threads: 2 })
      expect(trained.device).toMatchObject({ name: "wasm", threads: 1 })
      expect(furthest(inNode.losses, trained.losses)).toBeLessThanOrEqual(1e-5)
      expect(trained.live).toEqual(nothing)
    })

    test.each(["webgl2", "webgl"])("gpu.js's %s mode follows the losses within 1e-3", async (mode) => {
      const trained = await inPage("lenetGpuJs", false, { steps: 5, mode })
      expect(trained.device.name).toBe(`gpujs-${mode}`)
      expect(furthest(trained.losses, inNode.losses)).toBeLessThanOrEqual(1e-3)
      expect(trained.live).toEqual(nothing)
    })

    test("what a page loads for it, without gpu.js, stays small", async () => {
      const entry = join(import.meta.dirname, "pages", "lenet.ts")
      const gzipBytes = await Browser.gzipBytesLoaded(entry, ["gpu.js"])
      console.log(`LeNet for browsers: ${gzipBytes} bytes of gzip, without gpu.js`)
      // a measure of nothing would pass as small
      expect(gzipBytes).toBeGreaterThan(30_000)
      expect(gzipBytes).toBeLessThan(120_000)
    })
  },
)
