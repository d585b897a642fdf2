import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as ProgressLine from "../../src/pipelines/ProgressLine.ts"

const halfway: ProgressLine.Progress = {
  epoch: 1,
  epochs: 2,
  step: 50,
  steps: 100,
  loss: 0.5,
  accuracy: 0.75,
  imagesPerSecond: 1234.4,
  secondsLeft: 75,
}

describe("ProgressLine", () => {
  it.each([
    [80, "epoch 1/2 ██████░░░░░  50/100  loss 0.5000  acc 0.750  1,234 images/s  1:15 left"],
    [70, "epoch 1/2  50/100  loss 0.5000  acc 0.750  1,234 images/s  1:15 left"],
    [50, "epoch 1/2  50/100  loss 0.5000  acc 0.750"],
    [12, "epoch 1/2"],
    [3, "epo"],
  ])("%i columns", (width, line) => assert.strictEqual(ProgressLine.render(halfway, width), line))

  it("a log gets words", () =>
    assert.strictEqual(
      ProgressLine.plain(halfway),
      "epoch 1/2, step 50/100, loss 0.5000, acc 0.750, 1,234 images/s, 1:15 left",
    ))

  it.each([
    [0, "0:00"],
    [75, "1:15"],
    [3700, "1:01:40"],
    [NaN, "?"],
    [Infinity, "?"],
  ])("%d seconds read as %s", (seconds, text) => assert.strictEqual(ProgressLine.duration(seconds), text))

  it("never longer than the terminal is wide", () =>
    fc.assert(
      fc.property(
        fc.nat(200),
        fc.nat(2000),
        fc.nat(2000),
        fc.double(),
        fc.double(),
        (width, step, steps, loss, left) => {
          const line = ProgressLine.render(
            { ...halfway, step, steps, loss, secondsLeft: left, imagesPerSecond: left },
            width,
          )
          assert.isAtMost(line.length, width)
        },
      ),
      { numRuns: 500, seed: 1 },
    ))

  it("a log gets a line at each quarter and at the end of an epoch, and at least one", () =>
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), (steps) => {
        const lines = Array.from({ length: steps }, (_, i) => i + 1).filter((step) =>
          ProgressLine.isMilestone({ step, steps }),
        )
        assert.strictEqual(lines.at(-1), steps)
        assert.strictEqual(lines.length, Math.min(4, steps))
      }),
      { numRuns: 100, seed: 1 },
    ))
})
