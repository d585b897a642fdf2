/**
 * Runs bundled modules in pages of headless Chromium, on a server of its own, and gives what they return as JSON.
 *
 * A page module exports `main(argument, report)`: `argument` is JSON, `report` sends JSON to the caller while it works,
 * and the promise it returns settles the run. WebGL is drawn by SwiftShader, so no GPU is needed.
 */
import { createReadStream } from "node:fs"
import { mkdtemp, rm, stat } from "node:fs/promises"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { extname, join, normalize, resolve } from "node:path"
import { gzipSync } from "node:zlib"
import { findChromium } from "./graphics.ts"

/** What there is to say where no browser can be started; a test that needs one is then skipped, never passed. */
export const missing = (): string | undefined =>
  findChromium() === undefined
    ? "no Chromium was found: install it (on Debian: apt-get install chromium), or name its path in CHROMIUM"
    : undefined

// ---------- bundles

export interface Bundle {
  readonly text: string
  readonly bytes: number
  readonly gzipBytes: number
}

/**
 * The module and all it imports as one ES module for browsers; `external` packages are left out (they then must not be
 * imported when it runs). Fails where something reachable imports what only Node has.
 */
export const bundle = async (
  entry: string,
  options: { readonly minify?: boolean; readonly external?: ReadonlyArray<string> } = {},
): Promise<Bundle> => {
  const esbuild = await import("esbuild")
  const { outputFiles } = await esbuild.build({
    entryPoints: [entry],
    bundle: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    minify: options.minify ?? false,
    external: [...(options.external ?? [])],
    write: false,
    logLevel: "silent",
  })
  const contents = outputFiles[0]?.contents ?? new Uint8Array()
  return {
    text: new TextDecoder().decode(contents),
    bytes: contents.byteLength,
    gzipBytes: gzipSync(contents, { level: 9 }).byteLength,
  }
}

/**
 * Bytes of gzip that a page loads before it runs the module: all that is imported by name, minified. What is imported
 * when it is asked for (another device, gpu.js) lies in files of its own and is not counted.
 */
export const gzipBytesLoaded = async (entry: string, external: ReadonlyArray<string>): Promise<number> => {
  const { rolldown } = await import("rolldown")
  const build = await rolldown({ input: entry, platform: "browser", external: [...external], logLevel: "silent" })
  const { output } = await build.generate({ format: "esm", minify: true })
  await build.close()
  const chunks = new Map(output.flatMap((file) => (file.type === "chunk" ? [[file.fileName, file] as const] : [])))
  const loaded = new Set<string>()
  const load = (name: string): void => {
    const chunk = chunks.get(name)
    if (chunk === undefined || loaded.has(name)) return
    loaded.add(name)
    for (const imported of chunk.imports) load(imported)
  }
  for (const chunk of chunks.values()) if (chunk.isEntry) load(chunk.fileName)
  return [...loaded].reduce((sum, name) => sum + gzipSync(chunks.get(name)?.code ?? "", { level: 9 }).byteLength, 0)
}

// ---------- the server

/** with these, a page is cross-origin isolated: it may share memory between threads */
const isolation = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Cross-Origin-Resource-Policy": "same-origin",
}

const types: Readonly<Record<string, string>> = {
  ".js": "text/javascript",
  ".html": "text/html; charset=utf-8",
  ".json": "application/json",
  ".wasm": "application/wasm",
}

const pageText = `<!doctype html><meta charset="utf-8"><title>page</title><link rel="icon" href="data:,">
<script type="module">
import { main } from "./page.js"
globalThis.__main = main
</script>`

interface Site {
  readonly bundle: Bundle
  readonly files: string | undefined
}

/**
 * `/isolated/<id>/` and `/plain/<id>/` hold a page, its `page.js`, and under `files/` what lies in the folder that was
 * given.
 */
const serve = (sites: ReadonlyMap<string, Site>) => async (request: IncomingMessage, response: ServerResponse) => {
  const { pathname } = new URL(request.url ?? "/", "http://localhost")
  const [, manner = "", id = "", ...rest] = pathname.split("/").map(decodeURIComponent)
  const headers = { "Cache-Control": "no-store", ...(manner === "isolated" ? isolation : {}) }
  const site = sites.get(id)
  const path = normalize(rest.join("/"))
  const send = (type: string, body: string) => response.writeHead(200, { ...headers, "Content-Type": type }).end(body)
  const notFound = () => response.writeHead(404, headers).end()
  if (site === undefined || (manner !== "isolated" && manner !== "plain")) return notFound()
  if (path === ".") return send(types[".html"]!, pageText)
  if (path === "page.js") return send(types[".js"]!, site.bundle.text)
  if (site.files === undefined || !path.startsWith("files/")) return notFound()
  const file = join(site.files, path.slice("files/".length))
  const found = await stat(file).catch(() => undefined)
  if (found === undefined || !found.isFile()) return notFound()
  const type = types[extname(file)] ?? "application/octet-stream"
  response.writeHead(200, { ...headers, "Content-Type": type, "Content-Length": found.size })
  return createReadStream(file).pipe(response)
}

