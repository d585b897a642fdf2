/**
 * A file from the network, whole or not at all: retried, resumed where it broke off, checked, and only then renamed to
 * the name by which it is looked for. Any number of processes may fetch the same file at once: each writes into a file
 * of its own, and takes over what another left behind by renaming it, which only one of them can.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as HttpClient from "effect/http/HttpClient"
import type { HttpClientError } from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import { DataError, type DataReason } from "../DataError.ts"
import { makeFolder } from "../makeFolder.ts"
import { unwritable } from "./files.ts"
import { md5 } from "./md5.ts"

/** How far a download is. */
export interface DownloadProgress {
  readonly file: string
  readonly receivedBytes: number
  /** unknown where the server does not say it */
  readonly totalBytes: number | undefined
}

export interface DownloadOptions {
  /** where it is published, the best first */
  readonly urls: ReadonlyArray<string>
  /** the path that it has in the end */
  readonly to: string
  readonly md5: string
  readonly onProgress?: ((progress: DownloadProgress) => Effect.Effect<void>) | undefined
  readonly patience?: Patience | undefined
}

/** How long to go on trying. */
export interface Patience {
  /** failures in a row, without a byte between, after which it is given up: 5 unless told */
  readonly attempts?: number
  /** milliseconds before the second attempt; each further one waits twice as long: 500 unless told */
  readonly delay?: number
  /** milliseconds that are waited at most, also where the server asks for more: 30,000 unless told */
  readonly longest?: number
  /** milliseconds without a byte after which a connection counts as broken: 30,000 unless told */
  readonly idle?: number
}

/** what ends one attempt: whether another one may help, and how long the server asks to wait */
interface Setback {
  readonly _tag: "Setback"
  readonly reason: DataReason
  readonly again: boolean
  readonly waitMillis?: number | undefined
}
const setback = (reason: DataReason, again: boolean, waitMillis?: number): Setback => ({
  _tag: "Setback",
  reason,
  again,
  waitMillis,
})

/** answers after which the same question may be answered otherwise */
const passing = new Set([408, 425, 429, 500, 502, 503, 504])

/** milliseconds that a `Retry-After` asks to wait: a number of seconds or a date */
export const retryAfter = (header: string | undefined, now: number): number | undefined => {
  if (header === undefined) return undefined
  const millis = /^\s*\d+\s*$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now
  return Number.isFinite(millis) ? Math.max(0, millis) : undefined
}

/** first byte and length of the whole in a `Content-Range` */
export const contentRange = (
  header: string | undefined,
): { readonly from: number | undefined; readonly total: number | undefined } => {
  const [, from, total] = /^\s*bytes\s+(?:(\d+)-\d+|\*)\/(\d+|\*)/i.exec(header ?? "") ?? []
  const number = (text: string | undefined) => (text === undefined || text === "*" ? undefined : Number(text))
  return { from: number(from), total: number(total) }
}

/** the innermost cause that has something to say: fetch only says "fetch failed" */
const detailOf = (error: HttpClientError): string => {
  let deepest: unknown = error.reason.cause ?? error
  while (deepest instanceof Error && deepest.cause !== undefined) deepest = deepest.cause
  if (!(deepest instanceof Error)) return String(deepest)
  const { code } = deepest as { readonly code?: unknown } // where it is the system's error, it has a code
  return deepest.message !== "" ? deepest.message : String(code ?? deepest.name)
}

const readValidator = Schema.decodeUnknownEffect(
  Schema.fromJsonString(Schema.Struct({ url: Schema.String, validator: Schema.String })),
)

/** a part that nobody has written to for so long is nobody's any more */
const abandonedMillis = 120_000

/**
 * Downloads a file, if it is not there already.
 *
 * Fails with `DataError`: `HttpStatus`, `Offline`, `Interrupted`, `ChecksumMismatch`, `DiskFull`, `Unwritable`; what was
 * received by then is kept beside it, for the next time.
 */
