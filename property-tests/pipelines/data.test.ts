import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"
import { gzipSync } from "node:zlib"
import { expectTypeOf } from "vitest"
import * as Data from "../../src/pipelines/Data.ts"
import type { DataReason } from "../../src/pipelines/DataError.ts"
import * as Idx from "../../src/pipelines/Idx.ts"

/** samples whose single element and label tell which they are */
const counted = (count: number) =>
  Effect.runSync(
    Data.fromArrays({
      shape: [1],
      images: Float32Array.from({ length: count }, (_, i) => i),
      labels: Array.from({ length: count }, (_, i) => i),
      classes: count,
    }),
  )
const batches = <S extends Data.SampleShape>(
  self: Data.Batches<S>,
  key: Data.EpochKey = { seed: 1, epoch: 1 },
  from = 0,
) => Effect.runPromise(Stream.runCollect(self.epoch(key, from)))
const labels = async <S extends Data.SampleShape>(self: Data.Batches<S>, key?: Data.EpochKey, from?: number) =>
  (await batches(self, key, from)).flatMap((b) => Array.from(b.labels))

describe("Data", () => {
  it("keeps, drops or pads the last batch", async () => {
    const set = counted(5)
    const kept = await batches(set.pipe(Data.batch(2)))
    assert.deepStrictEqual(
      kept.map((b) => [b.rows, b.count, Array.from(b.labels)]),
      [
        [2, 2, [0, 1]],
        [2, 2, [2, 3]],
        [1, 1, [4]],
      ],
    )
    assert.deepStrictEqual(await labels(set.pipe(Data.batch(2, { last: "drop" }))), [0, 1, 2, 3])
    const padded = await batches(Data.batch(set, 2, { last: "pad" }))
    assert.deepStrictEqual(padded.at(-1)?.labels, Float32Array.of(4, -100))
    assert.deepStrictEqual(padded.at(-1)?.images, Float32Array.of(4, 0))
    assert.strictEqual(padded.at(-1)?.count, 1)
  })

  it("an epoch's batches hold each sample once, whatever the operators", () =>
    fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 70 }),
        fc.constantFrom<Data.Last>("keep", "drop", "pad"),
        fc.nat(),
        async (count, size, last, seed) => {
          const all = counted(count).pipe(Data.shuffle, Data.batch(size, { last }), Data.prefetch(2))
          if (all.steps === 0) return
          const got = await batches(all, { seed, epoch: 1 })
          const seen = got.flatMap((b) => Array.from(b.labels.subarray(0, b.count)))
          assert.strictEqual(got.length, all.steps)
          assert.strictEqual(seen.length, all.samples)
          assert.strictEqual(new Set(seen).size, seen.length)
          assert.strictEqual(all.samples, last === "drop" ? count - (count % size) : count)
          got.forEach((b) => assert.strictEqual(b.images.length, b.rows))
        },
      ),
      { numRuns: 100, seed: 1 },
    ))

  it("the order depends on seed and epoch only, and a run can begin in the middle of it", async () => {
    const set = counted(100).pipe(Data.shuffle, Data.batch(7))
    const first = await labels(set, { seed: 1, epoch: 1 })
    assert.deepStrictEqual(await labels(set, { seed: 1, epoch: 1 }), first)
    assert.notDeepEqual(await labels(set, { seed: 1, epoch: 2 }), first)
    assert.notDeepEqual(await labels(set, { seed: 2, epoch: 1 }), first)
    assert.deepStrictEqual(await labels(set, { seed: 1, epoch: 1 }, 3), first.slice(21))
    assert.deepStrictEqual(await labels(set.pipe(Data.prefetch(3)), { seed: 1, epoch: 1 }, 3), first.slice(21))
    // the first numbers are part of the format: a resumed run must find the same order in a later version
    assert.deepStrictEqual(first.slice(0, 8), [24, 72, 58, 2, 90, 38, 87, 66])
  })

  it("every place is equally likely for a sample", () => {
    // 20,000 epochs of 10 samples: chi-square of the 100 counts, 81 degrees of freedom, 99.9 % below 126
    const counts = new Float64Array(100)
    const set = counted(10).pipe(Data.shuffle)
    for (let epoch = 1; epoch <= 20_000; epoch++) set.order({ seed: 5, epoch }).forEach((s, i) => counts[s * 10 + i]!++)
    const chi = counts.reduce((sum, n) => sum + (n - 2000) ** 2 / 2000, 0)
    assert.isBelow(chi, 126)
  })

  it("limit and subset take what they say, before and after a shuffle", async () => {
    const set = counted(10)
    assert.deepStrictEqual(await labels(set.pipe(Data.limit(3), Data.batch(2))), [0, 1, 2])
    assert.deepStrictEqual(await labels(set.pipe(Data.limit(99), Data.batch(5))), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    assert.deepStrictEqual(await labels(Data.subset(set, [7, 2, 2]).pipe(Data.batch(2))), [7, 2, 2])
    const limited = await labels(set.pipe(Data.limit(4), Data.shuffle, Data.batch(4)))
    assert.deepStrictEqual(limited.toSorted(), [0, 1, 2, 3])
    assert.strictEqual((await labels(set.pipe(Data.shuffle, Data.limit(4), Data.batch(3)))).length, 4)
  })

  it("the shape of a sample stays in the type", () => {
    const set = counted(3)
    expectTypeOf(set.shape).toEqualTypeOf<readonly [1]>()
    expectTypeOf(set.pipe(Data.shuffle, Data.limit(2), Data.batch(2), Data.prefetch(1)).shape).toEqualTypeOf<
      readonly [1]
    >()
    expectTypeOf(Effect.runSync(Data.synthetic()).train.shape).toEqualTypeOf<readonly [1, 28, 28]>()
    expectTypeOf(Effect.runSync(Data.synthetic({ shape: [3, 8, 9] })).test.shape).toEqualTypeOf<readonly [3, 8, 9]>()
  })

  it.effect.each([
    [
      "batch of zero",
      counted(3).pipe(Data.batch(0)),
      "arrays was given batch size = 0, expected a whole number of at least 1",
    ],
    [
      "batch of a half",
      counted(3).pipe(Data.batch(1.5)),
      "arrays was given batch size = 1.5, expected a whole number of at least 1",
    ],
    [
      "nothing remains",
      counted(3).pipe(Data.batch(4, { last: "drop" })),
      'arrays was given batch size = 4, expected at most the 3 samples there are, or last: "keep"',
    ],
    [
      "limit of zero",
      counted(3).pipe(Data.limit(0), Data.batch(1)),
      "arrays was given limit = 0, expected a whole number of at least 1",
    ],
    [
      "beyond the end",
      counted(3).pipe(Data.subset([0, 3]), Data.batch(1)),
      "arrays was given subset = 3, expected positions from 0 to 2, at least one",
    ],
  ] as const)("%s is refused when the batches are read", ([, set, message]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Stream.runDrain(set.epoch({ seed: 1, epoch: 1 })))
      assert.strictEqual(error.message, message)
    }),
  )

  it.effect.each([
    [
      { shape: [2], images: new Float32Array(6), labels: [0, 1], classes: 2 },
      "arrays has 3 images but labels has 2 labels; take both from the same set",
    ],
    [
      { shape: [2], images: new Float32Array(4), labels: [0, 2], classes: 2 },
      "arrays has label 2 for sample 1, but there are 2 classes (0 to 1); give the number of classes, or mend the label",
    ],
    [
      { shape: [2], images: new Float32Array(2), labels: [NaN], classes: 2 },
      "arrays has label NaN for sample 0, but there are 2 classes (0 to 1); give the number of classes, or mend the label",
    ],
    [
      { shape: [2], images: new Float32Array(3), labels: [0], classes: 2 },
      "arrays was given images = 3 elements, expected a multiple of 2 (2)",
    ],
    [
      { shape: [0], images: new Float32Array(0), labels: [], classes: 2 },
      "arrays was given shape = [0], expected whole sizes of at least 1",
    ],
    [
      { shape: [2], images: new Float32Array(0), labels: [], classes: 2 },
      "arrays was given images = no samples, expected at least one sample",
    ],
  ] as const)("arrays that do not fit together: %#", ([options, message]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Data.fromArrays<ReadonlyArray<number>>(options))
      assert.strictEqual(error.message, message)
    }),
  )

  it("bytes become floats from 0 to 1, each the nearest to the exact quotient", async () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i)
    const set = Effect.runSync(Data.fromArrays({ shape: [256], images: bytes, labels: [0], classes: 1 }))
    const [only] = await batches(set.pipe(Data.batch(1)))
    assert.deepStrictEqual(
      only?.images,
      Float32Array.from(bytes, (b) => b / 255),
    )
  })

  it("synthetic samples are the same for the same seed, lie in [0, 1], and their classes can be told apart", async () => {
    const make = (seed: number) => Effect.runSync(Data.synthetic({ seed, train: 300, test: 100 }))
    const all = async (set: Data.Dataset<Data.SampleShape>) => (await batches(set.pipe(Data.batch(set.length))))[0]!
    const [train, test] = [await all(make(1).train), await all(make(1).test)]
    assert.deepStrictEqual(await all(make(1).train), train)
    assert.notDeepEqual((await all(make(2).train)).images, train.images)
    assert.isTrue(train.images.every((x) => x >= 0 && x <= 1))
    // the nearest of the training samples has the right class nearly always
    const distance = (i: number, j: number) => {
      let sum = 0
      for (let k = 0; k < 784; k++) sum += (test.images[i * 784 + k]! - train.images[j * 784 + k]!) ** 2
      return sum
    }
    const nearest = Array.from(test.labels, (_, i) => {
      const near = Array.from(train.labels, (_, j) => distance(i, j))
      return train.labels[near.indexOf(Math.min(...near))]!
    })
    const right = nearest.filter((label, i) => label === test.labels[i]).length
    assert.isAtLeast(right, 90)
  })

  it.effect("a nonsensical synthetic set is refused", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Data.synthetic({ classes: 0 }))
      assert.strictEqual(error.message, "synthetic was given classes = 0, expected a whole number of at least 1")
    }),
  )
})

