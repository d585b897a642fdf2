/**
 * The package as its users get it: packed, installed into an empty project, compiled by three compilers without
 * `skipLibCheck`, and run.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import * as P from "./Project.ts"

let project: P.Project
beforeAll(() => {
  project = P.install()
  // what the runs below execute; whether it compiles is a test of its own
  P.compile(project, "7.0.2")
})
afterAll(() => project?.remove())

const compilers = Object.keys(P.compilers) as ReadonlyArray<P.Compiler>

describe("declarations", () => {
  it("name no type that a user does not have", () => {
    const foreign =
      /gpu\.js|@webgpu\/types|\bGPU(Device|Buffer|Adapter|Queue|Texture|CommandEncoder|ComputePipeline)\b|types="node"|from "node:|platform-node/
    const found = P.installed(project, "dist").flatMap(({ path, text }) =>
      path === "cli.d.ts"
        ? []
        : text.split("\n").flatMap((line, i) => {
            const code = line.replace(/^\s*(\/?\*|\/\/(?!\/)).*$/, "")
            return foreign.test(code) ? [`${path}:${i + 1} ${line.trim()}`] : []
          }),
    )
    expect(found).toEqual([])
  })
})

describe.each(compilers)("TypeScript %s", (compiler) => {
  it("compiles the project", () => {
    expect(P.compile(project, compiler)).toBe("")
  })

  it("refuses what does not fit, with its sentence on its line", () => {
    const { wanted, given } = P.refusals(project, compiler)
    expect(given).toEqual(wanted)
  })
})

/** what `project/src/main.ts` prints */
interface Outcome {
  readonly device: string
  readonly lenetLosses: ReadonlyArray<number>
  readonly lenetLive: number
  readonly loop: Left<ReadonlyArray<number>>
  readonly layer: Left<{ readonly shape: ReadonlyArray<number>; readonly y: ReadonlyArray<number> }>
  readonly op: Left<ReadonlyArray<string>>
  readonly wrong: ReadonlyArray<string>
}
/** what an effect gave, whether its failing twin failed, and the handles that were live afterwards */
interface Left<A> {
  readonly result: A
  readonly failed: boolean
  readonly live: { readonly succeeded: number; readonly failed: number; readonly interrupted: number }
}
const nothing = { succeeded: 0, failed: 0, interrupted: 0 }

const runs = P.engines.flatMap((engine) => ["wasm", "gpujs-webasm"].map((device) => ({ engine, device })))

describe.each(runs)("$engine.name, $device", ({ engine, device }) => {
  let outcome: Outcome
  beforeAll(() => {
    // what main.ts prints is what Outcome says
    outcome = JSON.parse(P.execute(project, engine.path, "main.js", [device])) as Outcome
  })

  it("runs on the device that was asked for", () => expect(outcome.device).toBe(device))

  it("trains twenty steps on synthetic data, and leaves nothing", () => {
    expect(outcome.lenetLosses).toHaveLength(20)
    expect(mean(outcome.lenetLosses.slice(-3))).toBeLessThan(mean(outcome.lenetLosses.slice(0, 3)) / 4)
    expect(outcome.lenetLive).toBe(0)
  })

  it("runs a loop of a user's own", () => {
    const { result, failed, live } = outcome.loop
    expect(result).toHaveLength(20)
    expect(mean(result.slice(-3))).toBeLessThan(mean(result.slice(0, 3)) * 0.8)
    expect({ failed, live }).toEqual({ failed: true, live: nothing })
  })

  it("runs a layer of a user's own", () => {
    const { result, failed, live } = outcome.layer
    expect(result.shape).toEqual([1, 1, 4, 4])
    expect(result.y).toEqual([1, 2, 10, 20, 3, 4, 30, 40, 100, 200, 1000, 2000, 300, 400, 3000, 4000])
    expect({ failed, live }).toEqual({ failed: true, live: nothing })
  })

  it("puts an op of a user's own through the laws, and a wrong gradient fails with a shrunk input", () => {
    const { result, failed, live } = outcome.op
    expect(result).toContain("softsign has the gradient of the reference")
    expect({ failed, live }).toEqual({ failed: true, live: nothing })
    expect(outcome.wrong[0]).toMatch(
      new RegExp(
        `^softsign breaks the law "has the gradient of the reference" on ${device}: along a direction, the gradient of x is .* ` +
          `but the reference changes by .*\n  smallest counterexample: x \\[1\\] = -?[\\d.]+\n  again: fast-check seed -?\\d+`,
      ),
    )
  })
})

const mean = (xs: ReadonlyArray<number>): number => xs.reduce((a, b) => a + b, 0) / xs.length
