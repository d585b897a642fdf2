/** Runs before every test file: one seed for every property, the same on every machine unless SEED says otherwise. */
import * as fc from "fast-check"

const seed = Number(process.env["SEED"] ?? 20261122)

fc.configureGlobal({ seed, numRuns: Number(process.env["RUNS"] ?? 30) })
