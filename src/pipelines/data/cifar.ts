/** What CIFAR-10 and CIFAR-100 have in common: records of labels and 3×32×32 bytes, in a packed archive. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import { DataError } from "../DataError.ts"
import { platformReason } from "../platformReason.ts"
import { checkLabels, inMemory } from "./Dataset.ts"
import { cacheFolder, fetchFiles, filesIn, type FilesOptions, namedFolder, type Published } from "./files.ts"

const pixels = 3 * 32 * 32

export interface CifarSet {
  readonly name: string
  /** the folder in the cache */
  readonly cache: string
  readonly mirror: string
  readonly archive: Published
  /** the folder that the archive unpacks to */
  readonly inside: string
  /** how many records each file has */
  readonly files: { readonly [file: string]: number }
  /** bytes of labels that each record begins with, and which of them counts */
  readonly labelBytes: number
  readonly label: number
  readonly classes: ReadonlyArray<string>
}

/** the samples of some files */
export const cifarPart = Effect.fnUntraced(function* (
  set: CifarSet,
  part: string,
  names: ReadonlyArray<string>,
  paths: { readonly [file: string]: string },
) {
  const fs = yield* FileSystem.FileSystem
  const record = set.labelBytes + pixels
  const count = names.reduce((n, name) => n + (set.files[name] ?? 0), 0)
  const images = new Uint8Array(count * pixels)
  const labels = new Uint8Array(count)
  let at = 0
  for (const name of names) {
    const source = paths[name] ?? name
    const bytes = yield* Effect.mapError(
      fs.readFile(source),
      (error) => new DataError({ source, reason: { _tag: "Unreadable", detail: platformReason(error) } }),
    )
    const records = set.files[name] ?? 0
    const sizes = { expectedBytes: records * record, actualBytes: bytes.length }
    if (bytes.length !== sizes.expectedBytes) {
      const _tag = bytes.length < sizes.expectedBytes ? "Truncated" : "TrailingBytes"
      return yield* new DataError({ source, reason: { _tag, ...sizes } })
    }
    const first = at
    for (let i = 0; i < records; i++, at++) {
      labels[at] = bytes[i * record + set.label]!
      images.set(bytes.subarray(i * record + set.labelBytes, (i + 1) * record), at * pixels)
    }
    yield* checkLabels(labels.subarray(first, at), set.classes.length, source)
  }
  const { name, classes } = set
  return inMemory({ name: `${name} ${part}`, shape: [3, 32, 32], classes, images, labels, scale: 1 / 255 })
})

/** loaded when it is needed, which is once */
const unpack = (archive: string, names: ReadonlyArray<string>, to: string) =>
  Effect.flatMap(
    Effect.promise(() => import("./unpack.ts")),
    (loaded) => loaded.unpack(archive, names, to),
  )

/** the path of each file of a set: in the folder that is named or one in it, in the cache, or fetched and unpacked there */
export const cifarFiles = Effect.fnUntraced(function* (set: CifarSet, options: FilesOptions) {
  const path = yield* Path.Path
  const names = Object.keys(set.files)
  const { folder } = options
  const searched: Array<string> = []
  const look = Effect.fnUntraced(function* (place: string) {
    let some: { readonly [name: string]: string } = {}
    for (const where of [place, path.join(place, set.inside)]) {
      const found = yield* filesIn(where, names)
      if (names.every((name) => found[name] !== undefined)) return { found, some }
      if (Object.keys(found).length > 0) some = found
    }
    const archive = (yield* filesIn(place, [set.archive.file]))[set.archive.file]
    return { found: undefined, some, archive }
  })
  const cache = yield* cacheFolder(set.cache, options)
  const advice = `put ${names.join(", ")} there, or name no folder`
  if (folder !== undefined) {
    yield* namedFolder(folder, `make it and ${advice}`)
    const given = yield* look(folder)
    if (given.found !== undefined) return given.found
    const missing = names.find((name) => given.some[name] === undefined) ?? ""
    if (Object.keys(given.some).length > 0) {
      return yield* new DataError({ source: missing, reason: { _tag: "NotFound", searched: [folder], advice } })
    }
    if (given.archive !== undefined) {
      const to = path.join(folder, set.inside)
      yield* unpack(given.archive, names, to)
      return yield* filesIn(to, names)
    }
    searched.push(folder)
  }
  if (cache !== undefined) {
    const kept = yield* look(cache)
    if (kept.found !== undefined) return kept.found
    searched.push(cache)
    if (options.download !== false || kept.archive !== undefined) {
      const found = yield* fetchFiles([set.mirror], [set.archive], cache, options)
      const to = path.join(cache, set.inside)
      yield* unpack(found[set.archive.file] ?? "", names, to)
      return yield* filesIn(to, names)
    }
  }
  const way =
    cache === undefined
      ? "there is no cache folder to download it to: set XDG_CACHE_HOME or HOME, or name a folder"
      : "let it be downloaded, or name the folder of its files"
  return yield* new DataError({ source: set.name, reason: { _tag: "NotFound", searched, advice: way } })
})
