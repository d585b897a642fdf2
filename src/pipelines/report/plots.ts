/** The curves of a run as SVG, drawn by `@observablehq/plot` in a document of `linkedom`. */
import * as Effect from "effect/Effect"
import { MissingPackage, optionalPackage } from "../MissingPackage.ts"
import type { Point, RunLog } from "./runLog.ts"

/** an element that a plot is */
interface Drawn {
  readonly outerHTML: string
  readonly setAttribute: (name: string, value: string) => void
}
type Mark = object
/** what is used of Plot */
interface Plot {
  readonly plot: (options: object) => Drawn
  readonly lineY: (data: ReadonlyArray<object>, options: object) => Mark
  readonly dot: (data: ReadonlyArray<object>, options: object) => Mark
  readonly text: (data: ReadonlyArray<object>, options: object) => Mark
  readonly ruleX: (data: ReadonlyArray<number>, options: object) => Mark
  readonly gridY: (options: object) => Mark
}

/** a picture of a curve: for the eye, and in words */
export interface Chart {
  readonly file: string
  readonly title: string
  readonly words: string
  readonly svg: string
}

interface Series {
  readonly name: string
  readonly color: string
  readonly points: ReadonlyArray<Point>
  /** few: with a dot on each */
  readonly isFew: boolean
}

/** readable on light and on dark, also where the SVG stands by itself */
const style = `<style>
.chart{--ink:#24292f;--faint:#d0d7de;--train:#0969da;--test:#bc4c00;color:var(--ink);background:transparent;font:13px system-ui,sans-serif}
@media (prefers-color-scheme:dark){.chart{--ink:#e6edf3;--faint:#3d444d;--train:#58a6ff;--test:#ffa657}}
</style>`

const purpose = "to draw the curves of a report"

const show = (x: number): string => (Math.abs(x) < 0.01 && x !== 0 ? x.toExponential(1) : String(Number(x.toFixed(4))))

/** The curves of a log: loss, accuracy, learning rate, each where it has any points. Fails with `MissingPackage`. */
export const charts = Effect.fnUntraced(function* (log: RunLog) {
  const both = "@observablehq/plot"
  const Plot = yield* optionalPackage<Plot>(both, purpose)
  const { parseHTML } = yield* optionalPackage<{
    readonly parseHTML: (html: string) => { readonly document: object }
  }>("linkedom", purpose).pipe(
    Effect.mapError((error) => new MissingPackage({ ...error, packages: [both, "linkedom"] })),
  )
  const { document } = parseHTML("<!doctype html><html><body></body></html>")
  const ends = log.epochs.map(({ step }) => step)

  const draw = (
    file: string,
    title: string,
    series: ReadonlyArray<Series>,
    y: object,
    unit: (x: number) => string,
  ): ReadonlyArray<Chart> => {
    const there = series.filter(({ points }) => points.length > 0)
    // a run that was interrupted before its first step has no curve
    if (there.length === 0) return []
    const last = there.map(({ name, color, points }) => ({ ...points.at(-1)!, name, color }))
    // labels that would lie on each other are parted, the larger value above
    const shift = (p: (typeof last)[number]): number =>
      last.length < 2 ? 0 : last.every((q) => q === p || q.value <= p.value) ? -8 : 8
    const plot = Plot.plot({
      document,
      width: 640,
      height: 300,
      marginRight: 120,
      marginLeft: 52,
      className: "chart-marks",
      x: { label: "step", domain: [0, Math.max(1, ...ends, ...last.map((p) => p.step))] },
      y,
      marks: [
        Plot.gridY({ stroke: "var(--faint)", strokeOpacity: 1 }),
        Plot.ruleX(ends, { stroke: "var(--faint)", strokeDasharray: "2,3" }),
        ...there.flatMap(({ color, points, isFew }) => [
          Plot.lineY(points, { x: "step", y: "value", stroke: color, strokeWidth: isFew ? 2.2 : 1.3 }),
          ...(isFew ? [Plot.dot(points, { x: "step", y: "value", fill: color, r: 3.5 })] : []),
        ]),
        ...last.map((p) =>
          Plot.text([p], {
            x: "step",
            y: "value",
            text: () => `${p.name} ${unit(p.value)}`,
            textAnchor: "start",
            dx: 8,
            dy: shift(p),
            fill: p.color,
            fontWeight: 600,
          }),
        ),
      ],
    })
    const told = there.map(({ name, points }) => {
      const [first, end] = [points[0]!, points.at(-1)!]
      return points.length < 2
        ? `${name} ${unit(end.value)}`
        : `${name} from ${unit(first.value)} to ${unit(end.value)}`
    })
    const words = `${title} over ${Math.round(last[0]?.step ?? 0)} steps: ${told.map((words) => words.trim()).join(", ")}`
    plot.setAttribute("role", "img")
    plot.setAttribute("aria-label", words)
    plot.setAttribute("class", "chart")
    plot.setAttribute("xmlns", "http://www.w3.org/2000/svg")
    const svg = plot.outerHTML.replace(/(<svg[^>]*>)/, `$1${style}`)
    return [{ file, title, words, svg }]
  }

  const ofEpochs = (of: (epoch: RunLog["epochs"][number]) => number | undefined): ReadonlyArray<Point> =>
    log.epochs.flatMap((epoch) => {
      const value = of(epoch)
      return value === undefined ? [] : [{ step: epoch.step, value }]
    })
  const train = { name: "training", color: "var(--train)" }
  const test = { name: "validation", color: "var(--test)", isFew: true }
  const percent = (x: number): string => `${(100 * x).toFixed(1)} %`
  return [
    ...draw(
      "loss.svg",
      "Loss",
      [
        { ...train, points: log.loss, isFew: false },
        { ...test, points: ofEpochs((e) => e.testLoss) },
      ],
      { label: "loss", zero: true },
      show,
    ),
    ...draw(
      "accuracy.svg",
      "Accuracy",
      [
        { ...train, points: ofEpochs((e) => e.accuracy), isFew: true },
        { ...test, points: ofEpochs((e) => e.testAccuracy) },
      ],
      { label: "accuracy", tickFormat: "%", nice: true },
      percent,
    ),
    ...draw(
      "learning-rate.svg",
      "Learning rate",
      [{ ...train, name: "", points: log.learningRate, isFew: false }],
      { label: "learning rate", zero: true },
      show,
    ),
  ]
})
