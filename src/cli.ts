#!/usr/bin/env node
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import { readFileSync } from "node:fs"
import { main } from "./cli/main.ts"

// whoever reads the output may stop reading (`| head`): the work goes on, and its files are written
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error
  })
}

// beside `src` and `dist` alike
const { version }: { readonly version: string } = JSON.parse(
  readFileSync(new URL("../package.json", import.meta.url), "utf8"),
)

main(process.argv.slice(2), version).pipe(
  Effect.provide(NodeServices.layer),
  // what went wrong has been said by then
  NodeRuntime.runMain({ disableErrorReporting: true }),
)
