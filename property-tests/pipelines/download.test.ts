/** Downloads against a server that does what servers and networks do: cut, refuse, forget, change and lie. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import type { Scope } from "effect/Scope"
import { createHash } from "node:crypto"
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Data from "../../src/pipelines/Data.ts"
import { contentRange, download, type DownloadOptions, retryAfter } from "../../src/pipelines/data/download.ts"
import { md5 } from "../../src/pipelines/data/md5.ts"
import * as Idx from "../../src/pipelines/Idx.ts"

const bytes = Uint8Array.from({ length: 300_000 }, (_, i) => (i * i * 31 + (i >> 7)) & 255)
const sum = (of: Uint8Array) => createHash("md5").update(of).digest("hex")

interface Seen {
  readonly path: string
  readonly range: string | undefined
  readonly ifRange: string | undefined
}
/** what is done about the n-th request, counted from 0 */
type Behave = (n: number, request: IncomingMessage, response: ServerResponse) => void

/** answers as a good server does, from the byte that is asked for */
const serve = (response: ServerResponse, request: IncomingMessage, body: Uint8Array, etag = '"one"') => {
  const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? Number.NaN)
  const valid = request.headers["if-range"] === undefined || request.headers["if-range"] === etag
  if (Number.isNaN(from) || !valid) {
    response.writeHead(200, { "content-length": body.length, etag })
    return response.end(body)
  }
  if (from >= body.length) {
    response.writeHead(416, { "content-range": `bytes */${body.length}` })
    return response.end()
  }
  response.writeHead(206, {
    "content-length": body.length - from,
    "content-range": `bytes ${from}-${body.length - 1}/${body.length}`,
    etag,
  })
  return response.end(body.subarray(from))
}
/** sends so many bytes of a good answer, then hangs up */
const cutAfter = (response: ServerResponse, request: IncomingMessage, n: number, etag = '"one"') => {
  const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0)
  response.writeHead(from > 0 ? 206 : 200, {
    "content-length": bytes.length - from,
    ...(from > 0 ? { "content-range": `bytes ${from}-${bytes.length - 1}/${bytes.length}` } : {}),
    etag,
  })
  response.write(bytes.subarray(from, from + n), () => setTimeout(() => response.destroy(), 30))
}

const server = (behave: Behave): Effect.Effect<{ url: string; seen: Array<Seen> }, never, Scope> =>
  Effect.acquireRelease(
    Effect.callback<{ url: string; seen: Array<Seen>; server: Server }>((resume) => {
      const seen: Array<Seen> = []
      const made = createServer((request, response) => {
        const { range, "if-range": ifRange } = request.headers
        seen.push({ path: request.url ?? "", range, ifRange: typeof ifRange === "string" ? ifRange : undefined })
        behave(seen.length - 1, request, response)
      })
      made.listen(0, "127.0.0.1", () => {
        // listening on a port
        const { port } = made.address() as AddressInfo
        resume(Effect.succeed({ url: `http://127.0.0.1:${port}`, seen, server: made }))
      })
    }),
    ({ server: made }) =>
      Effect.callback<void>((resume) => {
        made.closeAllConnections()
        made.close(() => resume(Effect.void))
      }),
  )
const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "effect-nn-download-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true })),
)
/** as on a machine without the packages of data sets */
const nothingShared = ConfigProvider.layer(ConfigProvider.fromEnv({ env: { XDG_DATA_DIRS: "/nowhere" } }))
const hurried = { delay: 5, idle: 300, longest: 50 }
const get = (options: Omit<DownloadOptions, "md5"> & { readonly md5?: string }) =>
  download({ md5: sum(bytes), patience: hurried, ...options }).pipe(
    Effect.provide([FetchHttpClient.layer, NodeServices.layer]),
  )
const test = (name: string, body: Effect.Effect<void, unknown, Scope>) =>
  it.live(name, () => Effect.scoped(body), 30_000)

describe("md5", () => {
  it("is node's, whatever the pieces", () => {
    for (const length of [0, 1, 55, 56, 57, 63, 64, 65, 119, 120, 1000, 300_000]) {
      const part = bytes.subarray(0, length)
      for (const size of [1, 63, 64, 1000, 300_000]) {
        if (length / size > 5000) continue
        const hash = md5()
        for (let at = 0; at < length; at += size) hash.update(part.subarray(at, at + size))
        assert.strictEqual(hash.digest(), sum(part), `${length} in pieces of ${size}`)
      }
    }
  })
})

