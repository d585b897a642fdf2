/** Data sets of files: the real Fashion-MNIST, records of CIFAR, folders of pictures; whole, and spoilt in many ways. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"
import { execFileSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { expectTypeOf } from "vitest"
import * as Data from "../../src/pipelines/Data.ts"
import { DataError } from "../../src/pipelines/DataError.ts"
import * as Idx from "../../src/pipelines/Idx.ts"
import * as Transforms from "../../src/pipelines/Transforms.ts"

const key = { seed: 0, epoch: 1 }
const first = <S extends Data.SampleShape>(set: Data.Dataset<S>, size: number) =>
  Effect.map(set.read(set.order(key).subarray(0, size), key), (read) => read)
const offline = { download: false, cacheFolder: "/nowhere" } as const
const isInstalled = existsSync("/usr/share/datasets/fashion-mnist")

layer(NodeServices.layer)("Fashion-MNIST", (it) => {
  it.effect.skipIf(!isInstalled && process.env["CI"] === undefined)(
    "the real one, from the system's shared folder",
    () =>
      Effect.gen(function* () {
        const { train, test } = yield* Data.fashionMnist(offline)
        assert.deepStrictEqual([train.length, test.length], [60_000, 10_000])
        expectTypeOf(train.shape).toEqualTypeOf<readonly [1, 28, 28]>()
        const { labels } = yield* first(train, 5)
        assert.deepStrictEqual(
          Array.from(labels, (l) => train.classes[l]),
          ["Ankle boot", "T-shirt/top", "T-shirt/top", "Dress", "T-shirt/top"],
        )
        // the published mean and deviation
        const { mean, std } = yield* Data.statistics(train)
        assert.closeTo(mean[0]!, 0.286, 5e-5)
        assert.closeTo(std[0]!, 0.353, 5e-5)
      }),
    60_000,
  )
})

/** records of a CIFAR file: the label, then three planes whose bytes tell which record and plane they are */
const records = (count: number, label: (i: number) => ReadonlyArray<number>) => {
  const bytes = new Uint8Array(count * (3072 + label(0).length))
  let at = 0
  for (let i = 0; i < count; i++) {
    bytes.set(label(i), at)
    at += label(i).length
    for (let c = 0; c < 3; c++, at += 1024) bytes.fill((i + 50 * c) & 255, at, at + 1024)
  }
  return bytes
}
const temporary = Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeTempDirectoryScoped())
const writeAll = Effect.fnUntraced(function* (folder: string, files: Readonly<Record<string, Uint8Array>>) {
  const fs = yield* FileSystem.FileSystem
  for (const [name, bytes] of Object.entries(files)) yield* fs.writeFile(`${folder}/${name}`, bytes)
})
const cifar10 = () => ({
  ...Object.fromEntries(
    [1, 2, 3, 4, 5].map((n) => [`data_batch_${n}.bin`, records(10_000, (i) => [(i + n) % 10])] as const),
  ),
  "test_batch.bin": records(10_000, (i) => [i % 10]),
})

