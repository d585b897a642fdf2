/** Where the files of a data set are: in a folder that is named, on this machine, in the cache, or on the network. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import { DataError, type DataReason } from "../DataError.ts"
import { platformReason } from "../platformReason.ts"
import type { DownloadProgress, Patience } from "./download.ts"

/** Where to look for a data set that is published, and whether to fetch it. */
export interface FilesOptions {
  /** a folder that may hold its files; where it holds none of them, they are looked for elsewhere */
  readonly folder?: string | undefined
  /** the folder of what was downloaded, instead of `effect-nn` in the user's cache folder (`XDG_CACHE_HOME`) */
  readonly cacheFolder?: string | undefined
  /** whether files that are nowhere here are fetched: they are unless told */
  readonly download?: boolean | undefined
  /** an address that holds the files, instead of the official ones */
  readonly baseUrl?: string | undefined
  /** is told how far a download is, a few times a second */
  readonly onProgress?: ((progress: DownloadProgress) => Effect.Effect<void>) | undefined
  readonly patience?: Patience | undefined
}

/** a file as it is published */
export interface Published {
  readonly file: string
  readonly md5: string
}

/** why a file could not be written */
export const unwritable = (error: PlatformError): DataReason => {
  const { cause } = error.reason
  const code = typeof cause === "object" && cause !== null && "code" in cause ? cause.code : undefined
  return code === "ENOSPC" || code === "EDQUOT"
    ? { _tag: "DiskFull" }
    : { _tag: "Unwritable", detail: platformReason(error) }
}

/** the folder of what was downloaded for one data set */
export const cacheFolder = Effect.fnUntraced(function* (set: string, options: FilesOptions) {
  const paths = yield* Path.Path
  if (options.cacheFolder !== undefined) return paths.join(options.cacheFolder, set)
  // loaded when it is needed, as all here that brings in much: a program that trains on its own data needs none of it
  const UserDirectories = yield* Effect.promise(() => import("effect/persistence/UserDirectories"))
  const own = yield* Effect.option(UserDirectories.make().cache("effect-nn"))
  return own._tag === "Some" ? paths.join(own.value, set) : undefined
})

/** the system's folders for shared data, that packages of data sets are installed in */
export const sharedFolders = Effect.fnUntraced(function* (set: string) {
  const paths = yield* Path.Path
  const Config = yield* Effect.promise(() => import("effect/Config"))
  const named = yield* Effect.orElseSucceed(Config.String("XDG_DATA_DIRS"), () => "")
  const folders = (named === "" ? "/usr/local/share:/usr/share" : named).split(":").filter((f) => paths.isAbsolute(f))
  return folders.map((folder) => paths.join(folder, "datasets", set))
})

/** the names by which a file may lie there: packed or not, and with torchvision's dot, as in train-images.idx3-ubyte */
const spellings = (file: string): ReadonlyArray<string> => {
  const bare = file.replace(/\.gz$/, "")
  const dotted = bare.replace("-idx", ".idx")
  return dotted === bare ? [bare, `${bare}.gz`] : [bare, `${bare}.gz`, dotted, `${dotted}.gz`]
}

/** the path of each of `names` that a folder holds, under any of its spellings */
export const filesIn = Effect.fnUntraced(function* (folder: string, names: ReadonlyArray<string>) {
  const fs = yield* FileSystem.FileSystem
  const paths = yield* Path.Path
  const found: { [name: string]: string } = {}
  for (const name of names) {
    for (const candidate of spellings(name).map((n) => paths.join(folder, n))) {
      if (yield* Effect.orElseSucceed(fs.exists(candidate), () => false)) {
        found[name] = candidate
        break
      }
    }
  }
  return found
})

