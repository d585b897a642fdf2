/**
 * The library for Node in a few files, beside the file for each module that bundlers and browsers read: Node takes longer to
 * find three hundred files than to run them. The command line likewise.
 */
import { build } from "esbuild"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"

const root = fileURLToPath(new URL("..", import.meta.url))
/** `--outdir`: another folder than `dist` */
const { values } = parseArgs({ options: { outdir: { type: "string", default: `${root}dist` } } })

const { exports }: { readonly exports: Readonly<Record<string, string | { readonly node?: string }>> } = JSON.parse(
  readFileSync(`${root}package.json`, "utf8"),
)
const entries = Object.values(exports)
  .flatMap((at) => (typeof at === "string" ? [] : [at.node ?? []]))
  .flat()
const names = ["cli", ...entries.map((file) => file.replace(/^\.\/dist\/|\.js$/g, ""))]

await build({
  absWorkingDir: root,
  entryPoints: Object.fromEntries(names.map((name) => [name, `src/${name.replace(/^node\//, "")}.ts`])),
  outdir: values.outdir,
  chunkNames: "node/[name]-[hash]",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node22",
  packages: "external",
  sourcemap: true,
  // `src` is in the package
  sourcesContent: false,
  logLevel: "warning",
})
