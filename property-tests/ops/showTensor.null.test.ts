/** Tensors as PyTorch 1.13.1 printed them. */
import { readFileSync } from "node:fs"
import { expect, test } from "vitest"
import * as HostTensor from "../../src/ops/HostTensor.ts"

interface Case {
  readonly shape: ReadonlyArray<number>
  /** numbers, or "nan" and the like; "halves" for 0, 0.5, 1, … */
  readonly data: ReadonlyArray<number | string> | "halves"
  readonly text: string
}
const cases: ReadonlyArray<Case> = JSON.parse(readFileSync(new URL("printed.json", import.meta.url), "utf8"))
const number = (x: number | string): number =>
  x === "inf" ? Number.POSITIVE_INFINITY : x === "-inf" ? Number.NEGATIVE_INFINITY : Number(x)

test.each(cases.map((c) => [c.shape.join("×"), c] as const))("a tensor of %s", (_, { shape, data, text }) => {
  const n = shape.reduce((a, b) => a * b, 1)
  const numbers = data === "halves" ? Array.from({ length: n }, (_, i) => i / 2) : data.map(number)
  expect(HostTensor.show(HostTensor.make(shape, numbers))).toBe(text)
})