describe("headers", () => {
  it("are read", () => {
    assert.strictEqual(retryAfter("3", 0), 3000)
    assert.strictEqual(retryAfter("Thu, 01 Jan 1970 00:00:10 GMT", 4000), 6000)
    assert.strictEqual(retryAfter("soon", 0), undefined)
    assert.deepStrictEqual(contentRange("bytes 5-9/10"), { from: 5, total: 10 })
    assert.deepStrictEqual(contentRange("bytes */10"), { from: undefined, total: 10 })
    assert.deepStrictEqual(contentRange("bytes 5-9/*"), { from: 5, total: undefined })
  })
})

describe("a download", () => {
  test(
    "goes on where a transfer broke off, after answers of 503 too, and tells how far it is",
    Effect.gen(function* () {
      const { url, seen } = yield* server((n, request, response) => {
        if (n === 0) response.writeHead(503, { "retry-after": "0" }).end()
        else if (n <= 3) cutAfter(response, request, 70_000)
        else serve(response, request, bytes)
      })
      const to = join(yield* folder, "data.bin")
      const told: Array<number> = []
      yield* get({
        urls: [`${url}/data.bin`],
        to,
        onProgress: (p) => Effect.sync(() => void told.push(p.receivedBytes)),
      })
      assert.deepStrictEqual(readFileSync(to), Buffer.from(bytes))
      assert.strictEqual(seen.length, 5)
      assert.strictEqual(seen[1]!.range, undefined)
      const froms = seen.slice(2).map((s) => Number(/bytes=(\d+)-/.exec(s.range ?? "")?.[1]))
      assert.isTrue(
        froms.every((f, i) => f > 0 && (i === 0 || f > froms[i - 1]!)),
        froms.join(),
      )
      assert.isTrue(seen.slice(2).every((s) => s.ifRange === '"one"'))
      assert.strictEqual(told.at(-1), bytes.length)
      assert.deepStrictEqual(readdirSync(join(to, "..")), ["data.bin"])
      // what is there is not fetched again
      yield* get({ urls: [`${url}/data.bin`], to })
      assert.strictEqual(seen.length, 5)
    }),
  )

  test(
    "gives up after several failures without a byte, keeps what it has, and the next one goes on from it",
    Effect.gen(function* () {
      let isDown = true
      const { url, seen } = yield* server((n, request, response) => {
        if (n === 0) cutAfter(response, request, 100_000)
        else if (isDown) response.destroy()
        else serve(response, request, bytes)
      })
      const to = join(yield* folder, "data.bin")
      const error = yield* Effect.flip(get({ urls: [`${url}/x`], to }))
      assert.strictEqual(error.reason._tag, "Offline")
      assert.match(
        error.message,
        /data\.bin could not be downloaded: no connection to http.*; check the network, or fetch/,
      )
      assert.isFalse(existsSync(to))
      assert.isTrue(existsSync(`${to}.part`))
      isDown = false
      const before = seen.length
      yield* get({ urls: [`${url}/x`], to })
      assert.match(seen[before]!.range ?? "", /bytes=\d{4,}-/)
      assert.deepStrictEqual(readFileSync(to), Buffer.from(bytes))
    }),
  )

  test(
    "starts over where the server ignores the range, or has another version by now",
    Effect.gen(function* () {
      const changed = bytes.map((b) => b ^ 1)
      for (const second of ["ignores", "changed"] as const) {
        const { url } = yield* server((n, request, response) => {
          if (n === 0) cutAfter(response, request, 50_000)
          else if (second === "ignores") response.writeHead(200, { "content-length": bytes.length }).end(bytes)
          else serve(response, request, changed, '"two"')
        })
        const to = join(yield* folder, "data.bin")
        const expected = second === "ignores" ? bytes : changed
        yield* get({ urls: [`${url}/x`], to, md5: sum(expected) })
        assert.deepStrictEqual(readFileSync(to), Buffer.from(expected))
      }
    }),
  )

  test(
    "a part of another file does no harm: the checksum tells, and it is fetched from its first byte on",
    Effect.gen(function* () {
      for (const length of [1000, bytes.length, bytes.length + 5]) {
        const { url, seen } = yield* server((_, request, response) => void serve(response, request, bytes))
        const to = join(yield* folder, "data.bin")
        writeFileSync(`${to}.part`, new Uint8Array(length).fill(7))
        yield* get({ urls: [`${url}/x`], to })
        assert.deepStrictEqual(readFileSync(to), Buffer.from(bytes))
        assert.strictEqual(seen.length, 2)
        assert.deepStrictEqual(readdirSync(join(to, "..")), ["data.bin"])
      }
    }),
  )

  test(
    "takes over what a process that was killed left, once nobody writes to it",
    Effect.gen(function* () {
      const { url, seen } = yield* server((_, request, response) => void serve(response, request, bytes))
      const to = join(yield* folder, "data.bin")
      const left = `${to}.dead.part`
      writeFileSync(left, bytes.subarray(0, 90_000))
      // somebody may be writing to it
      yield* get({ urls: [`${url}/x`], to })
      assert.strictEqual(seen[0]!.range, undefined)
      rmSync(to)
      utimesSync(left, new Date(0), new Date(0))
      yield* get({ urls: [`${url}/x`], to })
      assert.strictEqual(seen[1]!.range, "bytes=90000-")
      assert.deepStrictEqual(readFileSync(to), Buffer.from(bytes))
    }),
  )

  test(
    "a wrong checksum leaves nothing behind and names both",
    Effect.gen(function* () {
      const { url, seen } = yield* server(
        (_, request, response) =>
          void serve(
            response,
            request,
            bytes.map((b) => b ^ 3),
          ),
      )
      const to = join(yield* folder, "data.bin")
      const error = yield* Effect.flip(get({ urls: [`${url}/x`, `${url}/mirror`], to }))
      assert.strictEqual(error.reason._tag, "ChecksumMismatch")
      assert.include(error.message, `instead of ${sum(bytes)}, and thrown away`)
      assert.deepStrictEqual(
        readdirSync(join(to, "..")).filter((f) => !f.endsWith(".json")),
        [],
      )
      // and every mirror was asked
      assert.deepStrictEqual(
        seen.map((s) => s.path),
        ["/x", "/mirror"],
      )
    }),
  )

  test(
    "what is not there is not asked for again, but at the next mirror",
    Effect.gen(function* () {
      const { url, seen } = yield* server((_, request, response) => {
        if (request.url === "/gone") response.writeHead(404).end("no")
        else serve(response, request, bytes)
      })
      const to = join(yield* folder, "data.bin")
      const error = yield* Effect.flip(get({ urls: [`${url}/gone`], to }))
      assert.match(
        error.message,
        /data\.bin could not be downloaded: http.*\/gone answers with status 404; try again later/,
      )
      assert.strictEqual(seen.length, 1)
      yield* get({ urls: [`${url}/gone`, `${url}/x`], to })
      assert.deepStrictEqual(readFileSync(to), Buffer.from(bytes))
    }),
  )

  test(
    "an answer that never goes on is given up and asked for anew",
    Effect.gen(function* () {
      const { url, seen } = yield* server((n, request, response) => {
        if (n > 0) return void serve(response, request, bytes)
        response.writeHead(200, { "content-length": bytes.length, etag: '"one"' })
        response.write(bytes.subarray(0, 10_000))
      })
      const to = join(yield* folder, "data.bin")
      yield* get({ urls: [`${url}/x`], to })
      assert.strictEqual(seen.length, 2)
      assert.deepStrictEqual(readFileSync(to), Buffer.from(bytes))
    }),
  )

  test(
    "waits as long as the server asks",
    Effect.gen(function* () {
      const { url } = yield* server((n, request, response) => {
        if (n === 0) response.writeHead(429, { "retry-after": "1" }).end()
        else serve(response, request, bytes)
      })
      const to = join(yield* folder, "data.bin")
      const began = Date.now()
      yield* get({ urls: [`${url}/x`], to, patience: { delay: 1, longest: 5000 } })
      assert.isAtLeast(Date.now() - began, 990)
    }),
  )

  test(
    "a folder that cannot be written, and a disk that is full, are told as such",
    Effect.gen(function* () {
      const { url } = yield* server((_, request, response) => void serve(response, request, bytes))
      const below = yield* Effect.flip(get({ urls: [`${url}/x`], to: "/proc/effect-nn/data.bin" }))
      assert.strictEqual(below.reason._tag, "Unwritable")
      assert.match(below.message, /check the folder's permissions, or set XDG_CACHE_HOME to another folder/)
      if (!existsSync("/dev/full")) return
      const to = join(yield* folder, "data.bin")
      // the part that an earlier download left lies on a full disk
      symlinkSync("/dev/full", `${to}.part`)
      const full = yield* Effect.flip(get({ urls: [`${url}/x`], to }))
      assert.strictEqual(
        full.message,
        `${to} could not be written: the disk is full; make room, or set XDG_CACHE_HOME to a folder on another one`,
      )
    }),
  )

  test(
    "interrupted at any moment it leaves no file of its name that is not whole, and goes on afterwards",
    Effect.gen(function* () {
      const { url } = yield* server((_, request, response) => {
        // slowly, so that there is something to interrupt
        const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0)
        response.writeHead(from > 0 ? 206 : 200, {
          "content-length": bytes.length - from,
          ...(from > 0 ? { "content-range": `bytes ${from}-${bytes.length - 1}/${bytes.length}` } : {}),
        })
        const send = (at: number) => {
          if (at >= bytes.length) return void response.end()
          response.write(bytes.subarray(at, at + 30_000))
          setTimeout(() => send(at + 30_000), 2)
        }
        send(from)
      })
      const where = yield* folder
      const to = join(where, "data.bin")
      for (let i = 0; i < 20; i++) {
        const fiber = yield* Effect.forkChild(get({ urls: [`${url}/x`], to }))
        yield* Effect.sleep(i * 1.5)
        yield* Fiber.interrupt(fiber)
        // it may have come after the renaming: then the file is whole
        if (existsSync(to)) {
          assert.deepStrictEqual(readFileSync(to), Buffer.from(bytes))
          rmSync(to)
        }
        assert.isTrue(
          readdirSync(where).every((f) => f === "data.bin.part" || f === "data.bin.part.json"),
          readdirSync(where).join(),
        )
      }
      yield* get({ urls: [`${url}/x`], to })
      assert.deepStrictEqual(readFileSync(to), Buffer.from(bytes))
    }),
  )

  test(
    "several at once do not spoil each other",
    Effect.gen(function* () {
      const { url } = yield* server((n, request, response) => {
        if (n % 3 === 0) cutAfter(response, request, 40_000 + 1000 * n)
        else serve(response, request, bytes)
      })
      const to = join(yield* folder, "data.bin")
      yield* Effect.all(
        Array.from({ length: 6 }, () => get({ urls: [`${url}/x`], to })),
        { concurrency: "unbounded" },
      )
      assert.deepStrictEqual(readFileSync(to), Buffer.from(bytes))
      assert.deepStrictEqual(
        readdirSync(join(to, "..")).filter((f) => !f.endsWith(".json")),
        ["data.bin"],
      )
    }),
  )
})

describe("a data set that is nowhere", () => {
  test(
    "is fetched into the cache, once, and is refused where the files are not those that were published",
    Effect.gen(function* () {
      const images = Idx.encode({ shape: [3, 28, 28], data: new Uint8Array(3 * 784) })
      const { url, seen } = yield* server((_, request, response) => void serve(response, request, images))
      const cacheFolder = yield* folder
      const error = yield* Effect.flip(
        Effect.provide(
          Data.fashionMnist({ cacheFolder, baseUrl: `${url}/`, patience: hurried }),
          Layer.merge(NodeServices.layer, nothingShared),
        ),
      )
      assert.strictEqual(error._tag === "DataError" && error.reason._tag, "ChecksumMismatch")
      assert.deepStrictEqual(
        seen.map((s) => s.path),
        ["/train-images-idx3-ubyte.gz"],
      )
      assert.deepStrictEqual(
        readdirSync(join(cacheFolder, "fashion-mnist")).filter((f) => !f.endsWith(".json")),
        [],
      )
    }),
  )
})
