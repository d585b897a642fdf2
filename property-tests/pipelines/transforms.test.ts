/** Transforms against torchvision's own results, then the laws of what is drawn at random. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"
import { readFileSync } from "node:fs"
import { expectTypeOf } from "vitest"
import * as Random from "../../src/ops/random.ts"
import * as Data from "../../src/pipelines/Data.ts"
import * as Transforms from "../../src/pipelines/Transforms.ts"
import {
  adjustBrightness,
  adjustContrast,
  adjustHue,
  adjustSaturation,
} from "../../src/pipelines/transforms/colours.ts"
import { cropResizer, randomRegion } from "../../src/pipelines/transforms/randomResizedCrop.ts"
import { rotate } from "../../src/pipelines/transforms/rotation.ts"
import type { Bound } from "../../src/pipelines/transforms/Transform.ts"
import type { Shape } from "../../src/shapes/Shape.ts"
import { isRefusal } from "../../src/shapes/Refusal.ts"

interface Packed {
  readonly shape: ReadonlyArray<number>
  readonly data: string
}
/** the options of all cases: each name has some of them, as the script wrote them */
interface Options {
  readonly size: [number, number]
  readonly antialias: boolean
  readonly padding: number
  readonly mode: "constant"
  readonly fill: number
  readonly angle: number
  readonly factor: number
  readonly channels: 1 | 3
  readonly mean: ReadonlyArray<number>
  readonly std: ReadonlyArray<number>
  readonly region: [number, number, number, number]
}
interface Case {
  readonly name: string
  readonly input: string
  readonly options: Options
  readonly output: Packed
}
const golden: { readonly inputs: Readonly<Record<string, Packed>>; readonly cases: ReadonlyArray<Case> } = JSON.parse(
  readFileSync(new URL("torchvision.json", import.meta.url), "utf8"),
)
const unpacked = ({ shape, data }: Packed) => {
  const bytes = Buffer.from(data, "base64")
  return { shape, data: new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)) }
}
type Picture = ReturnType<typeof unpacked>

/** the shape a transform gives, and what it does */
const bound = (t: Transforms.Transform, shape: ReadonlyArray<number>): { shape: Array<number>; run: Bound } => {
  const out = t.shape(shape)
  if (isRefusal(out)) throw new Error(out.sentence)
  const sizes = out.map(Number)
  return { shape: sizes, run: t.bind(shape, sizes, "test") }
}
const key = (n: number) => Random.key(7, n)
const apply = (t: Transforms.Transform, { shape, data }: Picture, n = 0): Picture => {
  const b = bound(t, shape)
  // what was there before must not matter
  const output = new Float32Array(b.shape.reduce((x, d) => x * d, 1)).fill(NaN)
  b.run(data, output, key(n))
  return { shape: b.shape, data: output }
}
/** the same picture, changed by what works in place */
const changed = (picture: Picture, change: (data: Float32Array, pixels: number) => void): Picture => {
  const data = picture.data.slice()
  change(data, picture.shape[1]! * picture.shape[2]!)
  return { shape: picture.shape, data }
}

const ours: Readonly<Record<string, (picture: Picture, options: Options) => Picture>> = {
  resize: (x, { size, antialias }) => apply(Transforms.resize(size, { antialias }), x),
  centerCrop: (x, { size }) => apply(Transforms.centerCrop(size), x),
  pad: (x, { padding, mode, fill }) => apply(Transforms.pad(padding, { mode, fill }), x),
  hflip: (x) => apply(Transforms.randomHorizontalFlip(1), x),
  vflip: (x) => apply(Transforms.randomVerticalFlip(1), x),
  rotate: (x, { angle, ...options }) => {
    const data = new Float32Array(x.data.length).fill(NaN)
    rotate(x.data, x.shape, data, angle, options)
    return { shape: x.shape, data }
  },
  brightness: (x, { factor }) => changed(x, (data) => adjustBrightness(data, factor)),
  contrast: (x, { factor }) => changed(x, (data, pixels) => adjustContrast(data, pixels, factor)),
  saturation: (x, { factor }) => changed(x, (data, pixels) => adjustSaturation(data, pixels, factor)),
  hue: (x, { factor }) => changed(x, (data, pixels) => adjustHue(data, pixels, factor)),
  grayscale: (x, { channels }) => apply(Transforms.grayscale(channels), x),
  normalize: (x, { mean, std }) => apply(Transforms.normalize(mean, std), x),
  resizedCrop: (x, { region, size, antialias }) => {
    const [top, left, height, width] = region
    const [h, w] = size
    const data = new Float32Array(x.shape[0]! * h * w).fill(NaN)
    cropResizer(x.shape, h, w, antialias)(x.data, data, { top, left, height, width })
    return { shape: [x.shape[0]!, h, w], data }
  },
  toTensor: (x) => apply(Transforms.toTensor(), x),
}

