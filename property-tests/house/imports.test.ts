/** Who may import whom: the table of docs/house.md, held by reading the import lines. */
import { describe, expect, it } from "vitest"
import { sources } from "./sources.ts"

const src = sources("src")
const byPath = new Map(src.map((s) => [s.path, s]))

/** to the left is what everything may import; what stands at the root comes last */
const order = ["shapes", "gpu", "ops", "models", "pipelines", "root"] as const
const folderOf = (path: string): (typeof order)[number] =>
  order.find((folder) => path.startsWith(`src/${folder}/`)) ?? "root"

/** the packages that sources may import, and where */
const packages: ReadonlyArray<{
  readonly name: RegExp
  readonly where: (path: string) => boolean
  readonly why: string
}> = [
  { name: /^effect\/Data$/, where: () => true, why: "" },
  { name: /^effect\/.+/, where: (p) => folderOf(p) !== "shapes", why: "src/shapes imports nothing of effect but Data" },
  {
    name: /^gpu\.js($|\/)/,
    where: (p) => p.startsWith("src/gpu/gpujs/"),
    why: "gpu.js is imported in src/gpu/gpujs only",
  },
  {
    name: /^(webgpu|gl|@webgpu\/types)$/,
    where: (p) => p.startsWith("src/gpu/"),
    why: "native packages are imported in src/gpu only",
  },
  {
    name: /^fast-check$/,
    where: (p) => p === "src/laws.ts" || p.startsWith("src/laws/"),
    why: "fast-check is imported in src/laws.ts and its folder only",
  },
  { name: /^(node:|@effect\/platform-node)/, where: () => true, why: "" },
]

const places = (offences: ReadonlyArray<string>) => offences.join("\n")

describe("imports", () => {
  it("go to the left only", () => {
    const wrong = src.flatMap((s) =>
      s.imports.flatMap((i) => {
        if (i.file === undefined) return []
        const [from, to] = [folderOf(s.path), folderOf(i.file)]
        return order.indexOf(to) <= order.indexOf(from)
          ? []
          : [`${s.path}:${i.line} imports ${i.file}: ${from} may not import ${to}`]
      }),
    )
    expect(places(wrong)).toBe("")
  })

  it("name files that exist, with their extension", () => {
    const wrong = src.flatMap((s) =>
      s.imports.flatMap((i) =>
        i.file === undefined || byPath.has(i.file) ? [] : [`${s.path}:${i.line} imports ${i.specifier}: no such file`],
      ),
    )
    expect(places(wrong)).toBe("")
  })

  it("use the packages that are allowed where they stand", () => {
    const wrong = src.flatMap((s) =>
      s.imports.flatMap((i) => {
        if (i.file !== undefined) return []
        const rule = packages.find((p) => p.name.test(i.specifier))
        if (rule === undefined) return [`${s.path}:${i.line} imports ${i.specifier}: not in the list of packages`]
        return rule.where(s.path) ? [] : [`${s.path}:${i.line} imports ${i.specifier}: ${rule.why}`]
      }),
    )
    expect(places(wrong)).toBe("")
  })

  it("hold no cycle", () => {
    const done = new Set<string>()
    const cycles: Array<string> = []
    const walk = (path: string, trail: ReadonlyArray<string>): void => {
      const seen = trail.indexOf(path)
      if (seen >= 0) cycles.push([...trail.slice(seen), path].join(" → "))
      if (seen >= 0 || done.has(path)) return
      for (const i of byPath.get(path)?.imports ?? []) {
        if (i.file !== undefined && !i.typeOnly && !i.dynamic) walk(i.file, [...trail, path])
      }
      done.add(path)
    }
    for (const s of src) walk(s.path, [])
    expect(places(cycles)).toBe("")
  })
})

/** what a program loads by importing `entry`: types are gone by then, and dynamic imports wait until they are needed */
const reached = (entry: string): ReadonlyMap<string, ReadonlyArray<string>> => {
  const trails = new Map<string, ReadonlyArray<string>>()
  const walk = (path: string, trail: ReadonlyArray<string>): void => {
    if (trails.has(path)) return
    const here = [...trail, path]
    trails.set(path, here)
    for (const i of byPath.get(path)?.imports ?? [])
      if (i.file !== undefined && !i.dynamic && !i.typeOnly) walk(i.file, here)
  }
  walk(entry, [])
  return trails
}

const entries = src.map((s) => s.path).filter((p) => /^src\/(\w+\/)?index\.ts$/.test(p) || p === "src/laws.ts")

describe("what an application imports", () => {
  const reaching = (packages: RegExp) =>
    entries.flatMap((entry) =>
      [...reached(entry)].flatMap(([path, trail]) =>
        (byPath.get(path)?.imports ?? [])
          .filter((i) => !i.dynamic && !i.typeOnly && packages.test(i.specifier))
          .map((i) => `${path}:${i.line} imports ${i.specifier} (${trail.join(" → ")})`),
      ),
    )
  it("reaches nothing of Node's", () => {
    expect(places(reaching(/^(node:|@effect\/platform-node)/))).toBe("")
  })
  it("reaches no Schema: loading it would take as long as loading all the rest", () => {
    expect(places(reaching(/^effect\/(Schema|Config|unstable)/))).toBe("")
  })
})
