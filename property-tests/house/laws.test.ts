/** Every op has its law file, or stands in the list of those whose laws are missing. */
import { readdirSync, readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import * as Ops from "../../src/ops/Ops.ts"

/** they are no ops of one result, and what they give is held by the laws of every op */
const covered = ["grad", "vjp"]
/** an op that shares the law file of another */
const shared: Readonly<Record<string, string>> = { sumTo: "expandTo" }
/** ops whose laws are still to be written */
const missing: ReadonlyArray<string> = []

const folder = "property-tests/ops"
const files = new Set(
  readdirSync(folder).flatMap((file) => {
    const name = /^(\w+)\.test\.ts$/.exec(file)?.[1]
    return name !== undefined && readFileSync(`${folder}/${file}`, "utf8").includes("onEveryDevice(") ? [name] : []
  }),
)

describe("every op", () => {
  it("has a law file", () => {
    const without = Object.keys(Ops).filter((name) => !covered.includes(name) && !files.has(shared[name] ?? name))
    expect(without).toEqual(missing)
  })
})
