/** What makes other data sets of data sets, against known values. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"
import * as Data from "../../src/pipelines/Data.ts"
import * as Transforms from "../../src/pipelines/Transforms.ts"

/** samples whose single element is their number and whose labels go round `classes` */
const counted = (count: number, classes = count, from = 0) =>
  Effect.runSync(
    Data.fromArrays({
      name: "counted",
      shape: [1],
      images: Float32Array.from({ length: count }, (_, i) => from + i),
      labels: Array.from({ length: count }, (_, i) => i % classes),
      classes,
    }),
  )
const key = { seed: 1, epoch: 1 }
const collect = (set: Data.Dataset<readonly number[]>, at: Data.EpochKey = key, size = 3, from = 0) =>
  Effect.runPromise(Stream.runCollect(set.pipe(Data.batch(size)).epoch(at, from)))
/** the numbers of the samples of an epoch, in order */
const numbers = async (set: Data.Dataset<readonly number[]>, at?: Data.EpochKey, size?: number, from?: number) =>
  (await collect(set, at, size, from)).flatMap((b) => Array.from(b.images))
const labels = async (set: Data.Dataset<readonly number[]>) => (await collect(set)).flatMap((b) => Array.from(b.labels))
const message = (set: Data.Dataset<readonly number[]>) =>
  Effect.runPromise(Effect.flip(Stream.runDrain(set.pipe(Data.batch(1)).epoch(key)))).then((e) => e.message)
const without = Data.make({
  name: "mute",
  shape: [1],
  classes: ["a"],
  length: 2,
  read: (samples) =>
    Effect.succeed({ images: new Float32Array(samples.length), labels: new Float32Array(samples.length) }),
})

describe("filter, relabel", () => {
  it("keep what holds, before and after a shuffle", async () => {
    const set = counted(10, 3)
    const ones = set.pipe(Data.filter(({ label, class: name }) => label === 1 && name === "1"))
    assert.deepStrictEqual(await numbers(ones), [1, 4, 7])
    assert.strictEqual(ones.length, 3)
    const shuffled = set.pipe(
      Data.shuffle,
      Data.filter(({ index }) => index % 2 === 0),
    )
    assert.deepStrictEqual((await numbers(shuffled)).toSorted(), [0, 2, 4, 6, 8])
    const parity = set.pipe(Data.relabel(["even", "odd"], (label) => label % 2))
    assert.deepStrictEqual(await labels(parity), [0, 1, 0, 0, 1, 0, 0, 1, 0, 0])
    assert.deepStrictEqual(await numbers(parity.pipe(Data.filter(({ class: name }) => name === "odd"))), [1, 4, 7])
  })
  it("refuse what they cannot do", async () => {
    assert.strictEqual(
      await message(Data.filter(without, () => true)),
      "mute does not say the class of each sample, which filter asks: give labels to Data.make",
    )
    assert.match(
      await message(
        counted(4).pipe(
          Data.shuffle,
          Data.limit(2),
          Data.filter(() => true),
        ),
      ),
      /filter before sampling/,
    )
    assert.match(await message(counted(4).pipe(Data.filter(() => false))), /filter = no sample/)
    assert.match(
      await message(counted(4).pipe(Data.relabel(2, (l) => l))),
      /has label 2 for sample 2, but there are 2 classes/,
    )
  })
})

