/**
 * Reference cases, whatever folder they lie in, on a device:
 * `npm run -s conformance -- DIR [--device NAME] [--plain] [--all] [--large] [--only PATTERN]`.
 *
 * One line for every case that disagrees or is not supported, and why; then `N passed, N failed, N not supported`. Exits
 * with 1 if any failed, with `--all` also if any is not supported. Models as large as AlexNet are run where computing is
 * fast, and with `--large` everywhere. WebGL exists in browsers only: those devices run in a page of headless Chromium.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { parseArgs } from "node:util"
import * as Effect from "effect/Effect"
import * as Cases from "../property-tests/conformance/Cases.ts"
import type { Report } from "../property-tests/conformance/run.ts"
import { Device } from "../src/gpu/Device.ts"
import { deviceLayer, type DeviceName, deviceNames } from "../src/gpu/devices.ts"
import * as Browser from "./browser.ts"
import { findSwiftShader } from "./graphics.ts"

interface Options {
  readonly folder: string
  readonly device: DeviceName | "auto"
  readonly plain: boolean
  readonly all: boolean
  readonly only: string
  readonly large: boolean
}

/** what was asked for cannot be done: one sentence */
class Refusal {
  readonly sentence: string
  constructor(sentence: string) {
    this.sentence = sentence
  }
}
const refuse = (sentence: string): never => {
  throw new Refusal(sentence)
}

const usage = "npm run -s conformance -- DIR [--device NAME] [--plain] [--all] [--large] [--only PATTERN]"

const wordOf = (cause: unknown): string =>
  (cause instanceof Error ? cause.message : String(cause)).replaceAll(/\s*\n\s*/g, " ")

const parse = (args: ReadonlyArray<string>) => {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        device: { type: "string", default: "auto" },
        plain: { type: "boolean", default: false },
        all: { type: "boolean", default: false },
        large: { type: "boolean", default: false },
        only: { type: "string", default: "" },
      },
    })
  } catch (cause) {
    return refuse(`${wordOf(cause)} (${usage})`)
  }
}

const optionsOf = (args: ReadonlyArray<string>): Options => {
  const { values, positionals } = parse(args)
  const [folder, ...more] = positionals
  if (folder === undefined || more.length > 0) return refuse(`give one folder of reference cases: ${usage}`)
  const names = ["auto", ...deviceNames] as const
  const device =
    names.find((n) => n === values.device) ??
    refuse(`there is no device ${values.device}; the devices are ${names.join(", ")}`)
  const { plain, all, only, large } = values
  if (plain && !device.startsWith("gpujs") && device !== "wasm")
    return refuse(`--plain is for devices that tune contractions; ${device} has none that are tuned`)
  return { folder, device, plain, all, only, large }
}

const read = (folder: string): Cases.Cases => {
  const bytes = (name: string): Uint8Array => {
    try {
      return readFileSync(join(folder, name))
    } catch (cause) {
      return refuse(`${folder} is no folder of reference cases: ${wordOf(cause)}`)
    }
  }
  const [json, tensors] = [bytes("cases.json"), bytes("tensors.safetensors")]
  try {
    return Cases.parse(new TextDecoder().decode(json), tensors)
  } catch (cause) {
    return refuse(`${folder} is no folder of reference cases: ${wordOf(cause)}`)
  }
}

// ---------- where it runs

/** whether this machine has a graphics card that a driver can reach; where not, Dawn is shown SwiftShader */
const hasGraphicsCard = (): boolean => {
  const names = (folder: string): ReadonlyArray<string> => (existsSync(folder) ? readdirSync(folder) : [])
  if (process.platform !== "linux") return true
  return names("/dev/dri").some((d) => d.startsWith("renderD")) || names("/dev").some((d) => /^(nvidia\d|dxg$)/.test(d))
}

const inNode = async (options: Options, cases: Cases.Cases, onReport: (r: Report) => void): Promise<void> => {
  const { device, plain, only, large } = options
  const driver = findSwiftShader()
  if (device === "gpujs-webgpu" && driver !== undefined && !hasGraphicsCard()) {
    process.env["VK_ICD_FILENAMES"] ??= driver
  }
  // loaded late, so that what is refused is refused at once
  const [{ runCases }, { autoLayer }] = await Promise.all([
    import("../property-tests/conformance/run.ts"),
    import("../src/gpu/auto.ts"),
  ])
  const layer = device === "auto" ? autoLayer({ plain }) : deviceLayer(device, { plain })
  const program = Effect.gen(function* () {
    const { info } = yield* Device
    console.error(`${info.name}: ${info.description}`)
    yield* runCases(cases, onReport, { only, large })
  })
  const exit = await Effect.runPromise(program.pipe(Effect.provide(layer), Effect.result))
  if (exit._tag === "Failure") refuse(wordOf(exit.failure))
}

/** long enough for a slow machine, short enough for somebody who waits */
const patience = 900_000

const inBrowser = async (options: Options, onReport: (r: Report) => void): Promise<void> => {
  const missing = Browser.missing()
  if (missing !== undefined) return refuse(`${options.device} runs in a browser, and ${missing}`)
  const bundle = await Browser.bundle(join(import.meta.dirname, "../property-tests/conformance/page.ts"))
  const browser = await Browser.open()
  try {
    const { device, plain, only, large, folder } = options
    await browser.run({
      bundle,
      isolated: false,
      argument: { device, plain, only, large },
      files: folder,
      timeoutMs: patience,
      onReport: (message) => {
        // what the page reports: first its device, then each case
        const report = message as
          | { readonly _tag: "Device"; readonly description: string }
          | ({ _tag: "Case" } & Report)
        if (report._tag === "Case") onReport(report)
        else console.error(`${device}: ${report.description}`)
      },
    })
  } catch (cause) {
    refuse(`the page did not come to its end: ${wordOf(cause)}`)
  } finally {
    await browser.close()
  }
}

// ---------- the report

const line = ({ name, verdict }: Report): string | undefined => {
  switch (verdict._tag) {
    case "Passed":
      return undefined
    case "Failed":
      return `failed         ${name}: ${verdict.why}`
    case "NotSupported":
      return `not supported  ${name}: ${verdict.what}`
  }
}

const main = async (args: ReadonlyArray<string>): Promise<number> => {
  const options = optionsOf(args)
  const cases = read(options.folder)
  const counts = { Passed: 0, Failed: 0, NotSupported: 0 }
  const slow: Array<Report> = []
  const onReport = (report: Report): void => {
    counts[report.verdict._tag]++
    slow.push(report)
    const text = line(report)
    if (text !== undefined) console.log(text)
  }
  if (cases.cases.every((c) => !c.name.includes(options.only)))
    return refuse(`${options.folder} has no case whose name contains ${options.only}`)
  const inPage = options.device === "gpujs-webgl" || options.device === "gpujs-webgl2"
  await (inPage ? inBrowser(options, onReport) : inNode(options, cases, onReport))
  if (process.env["CONFORMANCE_TIMES"] === "1")
    for (const { name, milliseconds } of slow.toSorted((a, b) => b.milliseconds - a.milliseconds).slice(0, 12))
      console.error(`${String(milliseconds).padStart(7)} ms  ${name}`)
  console.log(`${counts.Passed} passed, ${counts.Failed} failed, ${counts.NotSupported} not supported`)
  return counts.Failed > 0 || (options.all && counts.NotSupported > 0) ? 1 : 0
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (cause) {
  if (!(cause instanceof Refusal)) throw cause
  console.error(`conformance: ${cause.sentence}`)
  process.exitCode = 1
}