/** refuses a folder that was named and is none */
export const namedFolder = Effect.fnUntraced(function* (folder: string, advice: string) {
  const fs = yield* FileSystem.FileSystem
  const wrong = (reason: DataReason) => new DataError({ source: folder, reason })
  const info = yield* Effect.mapError(fs.stat(folder), (error) =>
    error.reason._tag === "NotFound"
      ? wrong({ _tag: "NotFound", searched: ["the file system"], advice })
      : wrong({ _tag: "Unreadable", detail: platformReason(error) }),
  )
  if (info.type !== "Directory") return yield* wrong({ _tag: "Unreadable", detail: "it is no folder" })
})

/**
 * The path of each file of a published set: in the folder that is named, in `local` folders, in the cache, or fetched
 * into it. A place counts where it holds all of them; a named folder that holds some is refused with what it lacks.
 */
export const findFiles = Effect.fnUntraced(function* (
  set: { readonly name: string; readonly cache: string; readonly mirrors: ReadonlyArray<string> },
  published: ReadonlyArray<Published>,
  local: ReadonlyArray<{ readonly said: string; readonly folder: string }>,
  options: FilesOptions,
) {
  const names = published.map((p) => p.file)
  const searched: Array<string> = []
  const complete = (found: { readonly [name: string]: string }) => names.every((name) => found[name] !== undefined)
  const all = names.map((name) => name.replace(/\.gz$/, "")).join(", ")
  const { folder } = options
  if (folder !== undefined) {
    yield* namedFolder(folder, `make it and put ${all} there, or name no folder`)
    const found = yield* filesIn(folder, names)
    if (complete(found)) return found
    const missing = names.find((name) => found[name] === undefined) ?? ""
    if (Object.keys(found).length > 0) {
      const advice = `put the files of ${set.name} there (${all}), or name no folder`
      const source = missing.replace(/\.gz$/, "")
      return yield* new DataError({ source, reason: { _tag: "NotFound", searched: [folder], advice } })
    }
    searched.push(folder)
  }
  for (const place of local) {
    const found = yield* filesIn(place.folder, names)
    if (complete(found)) return found
    if (!searched.includes(place.said)) searched.push(place.said)
  }
  const cache = yield* cacheFolder(set.cache, options)
  if (cache !== undefined) {
    const found = yield* filesIn(cache, names)
    if (complete(found)) return found
    searched.push(cache)
  }
  if (options.download === false || cache === undefined) {
    const advice =
      cache === undefined
        ? "there is no cache folder to download it to: set XDG_CACHE_HOME or HOME, or name a folder"
        : `let it be downloaded, or name the folder of its files (${all})`
    return yield* new DataError({ source: set.name, reason: { _tag: "NotFound", searched, advice } })
  }
  return yield* fetchFiles(set.mirrors, published, cache, options)
})

/** fetches files into a folder, those that are not there; gives the path of each */
export const fetchFiles = Effect.fnUntraced(function* (
  mirrors: ReadonlyArray<string>,
  published: ReadonlyArray<Published>,
  folder: string,
  options: FilesOptions,
) {
  const paths = yield* Path.Path
  const HttpClient = yield* Effect.promise(() => import("effect/http/HttpClient"))
  const { download } = yield* Effect.promise(() => import("./download.ts"))
  const given = yield* Effect.serviceOption(HttpClient.HttpClient)
  const client = Option.isSome(given) ? given.value : yield* defaultClient
  const found: { [name: string]: string } = {}
  for (const { file, md5 } of published) {
    const to = paths.join(folder, file)
    const base = options.baseUrl === undefined ? mirrors : [options.baseUrl]
    const urls = base.map((url) => `${url.replace(/\/$/, "")}/${file}`)
    const { onProgress, patience } = options
    yield* Effect.provideService(download({ urls, to, md5, onProgress, patience }), HttpClient.HttpClient, client)
    found[file] = to
  }
  return found
})

/** the platform's `fetch`, where no other client is provided */
const defaultClient = Effect.gen(function* () {
  const HttpClient = yield* Effect.promise(() => import("effect/http/HttpClient"))
  const fetching = yield* Effect.promise(() => import("effect/http/FetchHttpClient"))
  return yield* Effect.provide(HttpClient.HttpClient, fetching.layer)
})
