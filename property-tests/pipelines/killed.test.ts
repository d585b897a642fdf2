import { spawn } from "node:child_process"
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, assert, describe, it } from "vitest"
import * as Random from "../../src/ops/random.ts"

const script = fileURLToPath(new URL("killedRun.ts", import.meta.url))
const folder = mkdtempSync(join(tmpdir(), "effect-nn-killed-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

// what the first process compiles, the others only load
const env = { ...process.env, NODE_COMPILE_CACHE: join(folder, "cache") }
const epochs = 4
const stepsOfEpoch = 5

interface Ended {
  readonly killed: boolean
  readonly events: number
  /** a checkpoint was being written */
  readonly writing: boolean
}

/** runs the process, and kills it once it has told so many events and `delay` milliseconds more have passed */
const start = (out: string, kill: { readonly after: number; readonly delay: number } | null) =>
  new Promise<Ended>((resolve, reject) => {
    const args = [script, out, String(epochs), kill === null ? "0" : "4"]
    const child = spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "pipe"] })
    let [events, text, waits] = [0, "", false]
    child.stderr.on("data", (chunk) => (text += String(chunk)))
    child.stdout.on("data", (chunk) => {
      events += String(chunk).split("\n").length - 1
      if (kill === null || waits || events < kill.after) return
      waits = true
      setTimeout(() => child.kill("SIGKILL"), kill.delay)
    })
    child.on("exit", (code, signal) => {
      const names = kill === null ? [] : readdirSync(join(out, "checkpoints"))
      if (code !== 0 && signal !== "SIGKILL") reject(new Error(`exit code ${code}: ${text}`))
      else resolve({ killed: signal === "SIGKILL", events, writing: names.some((name) => name.endsWith(".part")) })
    })
  })

/** what a log says, without what a clock said */
const logged = (out: string) =>
  readFileSync(join(out, "log.jsonl"), "utf8")
    .trim()
    .split("\n")
    .flatMap((line) => {
      const { event, epoch, totalSteps, loss, accuracy, learningRate, metrics }: { readonly [key: string]: unknown } =
        JSON.parse(line)
      const told = { event, epoch, totalSteps, loss, accuracy, learningRate, metrics }
      return ["Step", "EpochEnd", "Evaluation"].includes(String(event)) ? [told] : []
    })

describe("a run whose process is killed", () => {
  it("ends with the files of an uninterrupted one, byte for byte, after more than twenty kills", async () => {
    const whole = join(folder, "whole")
    mkdirSync(whole)
    await start(whole, null)
    const files = ["model.safetensors", "average.safetensors"]
    const expected = files.map((name) => readFileSync(join(whole, name)))
    assert.strictEqual(logged(whole).length, epochs * (stepsOfEpoch + 2))

    const uniform = Random.uniform(Random.key(20261123, 1), Random.stream("kills"))
    let [starts, kills, cut, rounds] = [0, 0, 0, 0]
    const round = async () => {
      const out = join(folder, String(rounds++))
      mkdirSync(out)
      for (let more = true; more;) {
        const draw = 2 * starts++
        const moment = { after: 1 + Math.floor(uniform(draw) * 16), delay: Math.floor(uniform(draw + 1) * 15) }
        const { killed, writing } = await start(out, moment)
        kills += killed ? 1 : 0
        cut += writing ? 1 : 0
        more = killed
      }
      assert.deepStrictEqual(
        files.map((name) => readFileSync(join(out, name))),
        expected,
      )
      // nor is anything missing from the log, or told twice
      assert.deepStrictEqual(logged(out), logged(whole))
      const left = readdirSync(join(out, "checkpoints")).toSorted()
      assert.deepStrictEqual(left, ["best.safetensors", "step-00000018.safetensors", "step-00000020.safetensors"])
    }
    const lane = async (): Promise<void> => {
      await round()
      // which moments they come at is the machine's affair: a few more, until some came while a file was written
      return (kills < 21 || cut < 2) && rounds < 20 ? lane() : undefined
    }
    await Promise.all([lane(), lane()])
    console.log(`${kills} kills, ${cut} of them while a checkpoint was written`)
    assert.isAtLeast(cut, 2)
  }, 300_000)
})
