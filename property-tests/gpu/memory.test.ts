import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { aligned, alignment, arrange, lifetimes, type Need } from "../../src/gpu/memory.ts"
import type { Plan } from "../../src/gpu/Plan.ts"
import { makeHeap, pageBytes } from "../../src/gpu/wasm/heap.ts"

const need = fc
  .tuple(fc.integer({ min: 0, max: 5000 }), fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 10 }))
  .map(([bytes, first, length]): Need => ({ bytes, first, last: first + length }))

const meet = (a: Need, b: Need) => a.first <= b.last && b.first <= a.last

describe("the memory plan", () => {
  it("never gives two needs that are alive together the same byte, and aligns all", () => {
    fc.assert(
      fc.property(fc.array(need, { maxLength: 40 }), (needs) => {
        const { offsets, bytes } = arrange(needs)
        const ranges = needs.map((n, i) => ({ n, from: offsets[i] ?? 0, to: (offsets[i] ?? 0) + n.bytes }))
        ranges.forEach((a, i) => {
          assert.strictEqual(a.from % alignment, 0)
          assert.isAtMost(a.to, bytes)
          ranges.slice(i + 1).forEach((b) => {
            if (meet(a.n, b.n)) assert(a.to <= b.from || b.to <= a.from || a.n.bytes === 0 || b.n.bytes === 0)
          })
        })
      }),
      { numRuns: 300 },
    )
  })

  it("takes no more than all together, and no less than what is alive at once", () => {
    fc.assert(
      fc.property(fc.array(need, { maxLength: 40 }), (needs) => {
        const { bytes } = arrange(needs)
        assert.isAtMost(
          bytes,
          needs.reduce((n, x) => n + aligned(x.bytes), 0),
        )
        for (let step = 0; step <= 30; step++) {
          const alive = needs.filter((x) => x.first <= step && step <= x.last)
          assert.isAtLeast(
            bytes,
            alive.reduce((n, x) => n + aligned(x.bytes), 0),
          )
        }
      }),
      { numRuns: 300 },
    )
  })

  it("lets a chain of temporaries take turns in two places", () => {
    const needs = Array.from({ length: 10 }, (_, i): Need => ({ bytes: 1024, first: i, last: i + 1 }))
    assert.strictEqual(arrange(needs).bytes, 2048)
  })

  it("takes no more than is alive at once where the largest first would", () => {
    const needs: ReadonlyArray<Need> = [
      { bytes: 256, first: 0, last: 0 },
      { bytes: 640, first: 2, last: 2 },
      { bytes: 512, first: 0, last: 2 },
      { bytes: 512, first: 0, last: 1 },
    ]
    assert.strictEqual(arrange(needs).bytes, 1280)
  })

  it("keeps inputs from the start, outputs to the end, constants always and state elsewhere", () => {
    const relu = { _tag: "Kernel", name: "k", space: [4], inputs: [[4]], stores: [] } as const
    const buffer = (role: Plan["buffers"][number]["role"]) => ({ shape: [4], role })
    const plan: Plan = {
      name: "chain",
      buffers: [
        buffer({ _tag: "Input", slot: 0 }),
        buffer({ _tag: "Temp" }),
        buffer({ _tag: "Output", slot: 0 }),
        buffer({ _tag: "Constant", data: new Float32Array(4) }),
        buffer({ _tag: "State", slot: 0 }),
        buffer({ _tag: "Temp" }),
      ],
      steps: [
        { code: relu, inputs: [4], outputs: [1] },
        { code: relu, inputs: [0], outputs: [2] },
        { code: relu, inputs: [1], outputs: [4] },
        { code: relu, inputs: [3], outputs: [4] },
      ],
    }
    assert.deepStrictEqual(lifetimes(plan), [
      { bytes: 16, first: 0, last: 1 },
      { bytes: 16, first: 0, last: 2 },
      { bytes: 16, first: 1, last: 3 },
      { bytes: 16, first: 0, last: 3 },
      undefined,
      undefined,
    ])
  })
})

describe("the heap", () => {
  it("never gives a byte twice, reuses what is freed, and comes back to where it began", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(100_000)), { maxLength: 80 }), (moves) => {
        let pages = 1
        const heap = makeHeap(200, (wanted) => {
          pages = Math.max(pages, wanted)
          return wanted <= 200
        })
        const all = heap.available()
        const held: Array<{ readonly at: number; readonly bytes: number }> = []
        for (const [take, size] of moves) {
          if (take || held.length === 0) {
            const before = heap.available()
            const at = heap.allocate(size)
            assert.strictEqual(at === undefined, aligned(Math.max(1, size)) > before)
            if (at === undefined) continue
            assert.strictEqual(at % alignment, 0)
            assert.isAtLeast(at, pageBytes)
            assert.isAtMost(at + size + pageBytes, pages * pageBytes)
            for (const h of held) assert(at + size <= h.at || h.at + h.bytes <= at || size === 0 || h.bytes === 0)
            held.push({ at, bytes: size })
          } else {
            const [gone] = held.splice(size % held.length, 1)
            if (gone !== undefined) heap.free(gone.at, gone.bytes)
          }
        }
        for (const h of held) heap.free(h.at, h.bytes)
        assert.strictEqual(heap.available(), all)
      }),
      { numRuns: 200 },
    )
  })
})
