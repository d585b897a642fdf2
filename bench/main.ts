/** `node bench/main.ts NAME… [--json]`: runs the named benchmarks. */
import { print } from "./Result.ts"
import type { Result } from "./Result.ts"

const benchmarks: Readonly<Record<string, () => Promise<{ readonly run: () => Promise<ReadonlyArray<Result>> }>>> = {
  contraction: () => import("./contraction.ts"),
}

const names = process.argv.slice(2).filter((a) => !a.startsWith("--"))
const unknown = names.filter((name) => !(name in benchmarks))
if (names.length === 0 || unknown.length > 0) {
  console.error(`usage: bench ${Object.keys(benchmarks).join("|")} [--json]`)
  process.exit(1)
}
for (const name of names) {
  const benchmark = await benchmarks[name]?.()
  if (benchmark !== undefined) print(await benchmark.run(), process.argv.includes("--json"))
}
