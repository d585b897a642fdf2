/** Runs a compiler's command line on some files; nothing else of any compiler is used, so all versions do. */
import { execFile } from "node:child_process"
import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { promisify } from "node:util"

export const root = resolve(import.meta.dirname, "../..")
export const compilers = ["typescript", "typescript-6.0", "typescript-5.9"] as const
export type Compiler = (typeof compilers)[number]

const options =
  "--noEmit --strict --exactOptionalPropertyTypes --noUncheckedIndexedAccess --skipLibCheck --target es2023 --module nodenext --moduleResolution nodenext --lib es2023,dom --allowImportingTsExtensions --noErrorTruncation --pretty false"

/** What the compiler prints about the files, beside the sources' own types. */
export const compile = async (
  compiler: Compiler,
  files: ReadonlyArray<string>,
  more: ReadonlyArray<string> = [],
): Promise<string> => {
  const cwd = mkdtempSync(join(tmpdir(), "effect-nn-types-"))
  const args = [
    join(root, "node_modules", compiler, "bin/tsc"),
    ...options.split(" "),
    "--typeRoots",
    "./none",
    ...more,
    ...files,
  ]
  try {
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd, maxBuffer: 1 << 26 })
    return stdout
  } catch (error) {
    return (error as { readonly stdout: string }).stdout // what execFile throws when the compiler found errors
  } finally {
    rmSync(cwd, { recursive: true })
  }
}

export interface Diagnostic {
  readonly file: string
  /** from 1 */
  readonly line: number
  /** the first line */
  readonly text: string
  /** with the lines that explain it */
  readonly whole: string
}
export const diagnostics = (printed: string, cwd: string = tmpdir()): ReadonlyArray<Diagnostic> =>
  printed.split(/\n(?=\S)/).flatMap((block) => {
    const m = /^(.+?)\((\d+),\d+\): error TS\d+: (.*)/.exec(block)
    const [, file = "", line = "", text = ""] = m ?? []
    return m === null
      ? []
      : [{ file: resolve(cwd, "x", file).split("/").at(-1) ?? "", line: Number(line), text, whole: block }]
  })

export const filesIn = (folder: string): ReadonlyArray<string> =>
  readdirSync(join(import.meta.dirname, folder))
    .filter((f) => f.endsWith(".ts"))
    .map((f) => join(import.meta.dirname, folder, f))
