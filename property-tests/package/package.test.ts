/**
 * The package as its users get it: packed, installed into an empty project, compiled by three compilers without
 * `skipLibCheck`, and run.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import * as P from "./Project.ts"

let project: P.Project
beforeAll(() => {
  project = P.install()
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
