import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import { DataError, type DataReason } from "../DataError.ts"
import { loadSharp } from "../images/sharp.ts"
import { platformReason } from "../platformReason.ts"
import { type Dataset, make, type Samples, type SampleShape } from "./Dataset.ts"
import { namedFolder } from "./files.ts"
import { joined } from "./joined.ts"

/** files that count as pictures, by what their names end in */
const isPicture = (name: string): boolean => /\.(png|jpe?g)$/i.test(name)

/** pictures that are read and decoded at once: as many as sharp's own threads, and some that are read meanwhile */
const concurrency = 8

/** what each byte of a picture stands for */
const shares = Float32Array.from({ length: 256 }, (_, byte) => byte / 255)

/** channels after channels, from 0 to 1; grey as PIL makes it of colours, in whole numbers */
const planes = (data: Uint8Array, channels: 1 | 3, pixels: number, given: number): Float32Array => {
  const out = new Float32Array(channels * pixels)
  // one channel, or one with transparency, is grey already
  const [green, blue] = given < 3 ? [0, 0] : [1, 2]
  if (channels === 1) {
    for (let i = 0, at = 0; i < pixels; i++, at += given)
      out[i] = shares[(data[at]! * 19595 + data[at + green]! * 38470 + data[at + blue]! * 7471 + 0x8000) >> 16]!
    return out
  }
  for (let i = 0, at = 0; i < pixels; i++, at += given) {
    out[i] = shares[data[at]!]!
    out[pixels + i] = shares[data[at + green]!]!
    out[2 * pixels + i] = shares[data[at + blue]!]!
  }
  return out
}

/**
 * A folder of pictures by class: each folder in it is a class, in alphabetical order, and holds the class's PNG and JPEG
 * files, at any depth. They are decoded when they are read, off the main thread, and keep their sizes until `resize` or a
 * crop brings them to one: `[3, "H", "W"]` from 0 to 1, or with `channels: 1` in grey. torchvision's `ImageFolder`.
 *
 * Needs the optional package `sharp`, and the `FileSystem` and `Path` of a platform. Fails with `DataError`: `NotFound`,
 * `Unreadable`; reading it with `Undecodable` and `MissingPackage` too.
 *
 * @example
 * const photos = yield* Data.imageFolder("photos/train")
 * photos.pipe(Data.map(Transforms.randomResizedCrop(224)), Data.shuffle, Data.batch(32), Data.prefetch(2))
 */
export const imageFolder: <const C extends 1 | 3 = 3>(
  folder: string,
  options?: { readonly channels?: C },
) => Effect.Effect<Dataset<readonly [C, "H", "W"]>, DataError, FileSystem.FileSystem | Path.Path> = Effect.fnUntraced(
  function* <const C extends 1 | 3 = 3>(folder: string, options: { readonly channels?: C } = {}) {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    // the type parameter's default is the value's
    const channels = options.channels ?? (3 as C)
    const fail = (source: string, reason: DataReason) => new DataError({ source, reason })
    yield* namedFolder(folder, "name a folder that has a folder of pictures for each class")
    const list = (of: string, recursive: boolean) =>
      Effect.mapError(fs.readDirectory(of, { recursive }), (error) =>
        fail(of, { _tag: "Unreadable", detail: platformReason(error) }),
      )
    const classes: Array<string> = []
    const files: Array<string> = []
    const labels: Array<number> = []
    // by the numbers of their characters, as Python sorts
    for (const name of (yield* list(folder, false)).toSorted((a, b) => (a < b ? -1 : 1))) {
      const inner = path.join(folder, name)
      const info = yield* Effect.option(fs.stat(inner))
      if (info._tag === "None" || info.value.type !== "Directory") continue
      const pictures = (yield* list(inner, true)).filter(isPicture).toSorted((a, b) => (a < b ? -1 : 1))
      if (pictures.length === 0) {
        const advice = "put pictures of that class there, or remove the folder"
        return yield* fail(`a picture (.png, .jpg, .jpeg)`, { _tag: "NotFound", searched: [inner], advice })
      }
      for (const picture of pictures) {
        files.push(path.join(inner, picture))
        labels.push(classes.length)
      }
      classes.push(name)
    }
    if (classes.length === 0) {
      const advice = "it has to hold a folder of pictures for each class"
      return yield* fail("a class", { _tag: "NotFound", searched: [folder], advice })
    }

    const decode = Effect.fnUntraced(function* (source: string) {
      const { default: sharp } = yield* Effect.mapError(loadSharp("to decode pictures"), (error) =>
        fail(source, { _tag: "MissingPackage", package: "sharp", detail: error.detail }),
      )
      const bytes = yield* Effect.mapError(fs.readFile(source), (error) =>
        fail(source, { _tag: "Unreadable", detail: platformReason(error) }),
      )
      const { data, info } = yield* Effect.tryPromise({
        try: () => sharp(bytes).removeAlpha().toColourspace("srgb").raw().toBuffer({ resolveWithObject: true }),
        catch: (cause) => {
          const detail = (cause instanceof Error ? cause.message : String(cause)).replaceAll(/\s+/g, " ").trim()
          return fail(source, { _tag: "Undecodable", detail })
        },
      })
      const shape: SampleShape = [channels, info.height, info.width]
      return { image: planes(data, channels, info.height * info.width, info.channels), shape }
    })

    return make<readonly [C, "H", "W"]>({
      name: folder,
      shape: [channels, "H", "W"],
      classes,
      length: files.length,
      labels: () => labels,
      read: (samples) =>
        Effect.map(
          Effect.forEach(samples, (sample) => decode(files[sample]!), { concurrency }),
          (pictures): Samples => ({
            images: joined(pictures.map((p) => p.image)),
            labels: Float32Array.from(samples, (sample) => labels[sample]!),
            shapes: pictures.map((p) => p.shape),
          }),
        ),
    })
  },
)