layer(NodeServices.layer)("CIFAR", (it) => {
  it.effect(
    "10: its files in a folder, in the folder they are published in, and in an archive that is unpacked once",
    () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const folder = yield* temporary
        const inside = `${folder}/cifar-10-batches-bin`
        yield* fs.makeDirectory(inside)
        yield* writeAll(inside, cifar10())
        for (const place of [inside, folder]) {
          const { train, test } = yield* Data.cifar10({ ...offline, folder: place })
          assert.deepStrictEqual([train.length, test.length], [50_000, 10_000])
          expectTypeOf(train.shape).toEqualTypeOf<readonly [3, 32, 32]>()
          const { images, labels } = yield* train.read(Uint32Array.of(0, 10_003), key)
          assert.deepStrictEqual(
            Array.from(labels, (l) => train.classes[l]),
            ["automobile", "frog"].map((_, i) => train.classes[[1, 5][i]!]!),
          )
          assert.deepStrictEqual(
            [0, 1024, 2048, 3072].map((at) => Math.round(images[at]! * 255)),
            [0, 50, 100, 3],
          )
        }
        execFileSync("tar", ["czf", `${folder}/cifar-10-binary.tar.gz`, "-C", folder, "cifar-10-batches-bin"])
        yield* fs.remove(inside, { recursive: true })
        for (const _ of ["unpacked", "found"]) {
          const { test } = yield* Data.cifar10({ ...offline, folder })
          assert.strictEqual(test.length, 10_000)
          assert.deepStrictEqual((yield* fs.readDirectory(folder)).toSorted(), [
            "cifar-10-batches-bin",
            "cifar-10-binary.tar.gz",
          ])
        }
        // an archive that was cut short leaves no folder behind
        yield* fs.remove(inside, { recursive: true })
        const archive = yield* fs.readFile(`${folder}/cifar-10-binary.tar.gz`)
        yield* fs.writeFile(`${folder}/cifar-10-binary.tar.gz`, archive.subarray(0, archive.length * 0.7))
        const error = yield* Effect.flip(Data.cifar10({ ...offline, folder }))
        assert.match(
          error.message,
          /cifar-10-binary\.tar\.gz cannot be unpacked \(.*\); delete it, and it is fetched again/,
        )
        assert.deepStrictEqual(yield* fs.readDirectory(folder), ["cifar-10-binary.tar.gz"])
      }).pipe(Effect.scoped),
    60_000,
  )

  it.effect(
    "100: fine and coarse labels",
    () =>
      Effect.gen(function* () {
        const folder = yield* temporary
        const label = (i: number) => [i % 20, i % 100]
        yield* writeAll(folder, { "train.bin": records(50_000, label), "test.bin": records(10_000, label) })
        const fine = yield* Data.cifar100({ ...offline, folder })
        const coarse = yield* Data.cifar100({ ...offline, folder, labels: "coarse" })
        assert.deepStrictEqual([fine.train.classes.length, coarse.train.classes.length], [100, 20])
        const at = Uint32Array.of(99, 23)
        assert.deepStrictEqual(Array.from((yield* fine.test.read(at, key)).labels), [99, 23])
        assert.deepStrictEqual(Array.from((yield* coarse.test.read(at, key)).labels), [19, 3])
        assert.deepStrictEqual([fine.train.classes[99], coarse.train.classes[3]], ["worm", "food_containers"])
      }).pipe(Effect.scoped),
    60_000,
  )

  it.effect(
    "a file that is missing, cut, too long, or has a label that is none",
    () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const folder = yield* temporary
        yield* writeAll(folder, cifar10())
        const whole = records(10_000, (i) => [i % 10])
        const wrong = whole.slice()
        wrong[3073 * 17] = 10
        for (const [bytes, pattern] of [
          [undefined, /^data_batch_3\.bin not found in .*; put data_batch_1\.bin, /],
          [whole.subarray(0, 3_000_001), /data_batch_3\.bin ends after 3000001 bytes, but .* 30730000/],
          [Buffer.concat([whole, Uint8Array.of(1)]), /data_batch_3\.bin has 30730001 bytes, 1 more/],
          [wrong, /data_batch_3\.bin has label 10 for sample 17, but there are 10 classes/],
        ] as const) {
          yield* fs.remove(`${folder}/data_batch_3.bin`, { force: true })
          if (bytes !== undefined) yield* writeAll(folder, { "data_batch_3.bin": bytes })
          assert.match((yield* Effect.flip(Data.cifar10({ ...offline, folder }))).message, pattern)
        }
        const none = yield* Effect.flip(Data.cifar10({ ...offline, folder: yield* temporary }))
        assert.match(none.message, /^CIFAR-10 not found in .*; let it be downloaded, or name the folder of its files$/)
      }).pipe(Effect.scoped),
    60_000,
  )
})