const exact = new Set(["centerCrop", "pad", "hflip", "vflip", "toTensor"])

describe("torchvision's own results", () => {
  it.each(golden.cases.map((c) => [`${c.name} of ${c.input} ${JSON.stringify(c.options)}`, c] as const))(
    "%s",
    (_, { name, input, options, output }) => {
      const wanted = unpacked(output)
      const got = ours[name]!(unpacked(golden.inputs[input]!), options)
      assert.deepStrictEqual([...got.shape], [...wanted.shape])
      const worst = got.data.reduce((most, x, i) => Math.max(most, Math.abs(x - wanted.data[i]!)), 0)
      // a few roundings of float32 of numbers up to 4; the hue divides by small differences
      assert.isAtMost(worst, exact.has(name) ? 0 : name === "hue" ? 4e-6 : 1e-6)
      assert.isTrue(got.data.every((x) => !Number.isNaN(x)))
    },
  )

  it("are of every transform that is not only random", () => {
    const named = new Set(golden.cases.map((c) => c.name))
    assert.deepStrictEqual([...named].toSorted(), Object.keys(ours).toSorted())
  })
})

const ramp = (shape: ReadonlyArray<number>): Picture => {
  const n = shape.reduce((x, d) => x * d, 1)
  return { shape, data: Float32Array.from({ length: n }, (_, i) => (i + 1) / n) }
}
/** over many samples, how often each outcome was seen */
const counts = (n: number, outcome: (n: number) => string): ReadonlyMap<string, number> => {
  const seen = new Map<string, number>()
  for (let i = 0; i < n; i++) {
    const name = outcome(i)
    seen.set(name, (seen.get(name) ?? 0) + 1)
  }
  return seen
}
const chiSquare = (seen: ReadonlyMap<string, number>, kinds: number, n: number): number => {
  const expected = n / kinds
  let sum = (kinds - seen.size) * expected
  for (const count of seen.values()) sum += (count - expected) ** 2 / expected
  return sum
}