export const download = Effect.fnUntraced(function* (options: DownloadOptions) {
  const fs = yield* FileSystem.FileSystem
  const paths = yield* Path.Path
  const client = yield* HttpClient.HttpClient
  const { to, urls } = options
  const { attempts = 5, delay = 500, longest = 30_000, idle = 30_000 } = options.patience ?? {}
  const fail = (reason: DataReason) => new DataError({ source: to, reason })
  const writing = <A, R>(effect: Effect.Effect<A, PlatformError, R>) =>
    Effect.mapError(effect, (error) => fail(unwritable(error)))
  const there = writing(fs.exists(to))
  if (yield* there) return

  const folder = paths.dirname(to)
  yield* writing(makeFolder(folder))
  const free = `${to}.part`
  // a name of our own; it need not be random, only unused
  const mine = `${to}.${Date.now().toString(36)}-${Math.floor(Math.random() * 2 ** 32).toString(36)}.part`
  const validatorFile = `${to}.part.json`

  /** takes over what an earlier download left, if there is such a thing */
  const claim = Effect.gen(function* () {
    const rename = (from: string) => Effect.isSuccess(fs.rename(from, mine))
    if (yield* rename(free)) return
    const now = yield* Clock.currentTimeMillis
    const names = yield* Effect.orElseSucceed(fs.readDirectory(folder), () => [])
    for (const name of names) {
      if (!name.startsWith(`${paths.basename(to)}.`) || !name.endsWith(".part")) continue
      const path = paths.join(folder, name)
      const touched = yield* fs.stat(path).pipe(
        Effect.map((info) => (info.mtime._tag === "Some" ? info.mtime.value.getTime() : now)),
        Effect.orElseSucceed(() => now),
      )
      if (now - touched > abandonedMillis && (yield* rename(path))) return
    }
  })
  /** leaves what there is for the next time */
  const release = Effect.gen(function* () {
    const size = yield* sizeOf
    yield* Effect.ignore(size > 0 ? fs.rename(mine, free) : fs.remove(mine, { force: true }))
  })
  const sizeOf = Effect.orElseSucceed(
    Effect.map(fs.stat(mine), (info) => Number(info.size)),
    () => 0,
  )

  /** how the server knows the version that the part is of, where that is known; elsewhere it has another name */
  const validators = Effect.option(Effect.flatMap(fs.readFileString(validatorFile), readValidator))

  const startOver = Effect.ignore(fs.remove(mine, { force: true }))
  let lastTold = 0
  const tell = Effect.fnUntraced(function* (receivedBytes: number, totalBytes: number | undefined, always: boolean) {
    if (options.onProgress === undefined) return
    const now = yield* Clock.currentTimeMillis
    if (!always && now - lastTold < 100) return
    lastTold = now
    yield* options.onProgress({ file: paths.basename(to), receivedBytes, totalBytes })
  })

  /** one request, and as much of the answer as comes; succeeds where the part is complete as far as one can tell */
  const attempt = Effect.fnUntraced(function* (url: string): Effect.fn.Return<void, Setback | DataError> {
    const have = yield* sizeOf
    const known = yield* validators
    const ifRange = known._tag === "Some" && known.value.url === url ? { "if-range": known.value.validator } : {}
    const request = HttpClientRequest.get(url).pipe(
      HttpClientRequest.setHeaders({
        // what is counted and checked are the bytes as they were published
        "accept-encoding": "identity",
        ...(have > 0 ? { range: `bytes=${have}-`, ...ifRange } : {}),
      }),
    )
    const offline = (error: HttpClientError) => setback({ _tag: "Offline", url, detail: detailOf(error) }, true)
    const answered = yield* Effect.timeoutOption(Effect.mapError(client.execute(request), offline), idle)
    if (answered._tag === "None") {
      return yield* Effect.fail(setback({ _tag: "Offline", url, detail: `no answer in ${idle / 1000} seconds` }, true))
    }
    const response = answered.value
    const { status, headers } = response
    const range = contentRange(headers["content-range"])
    const broken = (receivedBytes: number, expectedBytes: number | undefined) =>
      setback({ _tag: "Interrupted", url, receivedBytes, expectedBytes }, true)
    if (status === 416) {
      // nothing is left to ask for: the part is whole, or not of this file
      if (range.total === have) return
      yield* startOver
      return yield* Effect.fail(broken(0, range.total))
    }
    if (status !== 200 && status !== 206) {
      const wait = retryAfter(headers["retry-after"], yield* Clock.currentTimeMillis)
      return yield* Effect.fail(setback({ _tag: "HttpStatus", url, status }, passing.has(status), wait))
    }
    if (status === 206 && range.from !== have) {
      yield* startOver
      return yield* Effect.fail(broken(0, range.total))
    }
    const begin = status === 206 ? have : 0
    const length = Number(headers["content-length"] ?? Number.NaN)
    const total = status === 206 ? range.total : Number.isFinite(length) ? length : undefined
    if (status === 200) {
      const validator = headers["etag"]?.startsWith('"') === true ? headers["etag"] : headers["last-modified"]
      yield* Effect.ignore(
        validator === undefined
          ? fs.remove(validatorFile, { force: true })
          : fs.writeFileString(validatorFile, JSON.stringify({ url, validator })),
      )
    }
    let received = begin
    yield* tell(received, total, true)
    const write = Effect.scoped(
      Effect.gen(function* () {
        const file = yield* writing(fs.open(mine, { flag: begin > 0 ? "a" : "w" }))
        const body = Stream.timeout(
          Stream.mapError(response.stream, () => broken(received, total)),
          idle,
        )
        yield* Stream.runForEach(body, (chunk) =>
          Effect.andThen(writing(file.writeAll(chunk)), () => {
            received += chunk.length
            return tell(received, total, false)
          }),
        )
        // what is renamed must not be lost with the power
        yield* writing(file.sync)
      }),
    )
    yield* write
    yield* tell(received, total, true)
    if (total !== undefined && received > total) {
      yield* startOver
      return yield* Effect.fail(broken(0, total))
    }
    if (total !== undefined && received < total) return yield* Effect.fail(broken(received, total))
  })

  const checksum = Effect.gen(function* () {
    const hash = md5()
    yield* writing(Stream.runForEach(fs.stream(mine), (bytes) => Effect.sync(() => hash.update(bytes))))
    return hash.digest()
  })

  /** all that is tried at one address */
  const from = Effect.fnUntraced(function* (url: string): Effect.fn.Return<void, Setback | DataError> {
    let failures = 0
    for (;;) {
      const before = yield* sizeOf
      const result = yield* Effect.result(attempt(url))
      if (result._tag === "Success") {
        const actual = yield* checksum
        if (actual === options.md5) return
        yield* startOver
        const mismatch = setback({ _tag: "ChecksumMismatch", url, expected: options.md5, actual }, before > 0)
        // what was put together of two transfers gets a second chance from its first byte on
        if (before === 0 || ++failures >= attempts) return yield* Effect.fail(mismatch)
        continue
      }
      const failure = result.failure
      if (failure._tag === "DataError" || !failure.again) return yield* Effect.fail(failure)
      failures = (yield* sizeOf) > before ? 1 : failures + 1
      if (failures >= attempts) return yield* Effect.fail(failure)
      const backoff = delay * 2 ** (failures - 1) * (0.5 + Math.random())
      yield* Effect.sleep(Math.min(longest, Math.max(backoff, failure.waitMillis ?? 0)))
      if (yield* there) return
    }
  })

  const fetched = Effect.gen(function* () {
    let first: Setback | undefined
    for (const url of urls) {
      const result = yield* Effect.result(from(url))
      if (result._tag === "Success") return
      if (result.failure._tag === "DataError") return yield* result.failure
      first ??= result.failure
    }
    return yield* fail(first?.reason ?? { _tag: "Unwritable", detail: "no address to fetch it from" })
  })

  yield* Effect.acquireUseRelease(
    claim,
    () =>
      Effect.gen(function* () {
        yield* fetched
        // another process may have been faster: its file is as good
        if (yield* there) return yield* startOver
        yield* writing(fs.rename(mine, to))
        yield* Effect.ignore(fs.remove(validatorFile, { force: true }))
      }),
    (_, exit) => (Exit.isSuccess(exit) ? Effect.void : Effect.ignoreCause(release)),
  )
})