layer(NodeServices.layer)("Data.mnist", (it) => {
  it.effect(
    "the real one, from the npm package",
    () =>
      Effect.gen(function* () {
        const { train, test } = yield* Data.mnist()
        assert.deepStrictEqual([train.length, test.length], [60_000, 10_000])
        assert.deepStrictEqual(train.classes, ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"])
        expectTypeOf(train.shape).toEqualTypeOf<readonly [1, 28, 28]>()
        const [first] = yield* Stream.runCollect(train.pipe(Data.limit(5), Data.batch(5)).epoch({ seed: 0, epoch: 1 }))
        assert.deepStrictEqual(first?.labels, Float32Array.of(5, 0, 4, 1, 9))
        // the known mean of the first image
        assert.closeTo(first!.images.subarray(0, 784).reduce((a, b) => a + b, 0) / 784, 0.1377, 1e-4)
      }),
    60_000,
  )

  const names = {
    trainImages: "train-images-idx3-ubyte",
    trainLabels: "train-labels-idx1-ubyte",
    testImages: "t10k-images-idx3-ubyte",
    testLabels: "t10k-labels-idx1-ubyte",
  }
  /** a folder of four small files, some of them replaced or left out */
  const folder = (replaced: Partial<Record<keyof typeof names, Uint8Array | undefined>>, gzip = false) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = yield* fs.makeTempDirectoryScoped()
      const images = Idx.encode({ shape: [3, 28, 28], data: new Uint8Array(3 * 784) })
      const labels = Idx.encode({ shape: [3], data: Uint8Array.of(1, 2, 3) })
      const files = { trainImages: images, trainLabels: labels, testImages: images, testLabels: labels, ...replaced }
      for (const [key, bytes] of Object.entries(files)) {
        // the keys of `names` and no others
        const name = names[key as keyof typeof names]
        if (bytes !== undefined) {
          yield* fs.writeFile(`${path}/${name}${gzip ? ".gz" : ""}`, gzip ? new Uint8Array(gzipSync(bytes)) : bytes)
        }
      }
      return path
    })

  it.effect("plain or gzip, from a folder", () =>
    Effect.gen(function* () {
      for (const gzip of [false, true]) {
        const { train } = yield* Data.mnist({ folder: yield* folder({}, gzip) })
        assert.strictEqual(train.length, 3)
      }
    }).pipe(Effect.scoped),
  )

  const faults: ReadonlyArray<
    readonly [what: string, files: Parameters<typeof folder>[0], tag: DataReason["_tag"], message: RegExp]
  > = [
    [
      "a file is missing",
      { testLabels: undefined },
      "NotFound",
      /^t10k-labels-idx1-ubyte not found in .*; put the files of MNIST there/,
    ],
    [
      "labels where images should be",
      { trainImages: Idx.encode({ shape: [3], data: Uint8Array.of(1, 2, 3) }) },
      "BadRank",
      /train-images-idx3-ubyte has 1 dimensions at byte 3, expected 3/,
    ],
    [
      "images where labels should be",
      { trainLabels: Idx.encode({ shape: [1, 1, 1], data: Uint8Array.of(1) }) },
      "BadRank",
      /train-labels-idx1-ubyte has 3 dimensions/,
    ],
    [
      "another image size",
      { trainImages: Idx.encode({ shape: [3, 28, 27], data: new Uint8Array(3 * 28 * 27) }) },
      "BadSize",
      /says dimension 2 is 27 at byte 12, expected 28/,
    ],
    [
      "a label of 10",
      { testLabels: Idx.encode({ shape: [3], data: Uint8Array.of(1, 10, 3) }) },
      "LabelOutOfRange",
      /t10k-labels-idx1-ubyte has label 10 for sample 1, but there are 10 classes/,
    ],
    [
      "fewer labels than images",
      { testLabels: Idx.encode({ shape: [2], data: Uint8Array.of(1, 2) }) },
      "CountMismatch",
      /t10k-images-idx3-ubyte has 3 images but .*t10k-labels-idx1-ubyte has 2 labels/,
    ],
    [
      "a truncated file",
      { trainImages: Idx.encode({ shape: [3, 28, 28], data: new Uint8Array(3 * 784) }).subarray(0, 999) },
      "Truncated",
      /train-images-idx3-ubyte ends after 999 bytes, but its header promises 2368/,
    ],
    [
      "a file too long",
      { trainLabels: new Uint8Array([...Idx.encode({ shape: [3], data: Uint8Array.of(1, 2, 3) }), 7]) },
      "TrailingBytes",
      /train-labels-idx1-ubyte has 12 bytes, 1 more than the 11/,
    ],
  ]
  it.effect.each(faults)("%s", ([, files, tag, message]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Data.mnist({ folder: yield* folder(files) }))
      // a file that is there and cannot be read fails with a DataError too: mnist has no other error
      expectTypeOf(error).toHaveProperty("reason")
      assert.strictEqual(error._tag, "DataError")
      if (error._tag === "DataError") {
        assert.strictEqual(error.reason._tag, tag)
        assert.match(error.message, message)
      }
    }).pipe(Effect.scoped),
  )
})
