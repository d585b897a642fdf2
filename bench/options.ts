/** What the command line of the benchmark says. */
import { type DeviceName, deviceNames } from "../src/gpu/devices.ts"

export const suites = ["contraction", "step", "bandwidth", "overhead", "data", "scale"] as const
export type Suite = (typeof suites)[number]

export const peerNames = ["torch", "tfjs-wasm", "tfjs-cpu", "jax-wasm", "jax-webgpu"] as const
export type PeerName = (typeof peerNames)[number]

export interface Options {
  readonly suites: ReadonlyArray<Suite>
  /** only what has this in its name */
  readonly only: string
  readonly peers: ReadonlyArray<PeerName>
  readonly threads: number
  /** ours, as `--device` of the command line spells it */
  readonly device: DeviceName
  /** 128-bit vectors only */
  readonly narrow: boolean
  /** fewer and shorter rounds */
  readonly quick: boolean
  readonly json: boolean
  /** the folder of results to write to */
  readonly out: string | undefined
}

export const usage = `usage: npm run bench -- [SUITE …] [OPTION …]
suites     ${suites.join(" ")} (all when none is named)
options    --only=TEXT      only what has the text in its name
           --peers=A,B      of ${peerNames.join(", ")}; --peers= for none
           --threads=N      2 when absent
           --device=NAME    ours: wasm when absent
           --narrow         128-bit vectors only, as in a browser
           --quick          fewer and shorter rounds
           --json           one object per line
           --out=FOLDER     writes the results there, with the machine's description`

const isOneOf =
  <const A extends string>(names: ReadonlyArray<A>) =>
  (name: string): name is A =>
    names.some((n) => n === name)

/** The options, or a sentence that says what is wrong with them. */
export const parseOptions = (args: ReadonlyArray<string>): Options | string => {
  const [isSuite, isPeer, isDevice] = [isOneOf(suites), isOneOf(peerNames), isOneOf(deviceNames)]
  const flags = new Map<string, string>()
  const named: Array<Suite> = []
  for (const [i, arg] of args.entries()) {
    const flag = /^--(only|peers|threads|device|out)(?:=(.*))?$/.exec(arg)
    const before = /^--(only|peers|threads|device|out)$/.exec(args[i - 1] ?? "")
    if (flag?.[1] !== undefined) flags.set(flag[1], flag[2] ?? args[i + 1] ?? "")
    else if (/^--(narrow|quick|json)$/.test(arg)) flags.set(arg.slice(2), "")
    else if (before !== null && !arg.startsWith("--")) continue
    else if (isSuite(arg)) named.push(arg)
    else return `there is no ${arg.startsWith("--") ? "option" : "suite"} ${arg}`
  }
  const peers = flags
    .get("peers")
    ?.split(",")
    .filter((p) => p !== "") ?? [...peerNames]
  const stranger = peers.find((p) => !isPeer(p))
  if (stranger !== undefined) return `there is no peer ${stranger}; there are ${peerNames.join(", ")}`
  const threads = Number(flags.get("threads") ?? 2)
  if (!Number.isSafeInteger(threads) || threads < 1) return `${flags.get("threads")} is no number of threads`
  const device = flags.get("device") ?? "wasm"
  if (!isDevice(device)) return `there is no device ${device}; there are ${deviceNames.join(", ")}`
  return {
    suites: named.length === 0 ? suites : named,
    only: flags.get("only") ?? "",
    peers: peers.filter(isPeer),
    threads,
    device,
    narrow: flags.has("narrow"),
    quick: flags.has("quick"),
    json: flags.has("json"),
    out: flags.get("out"),
  }
}
