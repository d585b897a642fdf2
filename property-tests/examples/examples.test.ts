/** Every example runs, with a small budget. */
import { spawn } from "node:child_process"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, assert, describe, it } from "vitest"
import { examples } from "../../examples/examples.ts"

const folder = fileURLToPath(new URL("../../examples", import.meta.url))
const out = mkdtempSync(join(tmpdir(), "effect-nn-examples-"))
afterAll(() => rmSync(out, { recursive: true, force: true }))

const run = (...args: ReadonlyArray<string>) =>
  new Promise<{ readonly code: number | null; readonly text: string }>((resolve) => {
    const child = spawn(process.execPath, [join(folder, "main.ts"), ...args, "--out", out, "--device", "wasm"])
    let text = ""
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (data: Buffer) => (text += data.toString()))
    child.on("close", (code) => resolve({ code, text }))
  })

/** what an example prints, and its budget */
const expected: Readonly<Record<string, readonly [limit: number, says: RegExp]>> = {
  "01": [0, /step 20, loss \d\.\d{4}/],
  "02": [640, /epoch 2, loss .*test acc[^]*report +.*lenet\/report\.html/],
  "03": [640, /among the first two \d\.\d{4}\nF1 of 0: /],
  "04": [3200, /step 50, loss \d\.\d{4}/],
  "05": [640, /each channel's factor, 1 to begin with: (\d\.\d{3}(, )?){6}\n/],
  "06": [0, /softsign \[-0\.75, 0, 0\.5\], its slope \[0\.0625, 1, 0\.25\]\n(holds: .*\n){3,}/],
  "07": [320, /epoch 3, loss [^]*model_name: 'TinyVGG'/],
  "08": [200, /accuracyInTrainingMode: [01]/],
  "09": [400, /stayed: layer1\.conv1\.weight, .*layer2\.conv2\.bias\nlearned: layer3\.fc1\.weight/],
  "10": [120, /epoch 6, loss /],
  "11": [64, /^\d+ of 64 right; it was least sure of a \d/m],
  "12": [2, /epoch 1, loss .*[^]*report +.*alexnet-d2l\/report\.html/],
  "13": [
    640,
    /teacher [01]\.\d{4}, 61610 parameters\nstudent [01]\.\d{4} from 640 labels alone, [01]\.\d{4} with the teacher/,
  ],
  "14": [128, /epoch 5, generator \d+\.\d{3}, discriminator \d+\.\d{3}\ndigits +.*gan\/epoch-5\.png/],
}

describe("the examples", () => {
  it("are numbered from 01 upward, and each is in the list", () => {
    const numbers = readdirSync(folder).flatMap((f) => /^(\d\d)-.*\.ts$/.exec(f)?.[1] ?? [])
    assert.deepStrictEqual(
      numbers.toSorted(),
      Array.from({ length: numbers.length }, (_, i) => String(i + 1).padStart(2, "0")),
    )
    assert.deepStrictEqual(["01", ...Object.keys(examples)].toSorted(), numbers.toSorted())
    assert.deepStrictEqual(Object.keys(expected).toSorted(), numbers.toSorted())
  })

  // in order (that of the keys is not): what one trains, a later one predicts with
  for (const [number, [limit, says]] of Object.entries(expected).toSorted(([a], [b]) => a.localeCompare(b))) {
    it(`${number} runs`, { timeout: 240_000 }, async () => {
      const { code, text } = await run(number, ...(limit === 0 ? [] : ["--limit", String(limit)]))
      assert.strictEqual(code, 0, text)
      assert.match(text, says)
    })
  }

  it("leave their curves as SVG", () => {
    assert.isTrue(existsSync(join(out, "tinyvgg/accuracy.svg")))
    assert.match(readFileSync(join(out, "mnistcnn/accuracy.svg"), "utf8"), /validation/)
  })
})
