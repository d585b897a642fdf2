/** The report as one page: nothing is fetched, readable in light and dark, and without seeing the pictures. */
import type { Summary } from "../../models/summary.ts"
import { show } from "../../shapes/Shape.ts"
import type { RunDescription } from "../RunFolder.ts"
import type { Chart } from "./plots.ts"
import type { Results } from "./schemas.ts"
import type { RunLog } from "./runLog.ts"

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;")
const percent = (x: number): string => `${(100 * x).toFixed(1)} %`
const count = (n: number): string => n.toLocaleString("en-US")

const css = `
:root{color-scheme:light dark;--ink:#1f2328;--soft:#59636e;--faint:#d0d7de;--page:#fff;--card:#f6f8fa;--train:#0969da;--test:#bc4c00;--right:9 105 218;--wrong:188 76 0}
@media (prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9198a1;--faint:#3d444d;--page:#0d1117;--card:#151b23;--train:#58a6ff;--test:#ffa657;--right:56 139 253;--wrong:255 150 80}}
*{box-sizing:border-box}
body{margin:0 auto;padding:2rem 1.2rem 4rem;max-width:76rem;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
h1{margin:0;font-size:1.9rem;letter-spacing:-.02em}
h2{margin:2.6rem 0 .8rem;font-size:1.2rem}
p{margin:.3rem 0;color:var(--soft)}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(9rem,1fr));gap:.8rem;margin:1.4rem 0 0;padding:0}
.figures div{padding:.8rem 1rem;border-radius:.7rem;background:var(--card)}
.figures dt{color:var(--soft);font-size:.82rem}
.figures dd{margin:0;font-size:1.45rem;font-weight:650;font-variant-numeric:tabular-nums}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(30rem,100%),1fr));gap:1rem}
figure{margin:0;padding:1rem;border-radius:.7rem;background:var(--card)}
figcaption{margin-bottom:.4rem;font-weight:600}
svg.chart{display:block;width:100%;height:auto;overflow:visible}
.scroll{overflow-x:auto}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--soft);padding-bottom:.5rem}
.matrix td,.matrix th{min-width:2.7rem;padding:.35rem .4rem;text-align:center;font-size:.85rem}
.matrix th{font-weight:600;color:var(--soft)}
.matrix tbody th{text-align:right}
.matrix td{border:1px solid var(--page);border-radius:.3rem}
.rows th,.rows td{padding:.3rem .9rem .3rem 0;text-align:right;border-bottom:1px solid var(--faint);font-size:.9rem}
.rows th:first-child,.rows td:first-child,.rows .left{text-align:left}
.rows tfoot td{font-weight:650;border:0}
ul.mistakes{display:grid;grid-template-columns:repeat(auto-fill,minmax(8.2rem,1fr));gap:.8rem;margin:0;padding:0;list-style:none}
.mistakes li{padding:.7rem;border-radius:.7rem;background:var(--card);font-size:.86rem;line-height:1.35}
.mistakes img{display:block;width:100%;aspect-ratio:1;object-fit:contain;image-rendering:pixelated;border-radius:.35rem;background:#000;margin-bottom:.45rem}
.mistakes b{color:var(--test)}
.bar{height:.3rem;margin-top:.35rem;border-radius:1rem;background:var(--faint)}
.bar i{display:block;height:100%;border-radius:1rem;background:var(--test)}
footer{margin-top:3rem;color:var(--soft);font-size:.85rem}
`

const figure = (name: string, value: string): string => `<div><dt>${name}</dt><dd>${value}</dd></div>`

const epochs = (log: RunLog): string => {
  const cell = (x: number | undefined, of: (x: number) => string): string => `<td>${x === undefined ? "–" : of(x)}</td>`
  const loss = (x: number): string => x.toFixed(4)
  const rows = log.epochs.map(
    (e) =>
      `<tr><td>${e.epoch}</td>${cell(e.loss, loss)}${cell(e.accuracy, percent)}${cell(e.testLoss, loss)}` +
      `${cell(e.testAccuracy, percent)}<td>${e.seconds.toFixed(1)} s</td></tr>`,
  )
  const head = ["epoch", "training loss", "training accuracy", "validation loss", "validation accuracy", "time"]
  return `<h2>Epochs</h2><div class="scroll"><table class="rows"><thead><tr>${head
    .map((h) => `<th scope="col">${h}</th>`)
    .join("")}</tr></thead><tbody>${rows.join("")}</tbody></table></div>`
}

