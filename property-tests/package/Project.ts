/** An empty TypeScript project outside of this one, in which the packed package is installed as a user would. */
import { execFileSync, spawnSync } from "node:child_process"
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, dirname, join, resolve } from "node:path"
import { fileURLToPath } from "node:url"

const here = dirname(fileURLToPath(import.meta.url))
export const root = resolve(here, "../..")

export interface Project {
  readonly folder: string
  readonly remove: () => void
}

const npm = (cwd: string, args: ReadonlyArray<string>): string =>
  execFileSync("npm", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] })

/** `npm pack` of what `npm run build` left in dist, installed into a copy of `project/` */
export const install = (): Project => {
  const folder = mkdtempSync(join(tmpdir(), "effect-nn-package-"))
  cpSync(join(here, "project"), folder, { recursive: true })
  // the build is a check of its own, so pack does not repeat it
  const packed = npm(root, ["pack", "--ignore-scripts", "--json", "--pack-destination", folder])
  const tarball = packed.match(/"filename":\s*"([^"]+)"/)?.[1]
  if (tarball === undefined) throw new Error(`npm pack named no file: ${packed}`)
  const own = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    readonly devDependencies: Readonly<Record<string, string>>
  }
  const options = ["--prefer-offline", "--no-audit", "--no-fund", "--omit=optional"]
  npm(folder, ["install", ...options, `./${tarball}`, `fast-check@${own.devDependencies["fast-check"]}`])
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

export const compilers = {
  "5.9": join(root, "node_modules/typescript-5.9/bin/tsc"),
  "6.0": join(root, "node_modules/typescript-6.0/bin/tsc"),
  "7.0.2": join(root, "node_modules/typescript/bin/tsc"),
} as const
export type Compiler = keyof typeof compilers

/** the compiler's own lines; empty where all is well */
export const compile = (project: Project, compiler: Compiler, options: ReadonlyArray<string> = []): string => {
  const run = spawnSync(process.execPath, [compilers[compiler], "-p", ".", "--pretty", "false", ...options], {
    cwd: project.folder,
    encoding: "utf8",
  })
  return (run.stdout + run.stderr).trim()
}

interface Marked {
  /** `file:line` → sentence */
  readonly wanted: Readonly<Record<string, string>>
  readonly given: Readonly<Record<string, string>>
}

/** compiles the files of `refused/`, and pairs what `//!` marks ask for with what the compiler says on those lines */
export const refusals = (project: Project, compiler: Compiler): Marked => {
  const settings = JSON.parse(readFileSync(join(project.folder, "tsconfig.json"), "utf8")) as {
    readonly compilerOptions: object
  }
  const config = {
    compilerOptions: { ...settings.compilerOptions, rootDir: ".", noEmit: true },
    include: ["refused"],
  }
  writeFileSync(join(project.folder, "tsconfig.refused.json"), JSON.stringify(config))
  const output = compile(project, compiler, ["-p", "tsconfig.refused.json"])
  const given: Record<string, string> = {}
  for (const line of output.split("\n")) {
    const error = /^(.+?)\((\d+),\d+\): error TS\d+: (.*)$/.exec(line)
    if (error !== null)
      given[`${error[1]}:${error[2]}`] = /type '"(.*)"'\.$/.exec(error[3] ?? "")?.[1] ?? error[3] ?? ""
  }
  const wanted: Record<string, string> = {}
  for (const file of readdirSync(join(project.folder, "refused"))) {
    const lines = readFileSync(join(project.folder, "refused", file), "utf8").split("\n")
    for (const [i, line] of lines.entries()) {
      const sentence = /\/\/! (.*)$/.exec(line)?.[1]
      if (sentence !== undefined) wanted[`refused/${file}:${i + 1}`] = sentence
    }
  }
  return { wanted, given }
}

/** Node 24 of the development tools, and whatever the machine itself has */
export const engines: ReadonlyArray<{ readonly name: string; readonly path: string }> = (() => {
  const candidates = [
    process.env["NODE_20"],
    ...(process.env["PATH"] ?? "").split(delimiter).map((d) => join(d, "node")),
  ]
  const found = new Map([[process.version, process.execPath]])
  for (const path of candidates) {
    if (path === undefined || path.includes("node_modules") || !existsSync(path)) continue
    const version = spawnSync(path, ["--version"], { encoding: "utf8" }).stdout.trim()
    if (version !== "" && !found.has(version)) found.set(version, path)
  }
  return [...found].map(([version, path]) => ({ name: `Node ${version.slice(1)}`, path }))
})()

/** runs a compiled file of the project; gives what it printed, or throws with it */
export const execute = (project: Project, engine: string, file: string, args: ReadonlyArray<string> = []): string => {
  const run = spawnSync(engine, [join("out", file), ...args], {
    cwd: project.folder,
    encoding: "utf8",
    timeout: 240_000,
  })
  if (run.status !== 0)
    throw new Error(`${file} ${args.join(" ")} ended with ${run.status}\n${run.stdout}${run.stderr}`)
  return run.stdout
}

/** all files under a folder of the installed package */
export const installed = (
  project: Project,
  folder: string,
): ReadonlyArray<{ readonly path: string; readonly text: string }> => {
  const at = join(project.folder, "node_modules/effect-nn", folder)
  return readdirSync(at, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".d.ts"))
    .map((path) => ({ path, text: readFileSync(join(at, path), "utf8") }))
}

/** lets the project find a package of the development tools, which it does not have installed */
export const borrow = (project: Project, name: string): void =>
  symlinkSync(join(root, "node_modules", name), join(project.folder, "node_modules", name))
