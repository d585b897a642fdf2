/** Everything of gpu.js's that is used and not promised, held against the version that is installed. */
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { assert, describe, it } from "@effect/vitest"
import {
  backendOf,
  build,
  type KernelSettings,
  load,
  otherBackend,
  viewTexture,
} from "../../../src/gpu/gpujs/internals.ts"

const settings = (types: ReadonlyArray<string>, pipeline: boolean): KernelSettings => ({
  output: [3],
  argumentTypes: types,
  pipeline,
  immutable: false,
  precision: "single",
  returnType: "Number",
  fixIntegerDivisionAccuracy: false,
  loopMaxIterations: 1000,
  tactic: "precision",
})
const source = "function (x0) {\n  return x0[this.thread.x] + 1;\n}"

describe("gpu.js", () => {
  it("is the version whose insides are known", () => {
    const require = createRequire(import.meta.url)
    const file = require.resolve("gpu.js").replace(/src\/index\.js$/, "package.json")
    assert.strictEqual((JSON.parse(readFileSync(file, "utf8")) as { version: string }).version, "2.24.1")
  })

  it("says which backend runs by the class of its kernel, also after falling back", async () => {
    const library = await load()
    for (const mode of ["cpu", "webasm"] as const) {
      const kernel = new library.GPU({ mode }).createKernel(source, settings(["Input"], false))
      const given = library.input(Float32Array.of(1, 2, 3), [3, 1, 1])
      build(kernel, [given])
      assert.strictEqual(backendOf(library, kernel), mode)
      assert.isUndefined(otherBackend(library, kernel, mode))
      assert.match(otherBackend(library, kernel, "webgpu") ?? "", new RegExp(`in mode ${mode} instead of webgpu`))
      assert.deepStrictEqual([...(kernel(given) as Float32Array)], [2, 3, 4])
      kernel.destroy()
    }
    // webasm has no textures: gpu.js goes to cpu with a warning, and we see it
    const kernel = new library.GPU({ mode: "webasm" }).createKernel(source, settings(["NumberTexture"], false))
    const { warn } = console
    console.warn = () => {}
    try {
      build(kernel, [Float32Array.of(1, 2, 3)])
    } finally {
      console.warn = warn
    }
    assert.match(otherBackend(library, kernel, "webasm") ?? "", /in mode cpu instead of webasm \(argument/)
  })

  it("takes a copy of a texture with other dimensions for one of its class", () => {
    class Texture {
      readonly type = "NumberTexture"
      readonly dimensions = [6, 1, 1]
      readonly output = [6]
      toArray() {
        return [1]
      }
      delete() {}
    }
    const texture = new Texture()
    const view = viewTexture(texture, [3, 2, 1])
    assert.strictEqual(view.constructor, Texture)
    assert.deepStrictEqual(
      [view.dimensions, view.output, texture.dimensions],
      [
        [3, 2, 1],
        [3, 2, 1],
        [6, 1, 1],
      ],
    )
  })
})