interface Golden {
  readonly name: string
  readonly file: string
  readonly extension: string
  readonly rgb: { readonly shape: ReadonlyArray<number>; readonly data: string }
  readonly grey: { readonly shape: ReadonlyArray<number>; readonly data: string }
}
const { pictures }: { readonly pictures: ReadonlyArray<Golden> } = JSON.parse(
  readFileSync(new URL("torchvision.json", import.meta.url), "utf8"),
)
const floats = (data: string) => {
  const bytes = Buffer.from(data, "base64")
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))
}
const photos = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const folder = yield* temporary
  for (const name of ["b", "B", "a"]) yield* fs.makeDirectory(`${folder}/${name}/inner`, { recursive: true })
  yield* writeAll(folder, { "notes.txt": Uint8Array.of(1), "a/readme.md": Uint8Array.of(2) })
  for (const [i, p] of pictures.entries()) {
    const place = ["a/", "B/inner/", "b/"][i % 3]!
    yield* fs.writeFile(`${folder}/${place}${p.name}.${p.extension}`, Buffer.from(p.file, "base64"))
  }
  return folder
})

layer(NodeServices.layer)("A folder of pictures", (it) => {
  it.effect("classes in torchvision's order, pixels as PIL decodes them", () =>
    Effect.gen(function* () {
      const folder = yield* photos
      const colour = yield* Data.imageFolder(folder)
      const grey = yield* Data.imageFolder(folder, { channels: 1 })
      expectTypeOf(colour.shape).toEqualTypeOf<readonly [3, "H", "W"]>()
      expectTypeOf(grey.shape).toEqualTypeOf<readonly [1, "H", "W"]>()
      assert.deepStrictEqual(colour.classes, ["B", "a", "b"])
      // a: rgb, palette; B: grey, photo; b: alpha, greyphoto; each by name
      const order = ["grey", "photo", "palette", "rgb", "alpha", "greyphoto"]
      const read = yield* colour.read(colour.order(key), key)
      const inGrey = yield* grey.read(grey.order(key), key)
      assert.deepStrictEqual(Array.from(read.labels), [0, 0, 1, 1, 2, 2])
      let [at, greyAt] = [0, 0]
      for (const [i, name] of order.entries()) {
        const golden = pictures.find((p) => p.name === name)!
        const [rgb, l] = [floats(golden.rgb.data), floats(golden.grey.data)]
        assert.deepStrictEqual([...read.shapes![i]!], [...golden.rgb.shape])
        // JPEG leaves a decoder some freedom
        const most = golden.extension === "png" ? 0 : 2
        rgb.forEach((v, j) =>
          assert.isAtMost(Math.abs(Math.round(read.images[at + j]! * 255) - v), most, `${name} ${j}`),
        )
        l.forEach((v, j) =>
          assert.isAtMost(Math.abs(Math.round(inGrey.images[greyAt + j]! * 255) - v), most, `${name} ${j}`),
        )
        at += rgb.length
        greyAt += l.length
      }
      const { mean } = yield* Data.statistics(colour)
      const own = [0, 1, 2].map((c) => {
        const all = pictures.flatMap((p) => Array.from(floats(p.rgb.data).subarray(c * 143, (c + 1) * 143)))
        return all.reduce((a, b) => a + b, 0) / all.length / 255
      })
      own.forEach((m, c) => assert.closeTo(mean[c]!, m, 2e-3))
    }).pipe(Effect.scoped),
  )

  it.effect("one size for all makes batches of them, in any order", () =>
    Effect.gen(function* () {
      const folder = yield* photos
      const set = (yield* Data.imageFolder(folder)).pipe(
        Data.map(Transforms.resize(9)),
        Data.map(Transforms.centerCrop([8, 7])),
      )
      expectTypeOf(set.shape).toEqualTypeOf<[3, 8, 7]>()
      const all = yield* Stream.runCollect(set.pipe(Data.shuffle, Data.batch(4), Data.prefetch(2)).epoch(key))
      assert.deepStrictEqual(
        all.map((b) => [b.rows, b.images.length]),
        [
          [4, 4 * 168],
          [2, 2 * 168],
        ],
      )
      const again = yield* Effect.flatMap(Data.cache(set), (cached) =>
        Stream.runCollect(cached.pipe(Data.shuffle, Data.batch(6)).epoch(key)),
      )
      assert.deepStrictEqual(
        Array.from(again[0]!.images),
        all.flatMap((b) => Array.from(b.images)),
      )
      // sizes of their own make no batch, where the compiler does not see it either
      const open: Data.Dataset<ReadonlyArray<number>> = Data.make<ReadonlyArray<number>>({
        ...(yield* Data.imageFolder(folder)),
        shape: [3],
      })
      assert.strictEqual(open.shape.length, 1)
    }).pipe(Effect.scoped),
  )

  it.effect("a picture that is spoilt, at any place, is named; so is a class without any", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* photos
      const path = `${folder}/a/rgb.png`
      const whole = yield* fs.readFile(path)
      const set = (yield* Data.imageFolder(folder)).pipe(Data.map(Transforms.resize([4, 4])))
      const cuts = fc.sample(fc.integer({ min: 0, max: whole.length - 20 }), { numRuns: 20, seed: 1 })
      for (const at of cuts) {
        yield* fs.writeFile(path, whole.subarray(0, at))
        const error = yield* Effect.flip(Stream.runDrain(set.pipe(Data.batch(2)).epoch(key)))
        assert.match(error.message, /a\/rgb\.png is no picture that can be decoded \(.*\); replace it, or take it out/)
      }
      yield* fs.remove(path)
      const gone = yield* Effect.flip(Stream.runDrain(set.pipe(Data.batch(2)).epoch(key)))
      assert.match(gone.message, /a\/rgb\.png cannot be read \(it does not exist\)/)
      yield* fs.makeDirectory(`${folder}/c`)
      assert.match(
        (yield* Effect.flip(Data.imageFolder(folder))).message,
        /a picture .* not found in .*\/c; put pictures/,
      )
      assert.match(
        (yield* Effect.flip(Data.imageFolder(`${folder}/zzz`))).message,
        /zzz not found in the file system; name a folder/,
      )
      assert.match(
        (yield* Effect.flip(Data.imageFolder(path.replace("rgb.png", "readme.md")))).message,
        /it is no folder/,
      )
    }).pipe(Effect.scoped),
  )
})

layer(NodeServices.layer)("IDX files", (it) => {
  it.effect("cut at random places, packed or not, are refused with a DataError that names the file", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* temporary
      const images = Idx.encode({ shape: [5, 4, 4], data: Uint8Array.from({ length: 80 }, (_, i) => i) })
      const packed = new Uint8Array(Buffer.from(execFileSync("gzip", ["-c"], { input: images })))
      yield* writeAll(folder, { labels: Idx.encode({ shape: [5], data: new Uint8Array(5) }) })
      for (const [name, bytes] of [
        ["images", images],
        ["images.gz", packed],
      ] as const) {
        for (const at of fc.sample(fc.integer({ min: 0, max: bytes.length - 1 }), { numRuns: 30, seed: 2 })) {
          yield* fs.writeFile(`${folder}/${name}`, bytes.subarray(0, at))
          const error = yield* Effect.flip(
            Data.idx({
              name: "cut",
              shape: [1, 4, 4],
              images: `${folder}/${name}`,
              labels: `${folder}/labels`,
              classes: 2,
            }),
          )
          assert.instanceOf(error, DataError)
          assert.include(error.message, `${folder}/${name}`)
        }
      }
    }).pipe(Effect.scoped),
  )
})
