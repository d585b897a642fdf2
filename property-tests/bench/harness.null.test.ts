/** The benchmark's own arithmetic: medians, turns, what is wrong, and the form in which it says so. */
import { describe, expect, it } from "vitest"
import { compare, type Entrant } from "../../bench/compare.ts"
import { element } from "../../bench/element.ts"
import type { Bench } from "../../bench/main.ts"
import { alternate } from "../../bench/measure.ts"
import { parseOptions } from "../../bench/options.ts"
import type { Peer } from "../../bench/peers.ts"
import { line, median, results } from "../../bench/Result.ts"
import { straightness } from "../../bench/scale.ts"
import { wrongAt } from "../../bench/contraction.ts"
import { values } from "../conformance/Cases.ts"
import { type Contraction, type Conv2d, inputShapes, outputShape } from "../../src/gpu/Contraction.ts"
import { conv2d } from "../gpu/wasm/contractionReference.ts"

const about = { suite: "step", name: "lenet training", shape: "batch 64", unit: "images/s" }

describe("results", () => {
  it.each([
    [[3], 3],
    [[5, 1, 3], 3],
    [[4, 1, 3, 2], 2.5],
  ])("the median of %j is %d", (xs, middle) => expect(median(xs)).toBe(middle))

  it("say the medians, their ratio, and how far it went", () => {
    const [one] = results(about, { name: "ours", rates: [8, 10, 12] }, [{ name: "torch", rates: [4, 5, 3] }])
    expect(one).toEqual({ ...about, ours: 10, peer: "torch", theirs: 4, ratio: 2.5, spread: [2, 4] })
    expect(Object.keys(one ?? {})).toEqual([
      "suite",
      "name",
      "shape",
      "unit",
      "ours",
      "peer",
      "theirs",
      "ratio",
      "spread",
    ])
  })

  it("compare a slow peer with ours of the same rounds, and say what it did instead", () => {
    const [one] = results(about, { name: "ours", rates: [8, 100, 100] }, [
      { name: "tfjs-cpu", rates: [4], note: "batch 1" },
    ])
    expect(one).toMatchObject({ ours: 8, theirs: 4, ratio: 2, shape: "batch 64 (tfjs-cpu: batch 1)" })
  })

  it("have no peer where only ours ran", () => {
    expect(results(about, { name: "ours", rates: [1, 3] }, [])).toEqual([
      { ...about, ours: 2, peer: null, theirs: null, ratio: null, spread: [1, 3] },
    ])
  })

  it("say wrong instead of a number", () => {
    const [one] = results(about, { name: "ours", rates: "wrong" }, [{ name: "torch", rates: [1] }])
    expect(one).toMatchObject({ ours: "wrong", theirs: 1, ratio: null })
    expect(one === undefined ? "" : line(one)).toContain("wrong")
  })
})

describe("measuring", () => {
  /** a contender of a fixed speed, which writes down its turns */
  const fake = (name: string, ms: number, turns: Array<string>) => ({
    name,
    work: 2,
    run: async (n: number) => {
      turns.push(name)
      return n * ms
    },
  })

  it("takes turns, and gives work per second", async () => {
    const turns: Array<string> = []
    const rates = await alternate([fake("a", 10, turns), fake("b", 40, turns)], {
      rounds: 3,
      leastMs: 10,
      warmMs: 10,
      budgetMs: 1e6,
    })
    expect(turns.slice(-6)).toEqual(["a", "b", "a", "b", "a", "b"])
    expect(rates).toEqual([
      [200, 200, 200],
      [50, 50, 50],
    ])
  })

  it("leaves out who has used too much", async () => {
    const turns: Array<string> = []
    const rates = await alternate([fake("a", 10, turns), fake("b", 500, turns)], {
      rounds: 4,
      leastMs: 10,
      warmMs: 10,
      budgetMs: 900,
    })
    expect(rates.map((r) => r.length)).toEqual([4, 2])
  })
})

