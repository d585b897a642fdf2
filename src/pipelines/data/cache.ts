import * as Effect from "effect/Effect"
import type { Shape } from "../../shapes/Shape.ts"
import { type Dataset, refuse, type Samples, type SampleShape } from "./Dataset.ts"
import { joined } from "./joined.ts"

/**
 * The same set, of which each sample is read once and kept in memory: decoded pictures, resized ones. What is random
 * comes after it; after a random transform it fails, when it is read, with `DataError` (`BadOption`).
 *
 * @example
 * const photos = yield* folder.pipe(Data.map(Transforms.resize([64, 64])), Data.cache)
 */
export const cache = <S extends Shape>(self: Dataset<S>): Effect.Effect<Dataset<S>> =>
  Effect.sync(() => {
    if (self.random) {
      const expected = "a set without random transforms: put the cache before them"
      return refuse(self, { _tag: "BadOption", option: "cache", found: "pictures that change by epoch", expected })
    }
    interface Kept {
      readonly image: Float32Array
      readonly label: number
      readonly shape: SampleShape | undefined
    }
    const kept = new Map<number, Kept>()
    const keep = (samples: Uint32Array, read: Samples): void => {
      let at = 0
      samples.forEach((sample, i) => {
        const shape = read.shapes?.[i]
        const size = shape?.reduce((n, d) => n * d, 1) ?? read.images.length / samples.length
        // a copy: the batch that it was read with is not to stay for it
        kept.set(sample, { image: read.images.slice(at, at + size), label: read.labels[i]!, shape })
        at += size
      })
    }
    const set: Dataset<S> = {
      ...self,
      read: (samples, key) => {
        const missing = Uint32Array.from(new Set(samples.filter((sample) => !kept.has(sample))))
        const fetch =
          missing.length === 0 ? Effect.void : Effect.map(self.read(missing, key), (read) => keep(missing, read))
        return Effect.map(fetch, (): Samples => {
          // all of them are there by now
          const all = Array.from(samples, (sample) => kept.get(sample)!)
          const shapes = all.flatMap((k) => (k.shape === undefined ? [] : [k.shape]))
          const images = joined(all.map((k) => k.image))
          const labels = Float32Array.from(all, (k) => k.label)
          return { images, labels, ...(shapes.length > 0 ? { shapes } : {}) }
        })
      },
    }
    return set
  })
