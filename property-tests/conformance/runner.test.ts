/** The runner of reference cases, on folders made here: what agrees, what does not, and what is said. */
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import * as Effect from "effect/Effect"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import * as Reference from "../../src/gpu/reference/Reference.ts"
import type { Case, Cases, Tensor } from "./Cases.ts"
import { type Report, runCases } from "./run.ts"
import { difference } from "./Verdict.ts"

const tensor = (shape: Array<number>, ...data: ReadonlyArray<number>): Tensor => ({
  shape,
  data: Float32Array.from(data),
})

/** `relu` of (−1, 2), with the fields of the case that a test changes */
const relu = (more: object, tensors: Readonly<Record<string, Tensor>> = {}) => {
  const c = { name: "r", kind: "op", op: "relu", attrs: {}, inputs: ["x"], outputs: ["y"], grads: ["x"], tol: 1e-5 }
  const all: Readonly<Record<string, Tensor>> = {
    "r/x": tensor([2], -1, 2),
    "r/y": tensor([2], 0, 2),
    "r/dy": tensor([2], 5, 7),
    "r/dx": tensor([2], 0, 7),
    ...tensors,
  }
  const cases: Cases = {
    // the fields are those of an op's case, whatever a test makes of them
    cases: [{ ...c, cotangent: "dy", ...more } as Case],
    tensor: (name) => {
      const found = all[name]
      if (found === undefined) throw new Error(`tensors.safetensors has no ${name}`)
      return found
    },
  }
  return cases
}

const verdictOf = async (cases: Cases) => {
  const reports: Array<Report> = []
  await Effect.runPromise(runCases(cases, (r) => reports.push(r)).pipe(Effect.provide(Reference.layer)))
  expect(reports).toHaveLength(1)
  return reports[0]?.verdict
}

describe("a case", () => {
  it("passes where output and gradient agree", async () => {
    expect(await verdictOf(relu({}))).toEqual({ _tag: "Passed" })
  })

  it("fails where the output does not, and says which", async () => {
    const verdict = await verdictOf(relu({}, { "r/y": tensor([2], 0, 2.5) }))
    expect(verdict).toMatchObject({ _tag: "Failed", why: expect.stringContaining("number 1 is 2, the reference 2.5") })
  })

  it("fails where the gradient does not, and where the shape does not", async () => {
    expect(await verdictOf(relu({}, { "r/dx": tensor([2], 5, 7) }))).toMatchObject({
      _tag: "Failed",
      why: expect.stringMatching(/^dx differs/),
    })
    expect(await verdictOf(relu({}, { "r/y": tensor([1, 2], 0, 2) }))).toMatchObject({
      _tag: "Failed",
      why: "y has shape [2], the reference [1, 2]",
    })
  })

  it("fails where the folder lacks a tensor", async () => {
    expect(await verdictOf(relu({ name: "s" }))).toEqual({
      _tag: "Failed",
      why: "tensors.safetensors has no s/x",
    })
  })

  it.each([
    [{ op: "erosion2d" }, "the op erosion2d"],
    [{ op: "toString" }, "the op toString"],
    [{ op: "dropout" }, "the op dropout"],
    [{ attrs: { inplace: true } }, "the attribute inplace"],
    [{ op: "elu", attrs: { alpha: "one" } }, 'alpha = "one"'],
    [{ op: "softmax", attrs: {} }, "no dim"],
    [{ op: "layerNorm", inputs: ["x", "scale"] }, "the input scale"],
    [{ op: "mseLoss" }, "mseLoss without target"],
    [{ outputs: ["y", "indices"] }, "the output indices"],
    [{ kind: "riddle" }, "cases of the kind riddle"],
    [{ kind: "schedule", schedule: "sawtooth" }, "the schedule sawtooth"],
    [{ kind: "optimizer", optimizer: "hope", params: [] }, "the optimiser hope"],
    [{ kind: "optimizer", optimizer: "sgd", attrs: { lr: 1, warmth: true } }, "the attribute warmth"],
    [{ kind: "model", model: "oracle" }, "the model oracle"],
    [
      { kind: "training", model: "lenet", input: { shape: [1] }, steps: 1, targets: "by dice" },
      "targets by the rule by dice",
    ],
  ])("of what we do not have is not supported: %j", async (more, what) => {
    const tensors = { "r/scale": tensor([2], 1, 1) }
    expect(await verdictOf(relu(more, tensors))).toEqual({ _tag: "NotSupported", what })
  })
})

