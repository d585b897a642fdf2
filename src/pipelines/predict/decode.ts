/** Pictures from encoded bytes, by the optional package `sharp`. */
import * as Effect from "effect/Effect"
import type { MissingPackage } from "../MissingPackage.ts"
import { loadSharp, type Pipeline, type Raw } from "../images/sharp.ts"
import { PredictError } from "./PredictError.ts"

/** A picture's pixels, row by row from the top, each with `channels` numbers from 0 to 1. */
export interface Picture {
  readonly width: number
  readonly height: number
  readonly channels: number
  readonly data: Float32Array
}

const pictureOf = ({ data, info: { width, height, channels } }: Raw): Picture => ({
  width,
  height,
  channels,
  data: Float32Array.from(data, (x) => x / 255),
})

/** decoded, upright, with what `stages` does to it */
const decoded = (bytes: Uint8Array, source: string, stages: (picture: Pipeline) => Pipeline) =>
  Effect.flatMap(loadSharp("to decode pictures"), ({ default: sharp }) =>
    Effect.tryPromise({
      try: () => stages(sharp(bytes).autoOrient()).raw().toBuffer({ resolveWithObject: true }),
      catch: (cause) => {
        const told = cause instanceof Error ? cause.message : String(cause)
        return new PredictError({
          source,
          reason: { _tag: "Undecodable", detail: told.replaceAll(/\s+/g, " ").trim() },
        })
      },
    }),
  ).pipe(Effect.map(pictureOf))

/** pixels on the longer side that a picture is brought down to before a digit is looked for */
const largest = 280

/** not larger than a digit needs; with transparency, where there is some, as a last channel */
export const decodeSmall = (bytes: Uint8Array, source: string): Effect.Effect<Picture, PredictError | MissingPackage> =>
  decoded(bytes, source, (picture) =>
    picture.resize({ width: largest, height: largest, fit: "inside", withoutEnlargement: true }).toColourspace("srgb"),
  )

/** resized so that it covers height × width, what hangs over being cut; with 1 or 3 channels, on white */
export const decodeTo = (
  bytes: Uint8Array,
  source: string,
  [channels, height, width]: readonly [number, number, number],
): Effect.Effect<Picture, PredictError | MissingPackage> =>
  decoded(bytes, source, (picture) =>
    picture
      .flatten({ background: "#ffffff" })
      .resize({ width, height, fit: "cover", kernel: "linear" })
      .toColourspace(channels === 1 ? "b-w" : "srgb"),
  )

/** the same numbers, channel after channel: `[C, H, W]` */
export const planes = ({ width, height, channels, data }: Picture): Float32Array => {
  const pixels = width * height
  const out = new Float32Array(data.length)
  for (let i = 0; i < pixels; i++) for (let c = 0; c < channels; c++) out[c * pixels + i] = data[i * channels + c]!
  return out
}