describe("what is drawn at random", () => {
  it("flips with its probability", () => {
    const x = ramp([1, 2, 3])
    for (const [t, p] of [
      [Transforms.randomHorizontalFlip(), 0.5],
      [Transforms.randomVerticalFlip(0.2), 0.2],
    ] as const) {
      let flipped = 0
      for (let i = 0; i < 10_000; i++) flipped += apply(t, x, i).data[0] === x.data[0] ? 0 : 1
      // five deviations
      assert.closeTo(flipped / 10_000, p, 5 * Math.sqrt((p * (1 - p)) / 10_000))
    }
    assert.deepStrictEqual(apply(Transforms.randomHorizontalFlip(0), x).data, x.data)
  })

  it("every crop is equally likely, and is one of the padded picture", () => {
    const x = ramp([2, 4, 5])
    const t = Transforms.randomCrop([3, 4], { padding: 1 })
    const whole = apply(Transforms.pad(1), x)
    const seen = counts(8000, (i) => apply(t, x, i).data.join())
    assert.strictEqual(seen.size, 4 * 4) // 6 - 3 + 1 rows, 7 - 4 + 1 columns
    // 15 degrees of freedom, 99.9 % below 37.7
    assert.isBelow(chiSquare(seen, 16, 8000), 37.7)
    const windows = new Set<string>()
    for (let top = 0; top < 4; top++) {
      for (let left = 0; left < 4; left++) {
        const window: Array<number> = []
        for (let c = 0; c < 2; c++)
          for (let y = 0; y < 3; y++)
            for (let z = 0; z < 4; z++) window.push(whole.data[(c * 6 + top + y) * 7 + left + z]!)
        windows.add(Float32Array.from(window).join())
      }
    }
    assert.isTrue([...seen.keys()].every((crop) => windows.has(crop)))
  })

  it("padIfNeeded pads what lacks, on both sides", () => {
    const t = Transforms.randomCrop([6, 2], { padIfNeeded: true, fill: 9 })
    const got = apply(t, ramp([1, 4, 4]))
    assert.deepStrictEqual(got.shape, [1, 6, 2])
    assert.isAtMost(got.data.filter((x) => x === 9).length, 4)
  })

  it("regions have areas and ratios of their ranges, and lie inside; the whole where nothing fits", () => {
    for (let i = 0; i < 2000; i++) {
      const uniform = Random.uniform(key(i), 1)
      const r = randomRegion(200, 300, [0.1, 0.5], [0.5, 2], uniform)
      assert.isTrue(r.top >= 0 && r.left >= 0 && r.top + r.height <= 200 && r.left + r.width <= 300)
      assert.isTrue(r.height * r.width > 0.09 * 60_000 && r.height * r.width < 0.51 * 60_000)
      assert.isTrue(r.width / r.height > 0.48 && r.width / r.height < 2.1)
    }
    // ten times the area never fits
    assert.deepStrictEqual(
      randomRegion(20, 30, [10, 10], [1.4, 1.6], () => 0.5),
      { top: 0, left: 0, height: 20, width: 30 },
    )
    assert.deepStrictEqual(
      randomRegion(20, 90, [10, 10], [0.5, 2], () => 0.5),
      { top: 0, left: 25, height: 20, width: 40 },
    )
  })

  it("a whole region is a resize", () => {
    const x = ramp([3, 8, 8])
    const whole = Transforms.randomResizedCrop(5, { scale: [1, 1], ratio: [1, 1] })
    assert.deepStrictEqual(apply(whole, x, 3).data, apply(Transforms.resize([5, 5]), x).data)
  })

  it("rotation by a range of one angle is that rotation", () => {
    const x = ramp([1, 4, 4])
    const wanted = Float32Array.from({ length: 16 }, (_, i) => x.data[(i % 4) * 4 + 3 - Math.floor(i / 4)]!)
    assert.deepStrictEqual(apply(Transforms.randomRotation([90, 90]), x).data, wanted)
    const seen = counts(50, (i) => apply(Transforms.randomRotation(180), x, i).data.join())
    assert.isAbove(seen.size, 10)
  })

  it("colours: factors of their ranges, in all orders", () => {
    const x = ramp([3, 4, 4])
    const factors = Array.from({ length: 4000 }, (_, i) => {
      const { data } = apply(Transforms.colorJitter({ brightness: 0.4 }), { ...x, data: x.data.map((v) => v / 4) }, i)
      return data[0]! / (x.data[0]! / 4)
    })
    assert.isTrue(factors.every((f) => f > 0.5999 && f < 1.4001))
    assert.closeTo(factors.reduce((a, b) => a + b, 0) / 4000, 1, 0.02)
    assert.isBelow(Math.min(...factors), 0.605)
    assert.isAbove(Math.max(...factors), 1.395)
    // fixed factors: each of the 24 orders gives one picture, and some of them are equal
    const fixed = Transforms.colorJitter({
      brightness: [1.5, 1.5],
      contrast: [0.5, 0.5],
      saturation: [2, 2],
      hue: [0.3, 0.3],
    })
    const strong = {
      shape: [3, 2, 2],
      data: Float32Array.of(0.9, 0.1, 0.4, 1, 0.2, 0.8, 0.1, 0.6, 0.5, 0.3, 0.9, 0.05),
    }
    assert.isAtLeast(counts(500, (i) => apply(fixed, strong, i).data.join()).size, 12)
    assert.deepStrictEqual(apply(Transforms.colorJitter({}), x).data, x.data)
  })

  it("the shift of colours is one for all pixels, with the covariance of the components", () => {
    const x = ramp([3, 2, 2])
    const n = 5000
    const sums = new Float64Array(9)
    for (let i = 0; i < n; i++) {
      const { data } = apply(Transforms.lighting(0.1), x, i)
      const shift = [0, 4, 8].map((at) => data[at]! - x.data[at]!)
      for (let c = 0; c < 3; c++) {
        if (i < 100) for (let p = 0; p < 4; p++) assert.closeTo(data[4 * c + p]! - x.data[4 * c + p]!, shift[c]!, 1e-6)
        for (let d = 0; d < 3; d++) sums[3 * c + d]! += (shift[c]! * shift[d]!) / n
      }
    }
    const values = [0.2175, 0.0188, 0.0045]
    const vectors = [
      [-0.5675, 0.7192, 0.4009],
      [-0.5808, -0.0045, -0.814],
      [-0.5836, -0.6948, 0.4203],
    ]
    for (let c = 0; c < 3; c++) {
      for (let d = 0; d < 3; d++) {
        const wanted = values.reduce((sum, v, j) => sum + vectors[c]![j]! * vectors[d]![j]! * (v * 0.1) ** 2, 0)
        assert.closeTo(sums[3 * c + d]!, wanted, 0.1 * 0.02175 ** 2)
      }
    }
  })

  it("erases a rectangle of the area and ratio asked for, as often as asked", () => {
    const x = { shape: [2, 20, 20], data: new Float32Array(800).fill(0.5) }
    let erased = 0
    for (let i = 0; i < 2000; i++) {
      const { data } = apply(Transforms.randomErasing({ p: 0.3, value: [7, 8], scale: [0.1, 0.2] }), x, i)
      const at = Array.from(data.subarray(0, 400), (v, j) => (v === 7 ? j : -1)).filter((j) => j >= 0)
      assert.isTrue(data.every((v, j) => v === 0.5 || v === (j < 400 ? 7 : 8)))
      assert.strictEqual(data.filter((v) => v === 8).length, at.length)
      if (at.length === 0) continue
      erased++
      const rows = new Set(at.map((j) => Math.floor(j / 20)))
      const columns = new Set(at.map((j) => j % 20))
      assert.strictEqual(rows.size * columns.size, at.length)
      assert.isTrue(at.length >= 0.07 * 400 && at.length <= 0.25 * 400)
      assert.isTrue(rows.size / columns.size > 0.2 && rows.size / columns.size < 4.5)
    }
    assert.closeTo(erased / 2000, 0.3, 0.05)
    const noise = apply(Transforms.randomErasing({ p: 1, value: "random", scale: [0.3, 0.33] }), x, 1).data
    const changed = noise.filter((v) => v !== 0.5)
    assert.isAbove(changed.length, 150)
    assert.closeTo(changed.reduce((a, b) => a + b, 0) / changed.length, 0, 0.25)
    assert.closeTo(Math.sqrt(changed.reduce((a, b) => a + b * b, 0) / changed.length), 1, 0.2)
  })
})