describe("concat, repeat", () => {
  it("give the one and then the other, and read from both in any order", async () => {
    const both = Data.concat(counted(3, 2), counted(4, 2, 100))
    assert.deepStrictEqual(await numbers(both), [0, 1, 2, 100, 101, 102, 103])
    assert.deepStrictEqual(await numbers(both.pipe(Data.subset([5, 0, 6, 1])), key, 4), [102, 0, 103, 1])
    assert.deepStrictEqual(
      (await numbers(both.pipe(Data.shuffle))).toSorted((a, b) => a - b),
      await numbers(both),
    )
    assert.deepStrictEqual(Array.from(both.labels!()), [0, 1, 0, 0, 1, 0, 1])
    assert.deepStrictEqual(await numbers(both.pipe(Data.filter(({ label }) => label === 1))), [1, 101, 103])
    assert.match(
      await message(Data.concat(counted(3, 2), counted(3, 3))),
      /concat of classes = \[0, 1, 2\], expected the same classes: \[0, 1\]/,
    )
  })
  it("repeat passes over the set, each as an epoch of its own", async () => {
    assert.deepStrictEqual(await numbers(counted(3).pipe(Data.repeat(2))), [0, 1, 2, 0, 1, 2])
    const twice = await numbers(counted(20).pipe(Data.shuffle, Data.repeat(2)), { seed: 1, epoch: 3 })
    const passes = await Promise.all([5, 6].map((epoch) => numbers(counted(20).pipe(Data.shuffle), { seed: 1, epoch })))
    assert.deepStrictEqual(twice, passes.flat())
    const noisy = counted(1).pipe(Data.map(noise), Data.repeat(5))
    assert.strictEqual(new Set(await numbers(noisy)).size, 5)
    assert.match(await message(counted(2).pipe(Data.repeat(0))), /repeat = 0, expected a whole number of at least 1/)
  })
})
/** adds a random number */
const noise = Transforms.make({
  name: "noise",
  random: true,
  shape: (s) => s,
  kernel: () => (input, output, uniform) => input.forEach((x, i) => (output[i] = x + uniform(i))),
})

describe("splits", () => {
  it("are parts without a sample in common, of the sizes asked for, the same for the same seed", () =>
    fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 8, max: 60 }),
        fc.integer({ min: 1, max: 4 }),
        fc.nat(99),
        async (n, classes, seed) => {
          const set = counted(n, classes)
          for (const split of [Data.randomSplit, Data.stratifiedSplit]) {
            const parts = split(set, [0.5, 0.25, 0.25], { seed })
            const all = await Promise.all(parts.map((p) => numbers(p)))
            assert.deepStrictEqual(
              all.flat().toSorted((a, b) => a - b),
              await numbers(set),
            )
            assert.deepStrictEqual(
              await Promise.all(split(set, [0.5, 0.25, 0.25], { seed }).map((p) => numbers(p))),
              all,
            )
            all.forEach((part, i) =>
              assert.isAtMost(
                Math.abs(part.length - n * [0.5, 0.25, 0.25][i]!),
                split === Data.randomSplit ? 1 : classes,
              ),
            )
            if (split === Data.stratifiedSplit) {
              for (let k = 0; k < classes; k++) {
                const members = (await labels(set)).filter((l) => l === k).length
                for (const [i, p] of parts.entries()) {
                  const here = (await labels(p)).filter((l) => l === k).length
                  assert.isAtMost(Math.abs(here - members * [0.5, 0.25, 0.25][i]!), 2)
                }
              }
            }
          }
        },
      ),
      { numRuns: 15, seed: 1 },
    ))
  it("take counts too, differ by seed, and refuse nonsense", async () => {
    const set = counted(10)
    const [a, b] = set.pipe(Data.randomSplit([7, 3], { seed: 1 }))
    assert.deepStrictEqual([a.length, b.length], [7, 3])
    assert.notDeepEqual(await numbers(set.pipe(Data.randomSplit([7, 3], { seed: 2 }))[1]), await numbers(b))
    assert.match(
      await message(set.pipe(Data.randomSplit([0.5, 0.6]))[0]),
      /fractions that sum to 1, or counts that sum to 10/,
    )
    assert.match(await message(set.pipe(Data.shuffle, Data.randomSplit([0.5, 0.5]))[0]), /shuffle the parts instead/)
    assert.match(await message(without.pipe(Data.stratifiedSplit([0.5, 0.5]))[0]), /which stratifiedSplit asks/)
  })
})

