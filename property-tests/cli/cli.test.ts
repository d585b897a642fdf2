import * as Nn from "../../src/models/index.ts"
import { execFile, spawn } from "node:child_process"
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, assert, describe, it } from "vitest"
import * as Idx from "../../src/pipelines/Idx.ts"

const cli = fileURLToPath(new URL("../../src/cli.ts", import.meta.url))
const folder = mkdtempSync(join(tmpdir(), "effect-nn-cli-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Ran {
  readonly code: number | null
  readonly out: string
  readonly err: string
}
const run = (...args: ReadonlyArray<string>) =>
  new Promise<Ran>((resolve) => {
    const child = execFile(process.execPath, [cli, ...args], { maxBuffer: 1 << 26 }, (_, out, err) =>
      resolve({ code: child.exitCode, out, err }),
    )
  })

/** files of MNIST's form: few, and small enough to read at once */
const mnist = (name: string, count: number): string => {
  const path = join(folder, name)
  mkdirSync(path, { recursive: true })
  for (const part of ["train", "t10k"]) {
    const labels = Uint8Array.from({ length: count }, (_, i) => i % 10)
    const images = Uint8Array.from(
      { length: count * 784 },
      (_, i) => ((Math.floor(i / 784) % 10) * 31 + (i % 784)) % 256,
    )
    writeFileSync(join(path, `${part}-images-idx3-ubyte`), Idx.encode({ shape: [count, 28, 28], data: images }))
    writeFileSync(join(path, `${part}-labels-idx1-ubyte`), Idx.encode({ shape: [count], data: labels }))
  }
  return path
}
const data = mnist("data", 60)
const short = mnist("short", 60)
truncateSync(join(short, "train-images-idx3-ubyte"), 1000)
const small = ["--data-folder", data, "--epochs", "2", "--batch-size", "20", "--device", "wasm", "--threads", "1"]

describe("effect-nn", () => {
  it("trains, says what ran and where it wrote, and evaluates what it wrote to the same accuracy", async () => {
    const out = join(folder, "lenet")
    const trained = await run("train", ...small, "--lr", "0.01", "--out", out)
    assert.strictEqual(trained.err, "")
    assert.strictEqual(trained.code, 0)
    assert.match(trained.out, /^device {2}wasm: .*1 thread/m)
    assert.match(trained.out, /^layer1\.conv1 +conv2d\(1, 6\) +N×6×28×28 +60 /m)
    assert.match(trained.out, /^epoch 1\/2, step 1\/3, loss /m)
    const epochs = trained.out.match(
      /^epoch \d, loss \d+\.\d{4}, train acc \d\.\d{3}, test acc \d\.\d{3}, time \d+\.\d sec$/gm,
    )
    assert.strictEqual(epochs?.length, 2)
    assert.include(trained.out, join(out, "model.safetensors"))
    assert.include(trained.out, join(out, "log.jsonl"))
    const log = readFileSync(join(out, "log.jsonl"), "utf8").trim().split("\n")
    assert.strictEqual(log.filter((line) => !line.includes('"event":"Checkpoint"')).length, 1 + 2 * (3 + 3))

    const accuracy = /test acc (\d\.\d{3})/.exec(epochs?.[1] ?? "")?.[1]
    const evaluated = await run("evaluate", "--run", out, "--data-folder", data, "--device", "reference", "--json")
    assert.strictEqual(evaluated.code, 0)
    const figures: { readonly accuracy: number; readonly model: string } = JSON.parse(evaluated.out)
    assert.strictEqual(figures.model, "lenet")
    assert.strictEqual(figures.accuracy.toFixed(3), accuracy)
    const plain = await run(
      "evaluate",
      "--weights",
      join(out, "model.safetensors"),
      "--data-folder",
      data,
      "--device",
      "wasm",
    )
    assert.match(plain.out, /^MNIST test: 60 images, loss \d+\.\d{4}, acc \d\.\d{4}, time \d+\.\d sec$/m)

    // a file that was cut short is told, not used
    const cut = join(folder, "cut.safetensors")
    copyFileSync(join(out, "model.safetensors"), cut)
    truncateSync(cut, 5000)
    const refused = await run("evaluate", "--weights", cut, "--model", "lenet", "--data-folder", data)
    assert.strictEqual(refused.code, 1)
    assert.match(
      refused.err,
      /^effect-nn: .*cut\.safetensors ends after 5000 bytes where 247\d+ are needed: it was cut short[^\n]*\n$/,
    )
    const other = await run("evaluate", "--run", out, "--model", "tinyvgg", "--data-folder", data, "--device", "wasm")
    assert.match(other.err, /^effect-nn: .*model\.safetensors holds the parameters of lenet, not of tinyvgg[^\n]*\n$/)
  }, 60_000)

  it("every optimizer and every schedule trains, and a flag that means nothing is told", async () => {
    const kinds = [
      [[], "adam, lr 0.001,"],
      [["--optimizer", "adamw", "--schedule", "cosine"], "adamw, lr 0.001 (cosine),"],
      [["--optimizer", "sgd", "--momentum", "0.9", "--schedule", "one-cycle"], "sgd, lr 0.001 (one-cycle),"],
      [
        ["--optimizer", "rmsprop", "--momentum", "0.5", "--schedule", "exponential"],
        "rmsprop, lr 0.001 (exponential),",
      ],
      [["--optimizer", "adagrad", "--weight-decay", "0.1", "--schedule", "step"], "adagrad, lr 0.001 (step),"],
    ] as const
    for (const [flags, says] of kinds) {
      const { code, out, err } = await run("train", ...small, ...flags, "--out", join(folder, "kinds"))
      assert.deepStrictEqual([code, err], [0, ""])
      assert.include(out, says)
    }
    const rates = readFileSync(join(folder, "kinds", "log.jsonl"), "utf8").match(/(?<="learningRate":)[^,]+/g)
    assert.deepStrictEqual(
      rates?.map((rate) => Number(rate).toFixed(6)),
      ["0.001000", "0.001000", "0.000100", "0.000100", "0.000010", "0.000010"],
    )
    const refused = await run("train", ...small, "--momentum", "0.9")
    assert.strictEqual(refused.code, 1)
    assert.strictEqual(refused.err, "effect-nn: adam takes no --momentum; the optimizers that do are sgd, rmsprop\n")
  }, 60_000)

  it("prints one JSON object per line, and the same numbers for the same seed", async () => {
    const once = (seed: string, name: string) =>
      run("train", ...small, "--json", "--seed", seed, "--out", join(folder, name))
    const [a, b, c] = [await once("7", "a"), await once("7", "b"), await once("8", "c")]
    interface Line {
      readonly event: string
      readonly loss?: number
    }
    const lines = (ran: Ran) =>
      ran.out
        .trim()
        .split("\n")
        .map((line): Line => JSON.parse(line))
    const epoch = ["Step", "Step", "Step", "EpochEnd", "Saved", "Evaluation"]
    const told = lines(a).map((l) => l.event)
    assert.deepStrictEqual(
      told.filter((event) => event !== "Checkpoint"),
      ["Model", "Start", ...epoch, ...epoch, "Done"],
    )
    assert.isAtLeast(told.length, 2 + 2 * (epoch.length + 1) + 1)
    const losses = (ran: Ran) => lines(ran).flatMap((l) => (l.event === "Step" ? [l.loss] : []))
    assert.deepStrictEqual(losses(a), losses(b))
    assert.notDeepEqual(losses(a), losses(c))
    const parameters = (name: string) => readFileSync(join(folder, name, "model.safetensors"))
    assert.isTrue(parameters("a").equals(parameters("b")))
  }, 60_000)

  it("goes on from a checkpoint to the same bytes, and refuses one of another run", async () => {
    const [whole, resumed] = [join(folder, "whole"), join(folder, "resumed")]
    const flags = [...small, "--optimizer", "adamw"]
    await run("train", ...flags, "--out", whole)
    const first = flags.map((flag, i) => (flags[i - 1] === "--epochs" ? "1" : flag))
    await run("train", ...first, "--out", resumed)
    const { code, out, err } = await run("train", ...flags, "--resume", "--out", resumed)
    assert.deepStrictEqual([code, err], [0, ""])
    assert.match(out, /^resumed .*step-00000003\.safetensors: epoch 1, 3 of its steps done, 3 of the run's$/m)
    const parameters = (path: string) => readFileSync(join(path, "model.safetensors"))
    assert.isTrue(parameters(resumed).equals(parameters(whole)))
    const refused = await run("train", ...flags, "--resume", "--seed", "1", "--out", resumed)
    assert.strictEqual(refused.code, 1)
    assert.match(refused.err, /^effect-nn: the checkpoint .* is of another run: its [^\n]+\n$/)
    const nothing = await run("train", ...flags, "--resume", "--out", join(folder, "nothing"))
    assert.match(nothing.err, /^effect-nn: there is no .*run\.json; name a folder that train wrote\n$/)
  }, 120_000)

  it("an interruption ends it cleanly: what was trained is saved and said, exit code 130", async () => {
    const out = join(folder, "interrupted")
    const args = ["train", "--data-folder", data, "--epochs", "100000", "--batch-size", "20", "--json"]
    const child = spawn(process.execPath, [cli, ...args, "--device", "wasm", "--out", out])
    let text = ""
    let err = ""
    child.stderr.on("data", (chunk) => (err += String(chunk)))
    child.stdout.on("data", (chunk) => {
      if (!text.includes('"Step"') && String(chunk).includes('"Step"')) child.kill("SIGINT")
      text += String(chunk)
    })
    const code = await new Promise((resolve) => child.on("exit", resolve))
    assert.strictEqual(err, "")
    assert.strictEqual(code, 130)
    assert.isTrue(existsSync(join(out, "model.safetensors")))
    const last: { readonly event: string } = JSON.parse(text.trim().split("\n").at(-1) ?? "")
    assert.include(["Saved", "Step", "EpochEnd", "Evaluation"], last.event)
  }, 60_000)

  it("goes on when nobody reads its output any more", async () => {
    const out = join(folder, "unread")
    const child = spawn(process.execPath, [cli, "train", ...small, "--json", "--out", out])
    let err = ""
    child.stderr.on("data", (chunk) => (err += String(chunk)))
    child.stdout.once("data", () => child.stdout.destroy())
    const code = await new Promise((resolve) => child.on("exit", resolve))
    assert.strictEqual(err, "")
    assert.strictEqual(code, 0)
    assert.isTrue(existsSync(join(out, "model.safetensors")))
  }, 60_000)

  it("summary and devices", async () => {
    const table = await run("summary", "--model", "lenet")
    assert.match(table.out, /total +61,610/)
    const { out } = await run("summary", "lenet", "--json")
    const summary = JSON.parse(out)
    assert.strictEqual(summary.totalParams, 61_610)
    assert.strictEqual(summary.trainableParams, 61_610)
    assert.deepStrictEqual(summary.layers[0], {
      name: "layer1.conv1",
      kind: "conv2d",
      outputShape: ["N", 6, 28, 28],
      parameters: 60,
      multiplyAdds: 42_336,
    })
    const printed = await run("summary", "lenet", "--style", "pytorch")
    assert.match(printed.out, /^LeNet\(\n  \(layer1\): Sequential\(\n    \(conv1\): Conv2d\(1, 6, /)
    const reference = await run("devices", "--device", "reference", "--json")
    assert.strictEqual(JSON.parse(reference.out).runs, true)
  }, 60_000)

  it.each(["train", "evaluate", "summary", "devices"])("%s has --help, --device, --seed, --json", async (command) => {
    const { code, out } = await run(command, "--help")
    assert.strictEqual(code, 0)
    for (const flag of ["--device", "--seed", "--json", "--help"]) assert.include(out, flag)
  })

  it.each([
    [
      ["train", "--modle", "lenet"],
      "there is no flag --modle; did you mean --model? (effect-nn train --help lists what there is)",
    ],
    [["trian"], "there is no command trian; did you mean train? (effect-nn --help lists what there is)"],
    [
      ["train", "--epochs", "0"],
      "--epochs is 0, it must be a whole number of at least 1 (effect-nn train --help lists what there is)",
    ],
    [["train", "--lr", "fast"], "--lr is fast, it must be a number (effect-nn train --help lists what there is)"],
    [
      ["train", "--optimizer", "x"],
      "--optimizer is x, it must be one of adam, adamw, sgd, rmsprop, adagrad (effect-nn train --help lists what there is)",
    ],
    [["train", "--model", "lenat"], `there is no model lenat; the models are ${Object.keys(Nn.zoo).join(", ")}`],
    [
      ["train", "--device", "reference", "--threads", "2"],
      "--threads is an option of the device wasm, reference has none",
    ],
    [
      ["train", "--data-folder", "/nowhere"],
      "/nowhere not found in the file system; make it and put train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte there, or name no folder",
    ],
    [
      ["train", "--data-folder", short],
      `${short}/train-images-idx3-ubyte ends after 1000 bytes, but its header promises 47056: it was cut short; fetch the file again, or name another folder`,
    ],
    [["evaluate"], "nothing to evaluate: give --run with the folder of a run, or --weights with a safetensors file"],
    [
      ["evaluate", "--run", "/nowhere"],
      "/nowhere/model.safetensors cannot be read (it does not exist); check the path and its permissions",
    ],
    [["evaluate", "--weights", join(data, "train-labels-idx1-ubyte")], undefined],
    [["train", ...small, "--out", "/dev/null/x"], undefined],
    // where Node's own way of making folders never returns
    [["train", ...small, "--out", "/proc/nowhere"], undefined],
    [
      ["train", "lenet"],
      "lenet stands alone: everything is named by a flag, as in --model lenet (effect-nn train --help lists what there is)",
    ],
  ])(
    "%j is refused in one sentence",
    async (args, sentence) => {
      const { code, err } = await run(...args)
      assert.strictEqual(code, 1)
      assert.match(err, /^effect-nn: [^\n]+\n$/)
      assert.notMatch(err, /\bat .*\.ts:\d+/)
      if (sentence !== undefined) assert.strictEqual(err, `effect-nn: ${sentence}\n`)
    },
    30_000,
  )
})