describe("comparing", () => {
  const ours: Entrant = { name: "ours", work: 1, run: async (n) => n, wrong: async () => false }
  const peer = (over: Partial<Peer>): Peer => ({
    name: "tfjs-cpu",
    description: "",
    prepare: async () => ({ ms: 1 }),
    run: async (n) => n * 2,
    values: async (at) => ({ values: at.map(() => 1), iterations: 3 }),
    losses: async () => [],
    drop: async () => {},
    stop: () => {},
    ...over,
  })
  const bench = (peers: ReadonlyArray<Peer>, notes: Array<string> = []): Bench => ({
    // a comparison looks at nothing else
    options: { quick: true } as Bench["options"],
    ours: undefined as never,
    peers,
    effort: { rounds: 1, leastMs: 1, warmMs: 1, budgetMs: 1000 },
    positions: () => [0, 1],
    note: (text) => notes.push(text),
  })
  const job = { kind: "bandwidth", name: "relu", shape: [2] } as const
  const task = { job, work: 1, size: 2, wrong: async (_: unknown, found: ReadonlyArray<number>) => found[0] !== 1 }

  it("marks what a peer got wrong", async () => {
    const bad = peer({ values: async () => ({ values: [7, 7], iterations: 1 }) })
    expect((await compare(bench([bad]), about, ours, task))[0]).toMatchObject({
      ours: 1000,
      theirs: "wrong",
      ratio: null,
    })
    expect((await compare(bench([peer({})]), about, ours, task))[0]).toMatchObject({ theirs: 500, ratio: 2 })
  })

  it("marks what ours got wrong", async () => {
    const wrong = { ...ours, wrong: async () => true }
    expect((await compare(bench([]), about, wrong, task))[0]).toMatchObject({ ours: "wrong", peer: null })
  })

  it("leaves out a peer that cannot, and says why", async () => {
    const notes: Array<string> = []
    const cannot = peer({ prepare: async () => ({ unsupported: "it has no such kernel" }) })
    expect((await compare(bench([cannot], notes), about, ours, task))[0]).toMatchObject({ peer: null })
    expect(notes).toEqual(["tfjs-cpu: it has no such kernel"])
  })

  it("gives a slow peer less to do, and says so", async () => {
    const slow = peer({ prepare: async () => ({ ms: 900 }) })
    const whole = { ...task, work: 64 }
    const [one] = await compare(bench([slow]), about, ours, whole, { smaller: { ...task, note: "batch 1" } })
    expect(one?.shape).toBe("batch 64 (tfjs-cpu: batch 1)")
  })
})

describe("checking contractions", () => {
  const conv = (pass: Conv2d["pass"]): Conv2d => ({
    _tag: "Conv2d",
    pass,
    n: 2,
    c: 4,
    h: 6,
    w: 7,
    o: 6,
    oh: 3,
    ow: 4,
    kernel: [3, 2],
    stride: [2, 2],
    padding: [1, 1],
    dilation: [1, 1],
    groups: 2,
  })

  it.each(["forward", "inputGradient", "weightGradient"] as const)("%s: right is right, wrong is wrong", (pass) => {
    const form = conv(pass)
    const c: Contraction = { _tag: "Contraction", name: pass, bias: false, form }
    const [a, b] = inputShapes(c).map((shape, i) => values(shape, i + 1, 1).data)
    const right = conv2d(form, a!, b!, undefined).value
    const at = Array.from(right, (_, i) => i)
    expect(outputShape(c).reduce((n, d) => n * d, 1)).toBe(right.length)
    for (const i of at) expect(element(c, i, a!, b!)[0]).toBeCloseTo(right[i]!, 5)
    expect(wrongAt(c, at, [...right])).toBe(false)
    for (const i of [0, at.length - 1]) {
      const off = [...right]
      off[i]! += 1e-3
      expect(wrongAt(c, at, off)).toBe(true)
    }
    expect(
      wrongAt(
        c,
        at,
        [...right].map(() => Number.NaN),
      ),
    ).toBe(true)
  })
})

describe("options", () => {
  it("are all suites and peers unless told", () => {
    expect(parseOptions([])).toMatchObject({ threads: 2, device: "wasm", only: "", quick: false, json: false })
  })
  it("are read", () => {
    const given = ["step", "--only=lenet", "--peers", "torch", "--narrow", "--threads=1", "--out", "there", "--json"]
    expect(parseOptions(given)).toMatchObject({
      suites: ["step"],
      only: "lenet",
      peers: ["torch"],
      narrow: true,
      threads: 1,
      out: "there",
      json: true,
    })
    expect(parseOptions(["--peers="])).toMatchObject({ peers: [] })
  })
  it.each([
    [["walk"], "there is no suite walk"],
    [["--loud"], "there is no option --loud"],
    [["--peers=caffe"], "there is no peer caffe"],
    [["--threads=half"], "half is no number of threads"],
    [["--device=abacus"], "there is no device abacus"],
  ])("%j are refused", (args, why) => expect(parseOptions(args)).toContain(why))
})

it("a line is straight, and a parabola is not", () => {
  expect(straightness([1, 2, 3], [5, 7, 9])).toBeCloseTo(1)
  expect(straightness([1, 2, 3, 4], [1, 16, 81, 256])).toBeLessThan(0.9)
})
