import * as HostTensor from "../ops/HostTensor.ts"
import * as Random from "../ops/random.ts"
import type { Init, Layer } from "./Layer.ts"
import { type HostStateDict, type NamedParam, parameters } from "./StateDict.ts"

/** The inverse error function by Giles' polynomials: a relative error under 1e-6 in (−1, 1). */
const inverseErf = (x: number): number => {
  const w = -Math.log((1 - x) * (1 + x))
  const [at, coefficients] = w < 5 ? [w - 2.5, near] : [Math.sqrt(w) - 3, far]
  return coefficients.reduce((sum, c) => sum * at + c, 0) * x
}
const near = [
  2.81022636e-8, 3.43273939e-7, -3.5233877e-6, -4.39150654e-6, 0.00021858087, -0.00125372503, -0.00417768164,
  0.246640727, 1.50140941,
]
const far = [
  -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613, 0.00943887047,
  1.00167406, 2.83297682,
]

/** a number of the standard normal distribution from a uniform one in [0, 1), which is a multiple of 2^-22 */
const normal = (u: number): number => Math.SQRT2 * inverseErf(2 * (u + 2 ** -23) - 1)
/** the share of the standard normal distribution below x */
const below = (x: number): number => {
  // Abramowitz and Stegun 7.1.26: an error under 1.5e-7
  const t = 1 / (1 + (0.3275911 * Math.abs(x)) / Math.SQRT2)
  const tail = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
  const erf = 1 - tail * Math.exp((-x * x) / 2)
  return (1 + Math.sign(x) * erf) / 2
}

/** how many inputs an output of the weight sees, and how many outputs an input; of a bias, its length */
const fans = (shape: ReadonlyArray<number>): { readonly in: number; readonly out: number; readonly mean: number } => {
  const [o = 1, i = 1, ...taps] = shape
  const window = taps.reduce((a, b) => a * b, 1)
  return { in: i * window, out: o * window, mean: ((i + o) * window) / 2 }
}

/** the value of an initialiser for a uniform number in [0, 1) */
const valueOf = (init: Init, shape: ReadonlyArray<number>): ((u: number) => number) => {
  switch (init._tag) {
    case "Fill":
      return () => init.value
    case "Uniform":
      return (u) => (2 * u - 1) * init.bound
    case "Normal":
      return (u) => init.mean + init.std * normal(u)
    case "TruncatedNormal": {
      const { mean, std, from, to } = init
      const low = below((from - mean) / std)
      const high = below((to - mean) / std)
      return (u) => Math.min(to, Math.max(from, mean + std * normal(low + u * (high - low))))
    }
    case "Scaled": {
      const std = init.gain / Math.sqrt(fans(shape)[init.fan])
      return init.distribution === "normal" ? (u) => std * normal(u) : (u) => (2 * u - 1) * Math.sqrt(3) * std
    }
  }
}

const start = ({ init, shape, path }: NamedParam, seed: number): HostTensor.HostTensor => {
  const data = new Float32Array(shape.reduce((a, b) => a * b, 1))
  const value = valueOf(init, shape)
  if (init._tag === "Fill") return HostTensor.make(shape, data.fill(init.value))
  const uniform = Random.uniform(Random.key(seed, 0), Random.stream(path))
  for (let i = 0; i < data.length; i++) data[i] = value(uniform(i))
  const width = data.length / (shape[0] ?? 1)
  if (init._tag === "Normal" && init.zeroRow != null) data.fill(0, init.zeroRow * width, (init.zeroRow + 1) * width)
  return HostTensor.make(shape, data)
}

/**
 * The numbers that a model starts with, as each parameter's initialiser says; by default PyTorch's, weights and biases
 * uniform in ±1/√(fan in). They are a function of the seed and of each parameter's name, whatever else is in the model.
 *
 * @example
 * Nn.init(net, { seed: 1 })["fc1.weight"].data // Float32Array(32)
 */
export const init = <H extends Layer>(net: H, options: { readonly seed: number }): HostStateDict<H> =>
  // the names and shapes of the parameters as values are those of the type
  Object.fromEntries(parameters(net).map((p) => [p.path, start(p, options.seed)])) as HostStateDict<H>
