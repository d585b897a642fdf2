import * as HostTensor from "../ops/HostTensor.ts"
import * as Random from "../ops/random.ts"
import type { Init, Layer } from "./Layer.ts"
import { type HostStateDict, type NamedParam, parameters } from "./StateDict.ts"

const fill = (init: Init, n: number, seed: number, path: string): Float32Array => {
  const data = new Float32Array(n)
  switch (init._tag) {
    case "Fill":
      return data.fill(init.value)
    case "Uniform": {
      const uniform = Random.uniform(Random.key(seed, 0), Random.stream(path))
      for (let i = 0; i < n; i++) data[i] = (2 * uniform(i) - 1) * init.bound
      return data
    }
  }
}
const start = (param: NamedParam, seed: number): HostTensor.HostTensor =>
  HostTensor.make(
    param.shape,
    fill(
      param.init,
      param.shape.reduce((a, b) => a * b, 1),
      seed,
      param.path,
    ),
  )

/**
 * The numbers that a model starts with, as PyTorch's defaults: weights and biases uniform in ±1/√(fan in). They are a
 * function of the seed and of each parameter's name, whatever else is in the model.
 *
 * @example
 * Nn.init(net, { seed: 1 })["fc1.weight"].data // Float32Array(32)
 */
export const init = <H extends Layer>(net: H, options: { readonly seed: number }): HostStateDict<H> =>
  // the names and shapes of the parameters as values are those of the type
  Object.fromEntries(parameters(net).map((p) => [p.path, start(p, options.seed)])) as HostStateDict<H>
