/** Made-up pictures that a network can learn, for tests and examples that need no files. */
import * as Effect from "effect/Effect"
import * as Random from "../../ops/random.ts"
import { DataError } from "../DataError.ts"
import { type Dataset, elements, make, type SampleShape } from "./Dataset.ts"
import type { Splits } from "./idx.ts"

const controlPoints = 5

/** a smooth random picture for a class: random heights on a coarse grid, interpolated between */
const prototype = (
  uniform: (position: number) => number,
  channels: number,
  height: number,
  width: number,
): Float32Array => {
  const picture = new Float32Array(channels * height * width)
  for (let c = 0; c < channels; c++) {
    const grid = Array.from({ length: controlPoints ** 2 }, (_, i) => uniform(c * controlPoints ** 2 + i))
    const at = (y: number, x: number): number => grid[y * controlPoints + x]!
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const [v, u] = [(y / height) * (controlPoints - 1), (x / width) * (controlPoints - 1)]
        const [row, column] = [Math.floor(v), Math.floor(u)]
        const [dv, du] = [v - row, u - column]
        const top = at(row, column) * (1 - du) + at(row, column + 1) * du
        const bottom = at(row + 1, column) * (1 - du) + at(row + 1, column + 1) * du
        picture[(c * height + y) * width + x] = top * (1 - dv) + bottom * dv
      }
    }
  }
  return picture
}

const wrap = (i: number, n: number): number => ((i % n) + n) % n

/**
 * A seeded set of pictures in classes: each class has a smooth picture of its own, and each sample shows it shifted by
 * up to two pixels (fewer where it is small) with noise of size `noise` added, between 0 and 1. The same seed gives the same samples everywhere.
 *
 * Fails with `DataError` (`BadOption`) where a size or count makes no sense.
 *
 * @example
 * const { train, test } = yield* Data.synthetic({ seed: 1, train: 1000, test: 200 })
 * train.shape // => [1, 28, 28]
 */
export const synthetic: {
  (options?: SyntheticOptions): Effect.Effect<Splits<readonly [1, 28, 28]>, DataError>
  <const S extends readonly [number, number, number]>(
    options: SyntheticOptions & { readonly shape: S },
  ): Effect.Effect<Splits<S>, DataError>
} = <S extends SampleShape>(options: SyntheticOptions & { readonly shape?: S } = {}) => {
  // without a shape, the overload says that S is this one
  const shape = options.shape ?? ([1, 28, 28] as SampleShape as S)
  const { seed = 0, train = 2000, test = 500, classes = 10, noise = 0.15 } = options
  const counts = { train, test, classes, ...Object.fromEntries(shape.map((d, i) => [`shape[${i}]`, d])) }
  for (const [option, found] of Object.entries(counts)) {
    if (!Number.isInteger(found) || found < 1) {
      const reason = { _tag: "BadOption", option, found, expected: "a whole number of at least 1" } as const
      return Effect.fail(new DataError({ source: "synthetic", reason }))
    }
  }
  const [channels, height, width] = [shape[0]!, shape[1]!, shape[2]!]
  const size = elements(shape)
  return Effect.sync((): Splits<S> => {
    const pictures = Array.from({ length: classes }, (_, k) =>
      prototype(Random.uniform(Random.key(seed, k), Random.stream("synthetic classes")), channels, height, width),
    )
    // small pictures move less, or one class would look like another
    const reach = Math.min(2, Math.floor(Math.min(height, width) / 10))
    const draw = (stream: number, sample: number, images: Float32Array, to: number): number => {
      const uniform = Random.uniform(Random.key(seed, sample), stream)
      const shift = (position: number): number => Math.floor(uniform(position) * (2 * reach + 1)) - reach
      const label = Math.floor(uniform(0) * classes)
      const picture = pictures[label]!
      const [dy, dx] = [shift(1), shift(2)]
      for (let c = 0, i = 0; c < channels; c++) {
        for (let y = 0; y < height; y++) {
          const row = (c * height + wrap(y + dy, height)) * width
          for (let x = 0; x < width; x++, i++) {
            const pixel = picture[row + wrap(x + dx, width)]!
            images[to + i] = Math.min(1, Math.max(0, pixel + noise * (2 * uniform(3 + i) - 1)))
          }
        }
      }
      return label
    }
    const part = (name: string, length: number): Dataset<S> =>
      make({
        name: `synthetic ${name}`,
        shape,
        classes: Array.from({ length: classes }, (_, k) => String(k)),
        length,
        labels: () => {
          const stream = Random.stream(`synthetic ${name}`)
          return Array.from({ length }, (_, sample) =>
            Math.floor(Random.uniform(Random.key(seed, sample), stream)(0) * classes),
          )
        },
        read: (samples) =>
          Effect.sync(() => {
            const images = new Float32Array(samples.length * size)
            const stream = Random.stream(`synthetic ${name}`)
            const labels = Float32Array.from(samples, (sample, n) => draw(stream, sample, images, n * size))
            return { images, labels }
          }),
      })
    return { train: part("train", train), test: part("test", test) }
  })
}

interface SyntheticOptions {
  readonly seed?: number
  /** samples to train on: 2000 unless told */
  readonly train?: number
  /** samples to test on: 500 unless told */
  readonly test?: number
  readonly classes?: number
  readonly noise?: number
}
