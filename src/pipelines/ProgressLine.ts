/** The line that says how far a run is: a pure function of what is known, for a terminal or a log. */

/** What a progress line shows. */
export interface Progress {
  readonly epoch: number
  readonly epochs: number
  /** steps done in this epoch */
  readonly step: number
  readonly steps: number
  readonly loss: number
  /** share of the epoch's samples so far that were classified correctly, 0 to 1 */
  readonly accuracy: number
  readonly imagesPerSecond: number
  readonly secondsLeft: number
}

const twoDigits = (n: number): string => String(n).padStart(2, "0")

/**
 * A duration as people read it.
 *
 * @example
 * ProgressLine.duration(75) // => "1:15"
 * ProgressLine.duration(3700) // => "1:01:40"
 */
export const duration = (seconds: number): string => {
  if (!Number.isFinite(seconds) || seconds < 0) return "?"
  const whole = Math.round(seconds)
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  return h > 0 ? `${h}:${twoDigits(m)}:${twoDigits(s)}` : `${m}:${twoDigits(s)}`
}

const bar = (done: number, cells: number): string => {
  const full = Math.round(done * cells)
  return "█".repeat(full) + "░".repeat(cells - full)
}

const rate = (perSecond: number): string =>
  Number.isFinite(perSecond) ? `${Math.round(perSecond).toLocaleString("en-US")} images/s` : "? images/s"

/** at most this many cells of bar, and none below the least */
const cells = { most: 30, least: 5 }

/**
 * The progress line for a terminal of `width` columns: exactly that long or shorter. Where there is no room for all,
 * the bar goes first, then what stands last.
 *
 * @example
 * ProgressLine.render({ epoch: 1, epochs: 2, step: 50, steps: 100, loss: 0.5, accuracy: 0.75,
 *   imagesPerSecond: 1234, secondsLeft: 75 }, 80)
 * // => "epoch 1/2 ██████░░░░░  50/100  loss 0.5000  acc 0.750  1,234 images/s  1:15 left"
 */
export const render = (progress: Progress, width: number): string => {
  const done = progress.steps === 0 ? 0 : Math.min(1, Math.max(0, progress.step / progress.steps))
  const epoch = `epoch ${progress.epoch}/${progress.epochs}`
  const rest = [
    `${String(progress.step).padStart(String(progress.steps).length)}/${progress.steps}`,
    `loss ${progress.loss.toFixed(4)}`,
    `acc ${progress.accuracy.toFixed(3)}`,
    rate(progress.imagesPerSecond),
    `${duration(progress.secondsLeft)} left`,
  ]
  const without = `${epoch} ${rest.join("  ")}`
  const room = Math.min(cells.most, width - without.length - 1)
  if (room >= cells.least) return `${epoch} ${bar(done, room)} ${rest.join("  ")}`
  for (let kept = rest.length; kept > 0; kept--) {
    const line = `${epoch} ${rest.slice(0, kept).join("  ")}`
    if (line.length <= width) return line
  }
  return epoch.slice(0, Math.max(0, width))
}

/**
 * The same as a line of a log, where there is no terminal to draw on.
 *
 * @example
 * // => "epoch 1/2, step 50/100, loss 0.5000, acc 0.750, 1,234 images/s, 1:15 left"
 */
export const plain = (progress: Progress): string => {
  const { epoch, epochs, step, steps, loss, accuracy } = progress
  return [
    `epoch ${epoch}/${epochs}`,
    `step ${step}/${steps}`,
    `loss ${loss.toFixed(4)}`,
    `acc ${accuracy.toFixed(3)}`,
    rate(progress.imagesPerSecond),
    `${duration(progress.secondsLeft)} left`,
  ].join(", ")
}

/** the share of an epoch after which a log gets another line */
const share = 0.25

/** Whether a log that is no terminal gets a line at this step: at each quarter of an epoch, and at its end. */
export const isMilestone = (progress: Pick<Progress, "step" | "steps">): boolean =>
  progress.steps > 0 &&
  Math.floor(progress.step / progress.steps / share) > Math.floor((progress.step - 1) / progress.steps / share)