describe("weighted sampling", () => {
  it("draws in proportion to the weights, otherwise in each epoch and the same for the same key", async () => {
    const set = counted(4).pipe(Data.weightedSampler([1, 0, 3, 4], { count: 16_000 }))
    const seen = [0, 0, 0, 0]
    for (const n of await numbers(set, key, 1000)) seen[n]!++
    assert.strictEqual(seen[1], 0)
    // chi-square with 2 degrees of freedom, 99.9 % below 13.8
    const chi = [2000, 1, 6000, 8000].reduce((sum, e, i) => (i === 1 ? sum : sum + (seen[i]! - e) ** 2 / e), 0)
    assert.isBelow(chi, 13.8)
    const small = counted(50).pipe(Data.weightedSampler(Array.from({ length: 50 }, (_, i) => i + 1)))
    assert.deepStrictEqual(await numbers(small), await numbers(small))
    assert.notDeepEqual(await numbers(small, { seed: 1, epoch: 2 }), await numbers(small))
    // a run that goes on in the middle of an epoch
    assert.deepStrictEqual(await numbers(small, key, 7, 3), (await numbers(small, key, 7)).slice(21))
  })
  it("without replacement draws each at most once, the heavier first", async () => {
    const first = [0, 0, 0]
    for (let epoch = 1; epoch <= 3000; epoch++) {
      const set = counted(3).pipe(Data.weightedSampler([1, 2, 3], { replacement: false }))
      const order = Array.from(set.order({ seed: 4, epoch }))
      assert.deepStrictEqual(order.toSorted(), [0, 1, 2])
      first[order[0]!]!++
    }
    const chi = [500, 1000, 1500].reduce((sum, e, i) => sum + (first[i]! - e) ** 2 / e, 0)
    assert.isBelow(chi, 13.8)
  })
  it("balances classes, and refuses what it cannot draw", async () => {
    const uneven = counted(40, 2).pipe(Data.subset([0, 2, 4, 6, 8, 10, 12, 14, 16, 1]))
    const drawn = await labels(uneven.pipe(Data.weightedSampler("balanced", { count: 4000 })))
    assert.closeTo(drawn.filter((l) => l === 1).length / 4000, 0.5, 0.04)
    assert.match(
      await message(counted(3).pipe(Data.weightedSampler([1, 2]))),
      /2 weights, expected 3, one for each sample/,
    )
    assert.match(await message(counted(2).pipe(Data.weightedSampler([1, -2]))), /-2, expected weights of at least 0/)
    assert.match(await message(counted(2).pipe(Data.weightedSampler([0, 0]))), /at least one above 0/)
    assert.match(
      await message(counted(2).pipe(Data.weightedSampler([0, 1], { replacement: false }))),
      /at most the 1 samples that can be drawn/,
    )
  })
})

describe("cache", () => {
  it("reads each sample once, whatever the order and the epoch", async () => {
    let reads = 0
    const set = Data.make({
      name: "slow",
      shape: [1],
      classes: ["a"],
      length: 10,
      read: (samples) =>
        Effect.sync(() => {
          reads += samples.length
          return { images: Float32Array.from(samples), labels: new Float32Array(samples.length) }
        }),
    })
    const cached = await Effect.runPromise(set.pipe(Data.cache))
    const once = await numbers(cached.pipe(Data.shuffle), key)
    assert.deepStrictEqual(await numbers(cached.pipe(Data.shuffle), key), once)
    assert.deepStrictEqual(await numbers(cached, { seed: 3, epoch: 9 }), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    assert.strictEqual(reads, 10)
    assert.match(
      await message(await Effect.runPromise(set.pipe(Data.map(noise), Data.cache))),
      /put the cache before them/,
    )
  })
})

describe("statistics", () => {
  it("are those of two passes in float64, per channel, far from 0 too", async () => {
    const images = Float32Array.from(
      { length: 150 * 2 * 3 * 4 },
      (_, i) => (Math.floor(i / 12) % 2) * 1000 + Math.sin(i) + (i % 7) / 10,
    )
    const set = Effect.runSync(Data.fromArrays({ shape: [2, 3, 4], images, labels: new Float32Array(150), classes: 1 }))
    const { mean, std, samples } = await Effect.runPromise(Data.statistics(set))
    assert.strictEqual(samples, 150)
    for (const c of [0, 1]) {
      const own = images.filter((_, i) => Math.floor(i / 12) % 2 === c)
      const m = own.reduce((a, b) => a + b, 0) / own.length
      const s = Math.sqrt(own.reduce((a, b) => a + (b - m) ** 2, 0) / own.length)
      assert.closeTo(mean[c]!, m, 1e-9 * (1 + Math.abs(m)))
      assert.closeTo(std[c]!, s, 1e-9)
    }
  })
})
