/** The integers as types against JavaScript's: thousands of generated cases, decided by the compiler in one run. */
import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import * as fc from "fast-check"
import { expect, test } from "vitest"
import { window } from "../../src/shapes/index.ts"

const seed = 20240229
const root = resolve(import.meta.dirname, "../..")

/** compiles the text beside the sources' types and returns the compiler's lines */
const compile = (text: string): ReadonlyArray<string> => {
  const folder = mkdtempSync(join(tmpdir(), "effect-nn-int-"))
  const file = join(folder, "cases.ts")
  writeFileSync(file, text)
  const options = "--ignoreConfig --noEmit --strict --target esnext --module esnext --moduleResolution bundler"
  try {
    const tsc = join(root, "node_modules/typescript/bin/tsc")
    const args = [
      ...options.split(" "),
      "--lib",
      "es2023",
      "--types",
      "",
      "--allowImportingTsExtensions",
      "--pretty",
      "false",
    ]
    execFileSync(process.execPath, [tsc, ...args, file], { encoding: "utf8", stdio: "pipe" })
    return []
  } catch (error) {
    const { stdout } = error as { readonly stdout: string } // what execFileSync throws when the exit status is not 0
    return stdout.split("\n").filter((line) => line.includes("error"))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const header = (names: string): string =>
  `import type { ${names} } from ${JSON.stringify(join(root, "src/shapes/int.ts"))}
type Is<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false
declare const all: <T extends true>() => void\n`

const special = [0, 1, 2, 3, 7, 9, 10, 11, 99, 100, 101, 512, 4096, 9216, 65535, 999999, 1000000]
const pairs = (top: number, count: number): ReadonlyArray<readonly [number, number]> =>
  fc.sample(fc.tuple(fc.nat(top), fc.nat(top)), { seed, numRuns: count })
const specials = special.flatMap((a) => special.map((b) => [a, b] as const))
const order = (a: number, b: number): string => (a < b ? `"<"` : a > b ? `">"` : `"="`)

test("sum, difference, product, quotient, remainder and order agree with JavaScript", { timeout: 60_000 }, () => {
  const cases: ReadonlyArray<string> = [
    ...[...specials, ...pairs(9_999, 150), ...pairs(4_000_000_000, 100)].flatMap(([a, b]) => [
      `Is<Add<${a}, ${b}>, ${a + b}>`,
      `Is<Sub<${a}, ${b}>, ${a < b ? "never" : a - b}>`,
      `Is<FloorDiv<${a}, ${b}>, ${b === 0 ? "never" : Math.floor(a / b)}>`,
      `Is<Mod<${a}, ${b}>, ${b === 0 ? "never" : a % b}>`,
      `Is<Cmp<${a}, ${b}>, ${order(a, b)}>`,
    ]),
    ...[...specials, ...pairs(9_999, 150), ...pairs(9_000_000, 100)].map(([a, b]) => `Is<Mul<${a}, ${b}>, ${a * b}>`),
    `Is<Add<9007199254740990, 1>, 9007199254740991>`,
    `Is<Add<9007199254740991, 2>, number>`,
    `Is<Mul<9007199254740991, 10>, number>`,
    `Is<Add<number, 3>, number>`,
    `Is<Mul<0, number>, number>`,
    `Is<Add<1 | 2, 3>, 4 | 5>`,
    `Is<Mul<4 | 12, 3 | 5>, 12 | 20 | 36 | 60>`,
  ]
  expect(cases.length).toBeGreaterThan(3000)
  const wrong = compile(header("Add, Cmp, FloorDiv, Mod, Mul, Sub") + cases.map((c) => `all<${c}>()`).join("\n"))
  expect(wrong).toEqual([])
})

test("the sliding window as a type agrees with the value", { timeout: 60_000 }, () => {
  const windows = fc.sample(
    fc
      .tuple(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 5 }))
      .chain(([n, k, s]) =>
        fc.tuple(fc.constant([n, k, s] as const), fc.nat(6), fc.integer({ min: 1, max: 3 }), fc.boolean()),
      ),
    { seed, numRuns: 800 },
  )
  const cases = windows.map(([[n, kernelSize, stride], padding, dilation, ceilMode]) => {
    const w = window(n, { kernelSize, stride, padding, dilation, ceilMode })
    return `all<Is<Slide<${n}, ${kernelSize}, ${stride}, ${padding}, ${dilation}, ${ceilMode}>, ${typeof w === "number" ? w : "null"}>>()`
  })
  const text = header("Add").replace("{ Add }", "{ Slide }").replace("int.ts", "window.ts") + cases.join("\n")
  expect(compile(text)).toEqual([])
})

test("a wrong case is found", { timeout: 60_000 }, () => {
  expect(compile(`${header("Add")}all<Is<Add<2, 2>, 5>>()`)).toHaveLength(1)
})
