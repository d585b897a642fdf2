/** `npm run bench -- [SUITE …] [OPTION …]`: measures ours and the peers in turn; `options.ts` says how it is told what. */
import type { Effort } from "./measure.ts"
import { effort } from "./measure.ts"
import { type Options, parseOptions, type Suite, usage } from "./options.ts"
import { type Ours, startOurs } from "./ours.ts"
import { type Peer, startPeers } from "./peers.ts"
import { fileOf, machine, writeRun } from "./record.ts"
import { line, type Result } from "./Result.ts"

/** what a suite works with */
export interface Bench {
  readonly options: Options
  readonly ours: Ours
  readonly peers: ReadonlyArray<Peer>
  readonly effort: Effort
  /** random places at which a result of so many elements is checked */
  readonly positions: (elements: number) => ReadonlyArray<number>
  /** tells the reader something that is no result */
  readonly note: (text: string) => void
}

type Run = (bench: Bench) => AsyncGenerator<ReadonlyArray<Result>>

const load: Readonly<Record<Suite, () => Promise<{ readonly run: Run }>>> = {
  contraction: () => import("./contraction.ts"),
  step: () => import("./step.ts"),
  bandwidth: () => import("./bandwidth.ts"),
  overhead: () => import("./overhead.ts"),
  data: () => import("./data.ts"),
  scale: () => import("./scale.ts"),
}

const main = async (options: Options, command: string): Promise<void> => {
  const note = (text: string) => console.error(`  ${text}`)
  const { peers, missing } = await startPeers(options, note)
  const ours = await startOurs(options)
  note(`ours: ${ours.info.description}`)
  for (const p of peers) note(`${p.name}: ${p.description}`)
  for (const m of missing) note(`${m.name} is not measured: ${m.why}`)
  if (machine().load > 0.5) note(`the machine is busy (load ${machine().load}): spreads will be wide`)
  const positions = (elements: number) => Array.from({ length: 16 }, () => Math.floor(Math.random() * elements))
  const bench: Bench = { options, ours, peers, effort: effort(options.quick), positions, note }
  const named = (entries: ReadonlyArray<readonly [string, string]>) => Object.fromEntries(entries)
  try {
    for (const suite of options.suites) {
      const [date, before, all] = [new Date().toISOString(), machine(), [] as Array<Result>]
      const { run } = await load[suite]()
      for await (const results of run(bench)) {
        all.push(...results)
        for (const r of results) console.log(options.json ? JSON.stringify(r) : line(r))
      }
      if (options.out === undefined || all.length === 0) continue
      writeRun(options.out, fileOf(options.out, options), suite, {
        date,
        command,
        machine: before,
        ours: ours.info.description,
        peers: named(peers.map((p) => [p.name, p.description])),
        missing: named(missing.map((m) => [m.name, m.why])),
        results: all,
      })
    }
  } finally {
    for (const p of peers) p.stop()
    await ours.stop()
  }
}

const args = process.argv.slice(2)
const options = parseOptions(args)
if (typeof options === "string") {
  console.error(`${options}\n${usage}`)
  process.exitCode = 1
} else await main(options, ["npm run bench --", ...args].join(" "))