describe("a large model", () => {
  it("is not run where computing is slow, and that is said", async () => {
    const verdict = await verdictOf(relu({ kind: "model", model: "alexnet", input: { shape: [2, 3, 224, 224] } }))
    expect(verdict).toEqual({
      _tag: "NotSupported",
      what: "it takes 4e+9 multiply-adds, too many for reference here; with --large it is run",
    })
  })
})

describe("agreement", () => {
  const reference = tensor([3], 100, Number.NaN, Number.POSITIVE_INFINITY)
  it("is within the tolerance of the largest number, whatever stands where the reference has NaN", () => {
    expect(difference("y", tensor([3], 100.9, 3, Number.POSITIVE_INFINITY), reference, 0.01)).toBeUndefined()
    expect(difference("y", tensor([3], 101.1, Number.NaN, Number.POSITIVE_INFINITY), reference, 0.01)).toBeDefined()
  })
  it("ends with a NaN that the reference does not have, and with another infinity", () => {
    expect(difference("y", tensor([3], Number.NaN, 0, Number.POSITIVE_INFINITY), reference, 0.01)).toBeDefined()
    expect(difference("y", tensor([3], 100, 0, Number.NEGATIVE_INFINITY), reference, 0.01)).toBeDefined()
    expect(difference("y", tensor([3], 100, 0, 3e38), reference, 0.01)).toBeDefined()
  })
})

describe("the command", () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "conformance-"))
    writeFileSync(join(folder, "cases.json"), `{"cases": [`)
    writeFileSync(join(folder, "tensors.safetensors"), "short")
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const root = resolve(import.meta.dirname, "../..")
  const golden = join(import.meta.dirname, "golden")
  const run = (...args: ReadonlyArray<string>) =>
    spawnSync(process.execPath, [join(root, "scripts/conformance.ts"), ...args], { cwd: root, encoding: "utf8" })

  it("counts, and says what is not supported", () => {
    const { status, stdout } = run(golden, "--device", "reference", "--only", "optimizer/")
    expect(stdout).toMatch(/\d+ passed, 0 failed, \d+ not supported\n$/)
    expect(status).toBe(0)
  })

  it("with --all counts what is not supported as a failure", () => {
    const only = ["--device", "reference", "--only", "schedule/"]
    const supported = run(golden, ...only).stdout.endsWith(" 0 not supported\n")
    expect(run(golden, ...only, "--all").status).toBe(supported ? 0 : 1)
  })

  it.each([
    ["no folder", [], /^conformance: give one folder of reference cases/],
    ["a folder that is not there", ["nowhere"], /^conformance: nowhere is no folder of reference cases: .*ENOENT/],
    [
      "a device that is none",
      [golden, "--device", "abacus"],
      /^conformance: there is no device abacus; the devices are/,
    ],
    ["a flag that is none", [golden, "--fast"], /^conformance: .*--fast/],
    ["--plain where nothing is tuned", [golden, "--device", "reference", "--plain"], /^conformance: --plain is for/],
    ["a pattern of no case", [golden, "--only", "zebra"], /has no case whose name contains zebra/],
  ])("refuses %s in one sentence", (_, args, sentence) => {
    const { status, stderr, stdout } = run(...args)
    expect(stderr).toMatch(sentence)
    expect(stderr.trimEnd().split("\n")).toHaveLength(1)
    expect(stdout).toBe("")
    expect(status).toBe(1)
  })

  it("refuses JSON that is none in one sentence", () => {
    const { status, stderr } = run(folder)
    expect(stderr).toMatch(/is no folder of reference cases: cases\.json is no JSON/)
    expect(stderr.trimEnd().split("\n")).toHaveLength(1)
    expect(status).toBe(1)
  })
})
