/** Reading samples that lie in several places, in the order that is asked for. */
import * as Effect from "effect/Effect"
import type { DataError } from "../DataError.ts"
import { joined } from "./joined.ts"
import type { Samples, SampleShape } from "./Dataset.ts"

/**
 * Reads each sample from the part it is in: `partOf` says which, `read` is asked once for each part with the positions
 * of its samples.
 */
export const readParts = (
  samples: Uint32Array,
  partOf: (sample: number) => number,
  read: (part: number, samples: Uint32Array) => Effect.Effect<Samples, DataError>,
): Effect.Effect<Samples, DataError> => {
  const parts = new Map<number, Array<number>>()
  samples.forEach((sample, at) => {
    const part = partOf(sample)
    const places = parts.get(part)
    if (places === undefined) parts.set(part, [at])
    else places.push(at)
  })
  const [only] = parts.keys()
  if (parts.size === 1 && only !== undefined) return read(only, samples)
  const reading = Effect.forEach(parts, ([part, places]) =>
    Effect.map(
      read(
        part,
        Uint32Array.from(places, (at) => samples[at]!),
      ),
      (got) => ({ places, got }),
    ),
  )
  return Effect.map(reading, (all): Samples => {
    const labels = new Float32Array(samples.length)
    const pictures: Array<Float32Array> = []
    const shapes: Array<SampleShape> = []
    for (const { places, got } of all) {
      let from = 0
      places.forEach((at, i) => {
        const size = got.shapes?.[i]?.reduce((n, d) => n * d, 1) ?? got.images.length / places.length
        pictures[at] = got.images.subarray(from, from + size)
        from += size
        labels[at] = got.labels[i]!
        if (got.shapes !== undefined) shapes[at] = got.shapes[i]!
      })
    }
    return { images: joined(pictures), labels, ...(shapes.length > 0 ? { shapes } : {}) }
  })
}
