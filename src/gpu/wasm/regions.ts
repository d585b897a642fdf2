/**
 * Where the tests of a kernel come out alike: a kernel that asks whether it is at an edge asks in vain nearly everywhere.
 */
import type { FlatKernel, Node, Test } from "./Flat.ts"
import * as Lin from "./Lin.ts"

/** how tests come out, by their ids */
export type Truths = ReadonlyMap<number, boolean>

/** the values of an axis from `from` on and before `to`, in which the tests come out so */
export interface Interior {
  readonly from: number
  readonly to: number
  readonly truths: Truths
}

/** what a row may have in common with many others: how these tests come out */
export interface RowKind {
  readonly tests: ReadonlyArray<readonly [Test, boolean]>
  readonly truths: Truths
}

type IndexTest = Test & { readonly _tag: "CompareIndex" }

/** longer axes are not looked through */
const longest = 8192
/** a kind of row, and the interior of one, must be so much of all */
const share = { kind: 0.25, interior: 0.5 }
const mostKinds = 2

const comparisons = {
  lt: (x: number) => x < 0,
  le: (x: number) => x <= 0,
  gt: (x: number) => x > 0,
  ge: (x: number) => x >= 0,
  eq: (x: number) => x === 0,
  ne: (x: number) => x !== 0,
}

const testsOf = (flat: FlatKernel): ReadonlyArray<IndexTest> => {
  const found = new Map<number, IndexTest>()
  const visit = (t: Test): void => {
    if (t._tag === "CompareIndex") found.set(t.id, t)
    else if (t._tag === "And" || t._tag === "Or") [t.a, t.b].forEach(visit)
    else if (t._tag === "Not") visit(t.a)
  }
  flat.nodes.forEach((node: Node) => (node._tag === "Select" ? visit(node.condition) : undefined))
  return [...found.values()]
}

/** how each test comes out at each value of the one axis that all depend on; none where that cannot be told */
const table = (
  tests: ReadonlyArray<IndexTest>,
  axis: number,
  extent: number,
): ReadonlyArray<ReadonlyArray<boolean>> => {
  if (tests.length === 0 || extent > longest) return []
  const rows: Array<ReadonlyArray<boolean>> = []
  for (let at = 0; at < extent; at++) {
    const values = tests.map((t) => Lin.valueAt(t.index, axis, at))
    if (values.includes(undefined)) return []
    rows.push(tests.map((t, i) => comparisons[t.op](values[i] ?? 0)))
  }
  return rows
}

const truthsOf = (tests: ReadonlyArray<IndexTest>, row: ReadonlyArray<boolean>): Truths =>
  new Map(tests.map((t, i) => [t.id, row[i] === true]))

const dependOn = (tests: ReadonlyArray<IndexTest>, axis: number): ReadonlyArray<IndexTest> =>
  tests.filter((t) => t.index.deps.size === 1 && t.index.deps.has(axis))

/** the longest stretch of `axis` in which all tests that depend on it alone come out alike */
export const interiorOf = (flat: FlatKernel, axis: number, extent: number): Interior | undefined => {
  const tests = dependOn(testsOf(flat), axis)
  const rows = table(tests, axis, extent)
  let best = { from: 0, to: 0 }
  for (let from = 0; from < rows.length;) {
    let to = from + 1
    while (to < rows.length && rows[to]?.join() === rows[from]?.join()) to++
    if (to - from > best.to - best.from) best = { from, to }
    from = to
  }
  const length = best.to - best.from
  if (length < 8 || length < share.interior * extent) return undefined
  return { ...best, truths: truthsOf(tests, rows[best.from] ?? []) }
}

/** the commonest ways in which the tests that depend on one of the outer axes come out */
export const kindsOf = (
  flat: FlatKernel,
  outer: ReadonlyArray<{ readonly axis: number; readonly extent: number }>,
): ReadonlyArray<RowKind> => {
  const all = testsOf(flat)
  const most = outer
    .map(({ axis, extent }) => ({ axis, extent, tests: dependOn(all, axis) }))
    .reduce((a, b) => (b.tests.length > a.tests.length ? b : a), { axis: -1, extent: 0, tests: [] })
  const rows = table(most.tests, most.axis, most.extent)
  const counts = new Map<string, { readonly row: ReadonlyArray<boolean>; readonly count: number }>()
  for (const row of rows) counts.set(row.join(), { row, count: (counts.get(row.join())?.count ?? 0) + 1 })
  return [...counts.values()]
    .filter(({ count }) => count >= share.kind * most.extent)
    .sort((a, b) => b.count - a.count)
    .slice(0, mostKinds)
    .map(({ row }) => ({
      tests: most.tests.map((t, i) => [t, row[i] === true] as const),
      truths: truthsOf(most.tests, row),
    }))
}
