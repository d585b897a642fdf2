/**
 * Other libraries, each in a process of its own that stays up and does as it is told: one JSON object per line goes in,
 * one comes out. So only one computes at a time, and each is warm when it is measured.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import type { Conv2d, MatMul } from "../src/gpu/Contraction.ts"
import { type Options, type PeerName, peerNames } from "./options.ts"

/** what a peer can be asked to do again and again; its inputs are numbers by formula, with the seeds 1, 2, … */
export type Job =
  | { readonly kind: "contraction"; readonly form: MatMul | Conv2d }
  | StepJob
  | { readonly kind: "bandwidth"; readonly name: string; readonly shape: ReadonlyArray<number> }
  /** an epoch of MNIST's files in a folder */
  /** MNIST's files in `folder`, or where `side` is given a folder of pictures to crop to that size */
  | { readonly kind: "data"; readonly folder: string; readonly batch: number; readonly side?: number }

export interface StepJob {
  readonly kind: "step"
  readonly model: string
  readonly batch: number
  /** the shape of one sample */
  readonly sample: ReadonlyArray<number>
  readonly training: boolean
  readonly optimizer: { readonly type: "adam" | "sgd"; readonly lr: number; readonly momentum?: number }
}

export interface Peer {
  readonly name: PeerName
  /** its version, and what it runs on */
  readonly description: string
  /** gets ready to do a job: why it cannot, or how long one iteration took, warm as far as that is quick */
  readonly prepare: (job: Job) => Promise<{ readonly unsupported: string } | { readonly ms: number }>
  /** milliseconds for so many iterations of the job */
  readonly run: (iterations: number) => Promise<number>
  /** numbers of the result, by flat position in our layout, and the iterations that it took, with those of warming up */
  readonly values: (
    at: ReadonlyArray<number>,
  ) => Promise<{ readonly values: ReadonlyArray<number>; readonly iterations: number }>
  /** the losses of the first steps, without dropout, from the weights of the formula, as exactly as it can compute them */
  readonly losses: (job: StepJob, steps: number) => Promise<ReadonlyArray<number>>
  readonly drop: () => Promise<void>
  readonly stop: () => void
}

/** what is not run here, and why */
export interface Missing {
  readonly name: PeerName
  readonly why: string
}

type Reply = { readonly [key: string]: unknown }

/** longer than any answer that is worth waiting for */
const patienceMs = 240_000

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url))

interface Line {
  readonly ask: (request: unknown) => Promise<Reply>
  readonly child: ChildProcess
}

const startLine = (command: string, args: ReadonlyArray<string>, threads: number): Line => {
  const n = String(threads)
  // threads that wait by spinning lose a hundredfold as soon as anything else wants a processor
  const env = {
    OMP_WAIT_POLICY: "passive",
    ...process.env,
    OMP_NUM_THREADS: n,
    OPENBLAS_NUM_THREADS: n,
    MKL_NUM_THREADS: n,
  }
  const child = spawn(command, [...args, n], { stdio: ["pipe", "pipe", "pipe"], env })
  let errors = ""
  child.stderr.on("data", (data) => (errors = `${errors}${String(data)}`.slice(-2000)))
  let waiting: { resolve: (reply: Reply) => void; reject: (error: Error) => void } | undefined
  const settle = (act: (w: NonNullable<typeof waiting>) => void) => {
    const before = waiting
    waiting = undefined
    if (before !== undefined) act(before)
  }
  createInterface(child.stdout).on("line", (text) => {
    // what a library prints of its own accord is no answer
    if (text.startsWith("{")) settle((w) => w.resolve(JSON.parse(text)))
  })
  const ended = (why: string) => settle((w) => w.reject(new Error(`${why}\n${errors.trim()}`)))
  child.on("exit", (code, signal) => ended(`it ended with ${code ?? signal}`))
  child.on("error", (error) => ended(error.message))
  child.stdin.on("error", () => {})
  const ask = (request: unknown) =>
    new Promise<Reply>((resolve, reject) => {
      if (child.exitCode !== null || child.signalCode !== null)
        return reject(new Error(`it has ended\n${errors.trim()}`))
      waiting = { resolve, reject }
      child.stdin.write(`${JSON.stringify(request)}\n`)
    })
  return { ask, child }
}

