import { isRefusal } from "../shapes/Refusal.ts"
import type { Shape } from "../shapes/Shape.ts"
import type { ShapeMismatch } from "../shapes/ShapeMismatch.ts"
import { window } from "../shapes/window.ts"
import type { Layer } from "./Layer.ts"
import { summary } from "./summary.ts"

/**
 * The size N after a window slid along it, `⌊(N + 2·padding − dilation·(kernelSize − 1) − 1) / stride⌋ + 1`; `null`
 * when no window fits.
 *
 * @example
 * Nn.outputSize(224, { kernelSize: 11, stride: 4, padding: 2 }) // => 55
 */
export const outputSize = (
  n: number,
  options: {
    readonly kernelSize: number
    /** 1 when absent */
    readonly stride?: number
    /** 0 when absent */
    readonly padding?: number
    /** 1 when absent */
    readonly dilation?: number
  },
): number | null => {
  const size = window(n, options)
  return typeof size === "number" ? size : null
}

export interface Cost {
  /** empty where the layer does not take the input; `refusal` says why */
  readonly output: Shape
  readonly parameters: number
  /** for one sample */
  readonly multiplyAdds: number
  readonly refusal: ShapeMismatch | null
}
/**
 * What a layer or a block costs on an input: its parameters, and its multiply-adds for one sample.
 *
 * @example
 * Nn.cost(Nn.conv2d(192, 32, { kernelSize: 5, padding: 2 }), ["N", 192, 28, 28]).multiplyAdds // => 120422400
 * const reduced = Nn.seq(Nn.conv2d(192, 16, { kernelSize: 1 }), Nn.conv2d(16, 32, { kernelSize: 5, padding: 2 }))
 * Nn.cost(reduced, ["N", 192, 28, 28]).multiplyAdds // => 12443648
 */
export const cost = (layer: Layer, input: Shape): Cost => {
  const { parameters, multiplyAdds, refusal } = summary({ ...layer, in: input })
  const output = layer.rule(input, { by: "the input", from: null })
  return { output: isRefusal(output) ? [] : output, parameters, multiplyAdds, refusal }
}