const augment = Transforms.compose(
  Transforms.randomCrop(8, { padding: 2 }),
  Transforms.randomHorizontalFlip(),
  Transforms.colorJitter({ brightness: 0.3 }),
)
const pictures = Effect.runSync(
  Data.fromArrays({
    shape: [1, 8, 8],
    images: ramp([20, 8, 8]).data,
    labels: Array.from({ length: 20 }, (_, i) => i),
    classes: 20,
  }),
)
/** what each sample looks like in an epoch, by its label */
const seen = async (batches: Data.Batches<Data.SampleShape>, epoch = 1, seed = 3) => {
  const all = new Map<number, string>()
  for (const b of await Effect.runPromise(Stream.runCollect(batches.epoch({ seed, epoch })))) {
    const size = b.images.length / b.rows
    b.labels.forEach((label, i) => all.set(label, b.images.subarray(i * size, (i + 1) * size).join()))
  }
  return all
}

describe("the key of a random transform", () => {
  it("is seed, epoch and sample: neither order nor batches nor prefetching change a bit", () =>
    fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 25 }), fc.nat(5), fc.nat(1000), async (size, ahead, seed) => {
        const plain = await seen(pictures.pipe(Data.map(augment), Data.batch(7)), 2, seed)
        const other = pictures.pipe(Data.shuffle, Data.map(augment), Data.batch(size), Data.prefetch(ahead + 1))
        assert.deepStrictEqual(await seen(other, 2, seed), new Map([...plain.entries()].toSorted()), "shuffled first")
        const after = pictures.pipe(Data.map(augment), Data.shuffle, Data.subset([5, 3, 5]), Data.batch(size))
        for (const [label, picture] of await seen(after, 2, seed)) assert.strictEqual(picture, plain.get(label))
      }),
      { numRuns: 10, seed: 1 },
    ))

  it("another epoch, seed or sample gives other pictures, and two maps draw numbers of their own", async () => {
    const set = pictures.pipe(Data.map(augment), Data.batch(7))
    const first = await seen(set)
    const different = (a: ReadonlyMap<number, string>, b: ReadonlyMap<number, string>) =>
      [...a].filter(([label, p]) => b.get(label) !== p).length
    assert.isAtLeast(different(first, await seen(set, 2)), 18)
    assert.isAtLeast(different(first, await seen(set, 1, 4)), 18)
    const same = Effect.runSync(
      Data.fromArrays({
        shape: [1, 4, 4],
        images: new Float32Array(16 * 100).map((_, i) => i % 16),
        labels: new Float32Array(100),
        classes: 1,
      }),
    )
    const flips = Data.map(Transforms.randomHorizontalFlip())
    const [twice] = await Effect.runPromise(
      Stream.runCollect(same.pipe(flips, flips, Data.batch(100)).epoch({ seed: 1, epoch: 1 })),
    )
    const straight = Array.from({ length: 100 }, (_, i) => twice!.images[16 * i]).filter((x) => x === 0).length
    // were both flips one, all would be as they were
    assert.isTrue(straight > 30 && straight < 70, `${straight}`)
  })

  it("the first numbers are part of the format: a resumed run finds the same pictures in a later version", async () => {
    const crops = pictures.pipe(Data.map(Transforms.randomCrop(8, { padding: 2 })), Data.limit(6), Data.batch(6))
    const [only] = await Effect.runPromise(Stream.runCollect(crops.epoch({ seed: 1, epoch: 1 })))
    const first = Array.from({ length: 6 }, (_, i) => {
      const at = only!.images.subarray(i * 64, (i + 1) * 64).findIndex((x) => x !== 0)
      return at
    })
    assert.deepStrictEqual(first, firstPixels)
  })
})
const firstPixels: ReadonlyArray<number> = [0, 8, 16, 16, 1, 0]