const start = async (
  name: PeerName,
  command: string,
  args: ReadonlyArray<string>,
  threads: number,
): Promise<Peer | Missing> => {
  let line = startLine(command, args, threads)
  const hello = async (): Promise<string | Missing> => {
    const reply = await line.ask({ op: "hello" }).catch((error: Error) => ({ missing: error.message }))
    return "missing" in reply ? { name, why: String(reply["missing"]) } : String(reply["description"])
  }
  const description = await hello()
  if (typeof description !== "string") {
    line.child.kill()
    return description
  }
  /** an answer in time; else the process is started anew, with nothing prepared */
  const ask = async (request: unknown): Promise<Reply> => {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<Reply>((resolve) => {
      timer = setTimeout(() => resolve({ unsupported: `no answer within ${patienceMs / 1000} s` }), patienceMs)
    })
    const failed = (error: Error): Reply => ({
      unsupported: error.message.split("\n").at(-1) ?? "it failed",
      ended: true,
    })
    const reply = await Promise.race([line.ask(request).catch(failed), late])
    clearTimeout(timer)
    if ("ended" in reply || String(reply["unsupported"]).startsWith("no answer within")) {
      line.child.kill("SIGKILL")
      line = startLine(command, args, threads)
      await hello()
    }
    return reply
  }
  const must = async (request: unknown): Promise<Reply> => {
    const reply = await ask(request)
    if ("unsupported" in reply) throw new Error(`${name}: ${String(reply["unsupported"])}`)
    return reply
  }
  const numbers = (x: unknown): ReadonlyArray<number> => (Array.isArray(x) ? x.map(Number) : [])
  return {
    name,
    description,
    prepare: async (job) => {
      const reply = await ask({ op: "prepare", job })
      return "unsupported" in reply ? { unsupported: String(reply["unsupported"]) } : { ms: Number(reply["ms"]) }
    },
    run: async (iterations) => Number((await must({ op: "run", iterations }))["ms"]),
    values: async (at) => {
      const reply = await must({ op: "values", at })
      return { values: numbers(reply["values"]), iterations: Number(reply["iterations"]) }
    },
    losses: async (job, steps) => numbers((await must({ op: "losses", job, steps }))["losses"]),
    drop: async () => void (await ask({ op: "drop" })),
    stop: () => void line.child.kill(),
  }
}

const installed = (): boolean => existsSync(here("./node_modules/.package-lock.json"))

/** installs the libraries in JavaScript, once; without them, the benchmark measures the rest */
const install = (note: (text: string) => void): void => {
  note("installing the peers: npm ci --prefix bench")
  try {
    execFileSync("npm", ["ci", "--prefix", here("."), "--no-audit", "--no-fund"], { stdio: "ignore" })
  } catch {
    note("they could not be installed")
  }
}

/** the first interpreter that imports torch, of the one that is asked for and Debian's */
const pythonWithTorch = (): string | undefined =>
  [process.env["PYTHON"] ?? "python3", "/usr/bin/python3"].find((python) => {
    try {
      execFileSync(python, ["-c", "import torch"], { stdio: "ignore" })
      return true
    } catch {
      return false
    }
  })

const startOne = async (name: PeerName, threads: number): Promise<Peer | Missing> => {
  if (name === "torch") {
    const python = pythonWithTorch()
    if (python === undefined)
      return { name, why: "neither PYTHON (python3 when it is not set) nor /usr/bin/python3 imports torch" }
    return start(name, python, ["-u", here("./peers/torch_peer.py")], threads)
  }
  const [library = "", backend = ""] = name.split("-")
  const file = here(`./peers/${library}.ts`)
  if (!installed()) return { name, why: "not installed: npm ci --prefix bench" }
  return start(name, process.execPath, ["--no-warnings", file, backend], threads)
}

/** Starts the peers that are asked for; those that are not here are named with the reason. */
export const startPeers = async (
  options: Pick<Options, "peers" | "threads">,
  note: (text: string) => void,
): Promise<{ readonly peers: ReadonlyArray<Peer>; readonly missing: ReadonlyArray<Missing> }> => {
  if (!installed() && options.peers.some((p) => p !== "torch")) install(note)
  const peers: Array<Peer> = []
  const missing: Array<Missing> = []
  for (const name of peerNames.filter((n) => options.peers.includes(n))) {
    const started = await startOne(name, options.threads)
    if ("why" in started) missing.push(started)
    else peers.push(started)
  }
  return { peers, missing }
}