// ---------- the browser

/** `--disable-*`: nothing but the page is to be fetched; the rest draws WebGL in software */
const flags: ReadonlyArray<string> = [
  "--no-sandbox",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--use-gl=angle",
  "--use-angle=swiftshader",
  "--enable-unsafe-swiftshader",
  "--ignore-gpu-blocklist",
]

export interface RunOptions {
  readonly bundle: Bundle
  /** cross-origin isolated (threads may share memory) or not */
  readonly isolated: boolean
  /** JSON */
  readonly argument?: unknown
  /** a folder whose files the page may fetch under `files/` */
  readonly files?: string
  readonly onReport?: (message: unknown) => void
  readonly timeoutMs?: number
}

export interface Run {
  /** what `main` returned */
  readonly result: unknown
  /** every line the page wrote to its console, and uncaught errors, in order */
  readonly console: ReadonlyArray<string>
  /** those of them that are errors */
  readonly errors: ReadonlyArray<string>
}

export interface Browser {
  readonly version: string
  /** Opens a page, runs the bundle's `main` in it and closes it. Rejects with what `main` threw, and the console. */
  readonly run: (options: RunOptions) => Promise<Run>
  readonly close: () => Promise<void>
}

const within = <A>(work: Promise<A>, ms: number, what: string): Promise<A> => {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${ms / 1000} s`)), ms)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}

/** Starts Chromium and the server. Rejects with `missing()` where there is no Chromium. Close it when done. */
export const open = async (): Promise<Browser> => {
  const executablePath = findChromium()
  if (executablePath === undefined) throw new Error(missing())
  const { chromium } = await import("playwright-core")
  const profile = await mkdtemp(join(tmpdir(), "browser-"))
  const sites = new Map<string, Site>()
  const answer = serve(sites)
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done))
  // an address that the operating system gave to a listening TCP server is of this form
  const { port } = server.address() as AddressInfo
  const stop = async () => {
    server.closeAllConnections()
    await new Promise((done) => server.close(done))
    await rm(profile, { recursive: true, force: true, maxRetries: 5 })
  }
  const context = await chromium
    .launchPersistentContext(profile, { executablePath, headless: true, args: [...flags], timeout: 60_000 })
    .catch(async (cause: unknown) => {
      await stop()
      throw new Error(`Chromium at ${executablePath} did not start: ${String(cause)}`, { cause })
    })
  let count = 0

  const run = async (options: RunOptions): Promise<Run> => {
    const id = String(count++)
    const files = options.files === undefined ? undefined : resolve(options.files)
    sites.set(id, { bundle: options.bundle, files })
    const page = await context.newPage()
    const lines: Array<string> = []
    const errors: Array<string> = []
    page.on("console", (message) => {
      const line = `${message.type()}: ${message.text()}`
      lines.push(line)
      if (message.type() === "error") errors.push(line)
    })
    page.on("pageerror", (error) => {
      lines.push(`uncaught: ${error.message}`)
      errors.push(`uncaught: ${error.message}`)
    })
    const crashed = new Promise<never>((_, reject) => page.on("crash", () => reject(new Error("the page crashed"))))
    try {
      await page.exposeFunction("__report", (message: unknown) => options.onReport?.(message))
      const work = async () => {
        await page.goto(`http://127.0.0.1:${port}/${options.isolated ? "isolated" : "plain"}/${id}/`)
        await page.waitForFunction("typeof __main === 'function'", undefined, { timeout: 30_000 })
        return page.evaluate(async (argument) => {
          // the page's own script and `exposeFunction` put them there
          const page: {
            readonly __main?: (argument: unknown, report: unknown) => Promise<unknown>
            readonly __report?: unknown
          } = globalThis as object
          return page.__main?.(argument, page.__report)
        }, options.argument ?? null)
      }
      const result = await within(Promise.race([work(), crashed]), options.timeoutMs ?? 120_000, "the page")
      return { result, console: lines, errors }
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new Error([reason, ...lines.slice(-20)].join("\n  "), { cause })
    } finally {
      sites.delete(id)
      await page.close().catch(() => {})
    }
  }

  return {
    version: context.browser()?.version() ?? "unknown version",
    run,
    close: async () => {
      await context.close()
      await stop()
    },
  }
}