describe("shapes", () => {
  it("are known at compile time, as at run time", () => {
    const cifar = Effect.runSync(Data.synthetic({ shape: [3, 32, 32], train: 4, test: 4 })).train
    const folder = Data.make({
      name: "folder",
      shape: [3, "H", "W"],
      classes: ["a"],
      length: 1,
      read: () => Effect.never,
    })
    const table = [
      [cifar.pipe(Data.map(Transforms.resize([224, 200]))), [3, 224, 200]],
      [cifar.pipe(Data.map(Transforms.pad([1, 2, 3, 4])), Data.map(Transforms.resize(19))), [3, 20, 19]],
      [cifar.pipe(Data.map(Transforms.grayscale()), Data.map(Transforms.randomCrop(30))), [1, 30, 30]],
      [cifar.pipe(Data.map(augment8)), [3, 8, 8]],
      [folder.pipe(Data.map(Transforms.resize(256))), [3, "H", "W"]],
      [folder.pipe(Data.map(Transforms.resize(256)), Data.map(Transforms.centerCrop([224, 220]))), [3, 224, 220]],
    ] as const
    for (const [set, shape] of table) assert.deepStrictEqual<Shape>([...(set as Data.Dataset<Shape>).shape], [...shape])
    expectTypeOf(table[0][0].shape).toEqualTypeOf<[3, 224, 200]>()
    expectTypeOf(table[1][0].shape).toEqualTypeOf<[3, 20, 19]>()
    expectTypeOf(table[2][0].shape).toEqualTypeOf<[1, 30, 30]>()
    expectTypeOf(table[3][0].shape).toEqualTypeOf<[3, 8, 8]>()
    expectTypeOf(table[4][0].shape).toEqualTypeOf<[3, "H", "W"]>()
    expectTypeOf(table[5][0].shape).toEqualTypeOf<[3, 224, 220]>()
    expectTypeOf(cifar.pipe(Data.map(Transforms.normalize([0.5, 0.5, 0.5], [1, 1, 1]))).shape).toEqualTypeOf<
      readonly [3, 32, 32]
    >()
  })

  const open: Data.Dataset<ReadonlyArray<number>> = Effect.runSync(Data.synthetic({ shape: [2, 5, 6], train: 2 })).train
  const many: ReadonlyArray<number> = [1, 2, 3]
  it.effect.each([
    [
      open.pipe(Data.map(Transforms.normalize(many, [1, 1, 1]))),
      "does not fit normalize: it has 3 means and deviations but the pictures are 2×5×6",
    ],
    [
      open.pipe(Data.map(Transforms.normalize([1], [0]))),
      "does not fit normalize: it has deviations [0], none of which may be 0 or infinite",
    ],
    [
      open.pipe(Data.map(Transforms.randomCrop(6))),
      "does not fit randomCrop: it takes crops of 6, larger than pictures of 2×5×6 with their padding",
    ],
    [
      open.pipe(Data.map(Transforms.lighting())),
      "does not fit lighting: it expects 3 channels but the pictures are 2×5×6",
    ],
    [
      open.pipe(Data.map(Transforms.colorJitter({ hue: 0.1 }))),
      "does not fit colorJitter: it expects 1 or 3 channels but the pictures are 2×5×6",
    ],
    [
      open.pipe(Data.map(Transforms.colorJitter({ hue: 0.6 }))),
      "does not fit colorJitter: it has hue from -0.6 to 0.6, which must be a range within -0.5 to 0.5",
    ],
    [
      open.pipe(Data.map(Transforms.pad(6, { mode: "reflect" }))),
      "does not fit pad: it pads more pixels than it can mirror of pictures of 2×5×6",
    ],
    [
      open.pipe(Data.map(Transforms.randomHorizontalFlip(2))),
      "does not fit randomHorizontalFlip: it has probability 2, which must be from 0 to 1",
    ],
    [
      open.pipe(Data.map(Transforms.compose(Transforms.grayscale(), Transforms.pad(1)))),
      "does not fit compose(grayscale, pad): it expects 1 or 3 channels but the pictures are 2×5×6 (in grayscale)",
    ],
  ] as const)("what does not fit is told when the set is read: %#", ([set, message]) =>
    Effect.gen(function* () {
      const some: Data.Dataset<ReadonlyArray<number>> = set as Data.Dataset<ReadonlyArray<number>>
      const error = yield* Effect.flip(Stream.runDrain(some.pipe(Data.batch(1)).epoch({ seed: 0, epoch: 1 })))
      assert.strictEqual(error.message, `synthetic train ${message}`)
    }),
  )
})
const augment8 = Transforms.compose(
  Transforms.randomResizedCrop(8),
  Transforms.normalize([0.5, 0.5, 0.5], [0.5, 0.5, 0.5]),
)
