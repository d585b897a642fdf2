/** Lists of one line for each file of a folder: what is added is added to its list. */
import { readdirSync } from "node:fs"
import { basename, join } from "node:path"
import { describe, expect, it } from "vitest"
import { root, sources } from "./sources.ts"

const src = sources("src")

/** the files that `list` re-exports, of one folder, without their extension */
const listed = (list: string, folder: string): ReadonlyArray<string> =>
  [
    ...new Set(
      (src.find((s) => s.path === list)?.imports ?? []).flatMap(({ file }) =>
        file !== undefined && file.replace(/\/[^/]+$/, "") === folder ? [basename(file, ".ts")] : [],
      ),
    ),
  ].toSorted()

/** the single functions of a folder: files that are named after what they export */
const functions = (folder: string): ReadonlyArray<string> =>
  readdirSync(join(root, folder))
    .filter((f) => /^[a-z]\w*\.ts$/.test(f) && f !== "index.ts")
    .map((f) => basename(f, ".ts"))

/** folders of things that one adds, each with its list and with the files that are parts of others */
const folders = [
  {
    what: "op",
    folder: "src/ops",
    list: "src/ops/Ops.ts",
    parts: [
      "binary",
      "elementLoss",
      "elementwise",
      "lower",
      "normalize",
      "pooling",
      "prefers",
      "random",
      "schedule",
      "showTensor",
      "tree",
      "windows",
    ],
  },
  { what: "layer", folder: "src/models/layers", list: "src/models/index.ts", parts: ["faults", "repr"] },
  ...["src/models/index.ts", "src/models/zoo.ts"].map((list) => ({
    what: "model",
    folder: "src/models",
    list,
    parts: "apply classes cost freeze init initWeights outline sequential shared styles summary zoo".split(" "),
  })),
  { what: "metric", folder: "src/pipelines/metrics", list: "src/pipelines/Evaluate.ts", parts: ["averaged", "oneHot"] },
  { what: "relation of shapes", folder: "src/shapes", list: "src/shapes/index.ts", parts: ["image", "tables"] },
]

describe.each(folders)("every $what", ({ folder, list, parts }) => {
  it(`of ${folder} stands in ${list}`, () => {
    const known = new Set([...listed(list, folder), ...parts])
    expect([...known].filter((f) => /^[a-z]/.test(f)).toSorted()).toEqual(functions(folder).toSorted())
  })
})