const matrix = ({ classes, confusion }: Results): string => {
  const rows = confusion.map((row, label) => {
    const total = Math.max(
      1,
      row.reduce((a, b) => a + b, 0),
    )
    const cells = row.map((n, predicted) => {
      const share = n / total
      const right = label === predicted
      // a few mistakes must be seen beside many that are right
      const strength = n === 0 ? 0 : right ? 0.12 + 0.5 * share : 0.1 + 0.9 * Math.min(1, Math.sqrt(share) * 1.4)
      const said = right ? "right" : `taken for ${escaped(classes[predicted] ?? "")}`
      const title = `${escaped(classes[label] ?? "")}, ${said}: ${n} (${percent(share)})`
      const color = `rgb(var(--${right ? "right" : "wrong"})/${strength.toFixed(2)})`
      return `<td title="${title}" style="background:${color}">${n === 0 ? "" : count(n)}</td>`
    })
    return `<tr><th scope="row">${escaped(classes[label] ?? "")}</th>${cells.join("")}<th>${percent((row[label] ?? 0) / total)}</th></tr>`
  })
  const head = classes.map((c) => `<th scope="col">${escaped(c)}</th>`).join("")
  return (
    `<h2>What was taken for what</h2><div class="scroll"><table class="matrix">` +
    `<caption>Rows are the true classes, columns what the model said; the last column is the share that was right.</caption>` +
    `<thead><tr><td></td>${head}<th scope="col">right</th></tr></thead><tbody>${rows.join("")}</tbody></table></div>`
  )
}

const mistakes = ({ mistakes, classes }: Results): string => {
  if (mistakes.length === 0) return ""
  const name = (c: number): string => escaped(classes[c] ?? String(c))
  const items = mistakes.map(({ index, label, predicted, confidence, picture }) => {
    const alt = `Sample ${index}: it is ${name(label)}, taken for ${name(predicted)}`
    return (
      `<li><img src="${picture}" alt="${alt}"><b>${name(predicted)}</b>, ${percent(confidence)} sure<br>` +
      `it is <strong>${name(label)}</strong><div class="bar" aria-hidden="true"><i style="width:${(100 * confidence).toFixed(0)}%"></i></div></li>`
    )
  })
  return `<h2>Where it was surest and wrong</h2><ul class="mistakes">${items.join("")}</ul>`
}

const layers = (table: Summary): string => {
  const rows = table.rows.map(
    (r) =>
      `<tr><td>${escaped(r.name)}</td><td class="left">${escaped(r.label)}</td><td>${escaped(show(r.output))}</td>` +
      `<td>${count(r.parameters)}</td><td>${count(r.multiplyAdds)}</td></tr>`,
  )
  const head = ["name", "layer", "output", "parameters", "multiply-adds"]
    .map((h, i) => `<th scope="col"${i === 1 ? ' class="left"' : ""}>${h}</th>`)
    .join("")
  return (
    `<h2>The model</h2><div class="scroll"><table class="rows"><thead><tr>${head}</tr></thead><tbody>${rows.join("")}</tbody>` +
    `<tfoot><tr><td>total</td><td></td><td></td><td>${count(table.parameters)}</td><td>${count(table.multiplyAdds)}</td></tr></tfoot></table></div>`
  )
}

/** The page; what is not known is left out. */
export const html = (parts: {
  readonly run: RunDescription
  readonly log: RunLog
  readonly charts: ReadonlyArray<Chart>
  readonly results: Results | undefined
  readonly table: Summary | undefined
}): string => {
  const { run, log, charts, results, table } = parts
  const { training, data, model } = run
  const title = `${model.name} on ${data.name}`
  const seconds = log.epochs.reduce((sum, e) => sum + e.seconds, 0)
  const best = Math.max(...log.epochs.map((e) => e.testAccuracy ?? -1))
  const figures = [
    ...(results === undefined
      ? []
      : [figure("accuracy", percent(results.accuracy)), figure("loss", results.loss.toFixed(4))]),
    ...(best >= 0 ? [figure("best epoch", percent(best))] : []),
    figure("epochs", String(log.epochs.length)),
    figure("training time", seconds < 120 ? `${seconds.toFixed(0)} s` : `${(seconds / 60).toFixed(1)} min`),
    figure("parameters", count(model.parameters)),
  ]
  const chart = ({ title, words, svg }: Chart): string =>
    `<figure><figcaption title="${escaped(words)}">${title}</figcaption>${svg}</figure>`
  const lr = training.options["lr"]
  const how = [
    `${count(data.samples)} samples to train on`,
    ...(results === undefined ? [] : [`${count(results.samples)} to test on (${escaped(results.data)})`]),
    `${escaped(training.optimizer)}${lr === undefined ? "" : `, learning rate ${escaped(String(lr))}`}`,
    `batches of ${training.batchSize}`,
    `seed ${training.seed}`,
  ]
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${escaped(title)}</title><style>${css}</style></head>
<body><header><h1>${escaped(title)}</h1><p>${how.join(" · ")}</p><dl class="figures">${figures.join("")}</dl></header>
<main>${charts.length === 0 ? "" : `<h2>Curves</h2><div class="charts">${charts.map(chart).join("")}</div>`}
${epochs(log)}
${results === undefined ? "" : matrix(results) + mistakes(results)}
${table === undefined ? "" : layers(table)}</main>
<footer>Written by effect-nn ${escaped(run.library)}. Dashed lines in the curves are the ends of epochs.</footer>
</body></html>
`
}
