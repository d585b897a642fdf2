/** What both flips are: a picture or its mirror image, by chance. */
import { gather } from "./gather.ts"
import { type ImageRule, keepsImage, make, type Transform } from "./Transform.ts"

/** the sentence about a probability that is none, or `null` */
export const notProbability = (p: number): string | null =>
  p >= 0 && p <= 1 ? null : `has probability ${p}, which must be from 0 to 1`

const forward = (n: number): Int32Array => Int32Array.from({ length: n }, (_, i) => i)

export const flip = (name: string, p: number, axis: "rows" | "columns"): Transform<ImageRule> =>
  make({
    name,
    random: true,
    shape: keepsImage(notProbability(p)),
    kernel: (shape) => {
      const [rows, columns] = [forward(shape[1]!), forward(shape[2]!)]
      if (axis === "rows") rows.reverse()
      else columns.reverse()
      return (input, output, uniform) => {
        if (uniform(0) < p) gather(input, shape, output, rows, columns)
        else output.set(input)
      }
    },
  })
