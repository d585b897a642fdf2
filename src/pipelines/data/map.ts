import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Random from "../../ops/random.ts"
import { isRefusal } from "../../shapes/Refusal.ts"
import { type Shape, unknownDim } from "../../shapes/Shape.ts"
import { DataError } from "../DataError.ts"
import type { Bound, Fitting, Out, Rule, Transform } from "../transforms/Transform.ts"
import { joined } from "./joined.ts"
import { type Dataset, elements, type EpochKey, known, refuse, type Samples, type SampleShape } from "./Dataset.ts"

/** the key of the random numbers of a sample: of seed, epoch and sample, and of nothing else */
const keyOf = ({ seed, epoch }: EpochKey): ((sample: number) => Float32Array) => {
  // the 44 bits of an epoch's key as the seed of its samples
  const ofEpoch = Random.key(seed, epoch).reduce((number, limb) => number * 2048 + limb, 0)
  return (sample) => Random.key(ofEpoch, sample)
}
const noKey = new Float32Array(Random.keyLimbs)

/** samples that are read at once where they have sizes of their own: enough for a decoder's threads, few in memory */
const concurrency = 8

/** what a transform does to pictures of one shape, remembered for the shapes seen last */
const binder = (transform: Transform, stream: string) => {
  const bound = new Map<string, { readonly run: Bound; readonly shape: SampleShape }>()
  return (shape: SampleShape): { readonly run: Bound; readonly shape: SampleShape } | string => {
    const name = shape.join("×")
    const old = bound.get(name)
    if (old !== undefined) return old
    const given = transform.shape(shape)
    if (isRefusal(given)) return given.sentence
    const out = known(given)
    if (out === undefined) return `gives no known size for pictures of ${name}`
    const made = { run: transform.bind(shape, out, stream), shape: out }
    if (bound.size >= 32) bound.clear()
    bound.set(name, made)
    return made
  }
}

/**
 * The same samples with their pictures transformed, whenever they are read. Random transforms are keyed by seed, epoch
 * and sample, so neither the order, nor the batches, nor who reads them changes a bit.
 *
 * **Shapes** those that the transform gives; pictures that do not fit it do not compile. Where sizes are known only at
 * run time, the set fails with `DataError` (`Unfit`) when it is read.
 *
 * @example
 * cifar.train.pipe(Data.map(Transforms.randomHorizontalFlip()), Data.map(Transforms.resize([224, 224])))
 */
export const map: {
  <R extends Rule>(transform: Transform<R>): <S extends Shape>(self: Fitting<R, S, Dataset<S>>) => Dataset<Out<R, S>>
  <S extends Shape, R extends Rule>(self: Fitting<R, S, Dataset<S>>, transform: Transform<R>): Dataset<Out<R, S>>
} = dual(2, (self: Dataset<Shape>, transform: Transform): Dataset<Shape> => {
  const unfit = (sentence: string) => ({ _tag: "Unfit", transform: transform.name, sentence }) as const
  const shape = transform.shape(self.shape)
  if (isRefusal(shape)) return refuse(self, unfit(shape.sentence))
  if (shape.includes(unknownDim)) return refuse(self, { _tag: "UnknownSize", shape: shape.join("×") })
  const bind = binder(transform, `map${self.maps}.${transform.name}`)
  const input = known(self.shape)
  const fail = (sentence: string) => new DataError({ source: self.name, reason: unfit(sentence) })

  /** samples of one shape: read together, written one after the other */
  const together = (from: SampleShape, samples: Uint32Array, key: EpochKey) =>
    Effect.flatMap(self.read(samples, key), (read): Effect.Effect<Samples, DataError> => {
      const bound = bind(from)
      if (typeof bound === "string") return fail(bound)
      const [n, size] = [elements(from), elements(bound.shape)]
      const images = new Float32Array(samples.length * size)
      const sampleKey = transform.random ? keyOf(key) : () => noKey
      for (let i = 0; i < samples.length; i++) {
        const picture = read.images.subarray(i * n, (i + 1) * n)
        bound.run(picture, images.subarray(i * size, (i + 1) * size), sampleKey(samples[i]!))
      }
      return Effect.succeed({ images, labels: read.labels })
    })

  /** samples of many shapes: one at a time, so that no more than a few of the originals are in memory */
  const apart = Effect.fnUntraced(function* (samples: Uint32Array, key: EpochKey) {
    const sampleKey = transform.random ? keyOf(key) : () => noKey
    const out = known(shape)
    const labels = new Float32Array(samples.length)
    const pictures: Array<Float32Array> = []
    const shapes: Array<SampleShape> = []
    // where the size is known, the batch is there before its samples
    const images = out === undefined ? undefined : new Float32Array(samples.length * elements(out))
    yield* Effect.forEach(
      samples,
      (sample, i) =>
        Effect.flatMap(self.read(Uint32Array.of(sample), key), (read): Effect.Effect<void, DataError> => {
          const bound = bind(read.shapes?.[0] ?? [])
          if (typeof bound === "string") return fail(bound)
          const size = elements(bound.shape)
          const to = images?.subarray(i * size, (i + 1) * size) ?? new Float32Array(size)
          bound.run(read.images, to, sampleKey(sample))
          labels[i] = read.labels[0]!
          pictures[i] = to
          shapes[i] = bound.shape
          return Effect.void
        }),
      { concurrency, discard: true },
    )
    return images === undefined ? { images: joined(pictures), labels, shapes } : { images, labels }
  })

  return {
    ...self,
    shape,
    maps: self.maps + 1,
    random: self.random || transform.random,
    read: (samples, key) => (input === undefined ? apart(samples, key) : together(input, samples, key)),
  }
})
