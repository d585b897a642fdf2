import { dual } from "effect/Function"
import * as Ops from "../../ops/Ops.ts"
import { fill, type Tensor } from "../../ops/Tensor.ts"
import { tensorsOf, type TensorTree } from "../../ops/tree.ts"
import { firstRefusal } from "../InvalidOption.ts"
import { from, type Named, named, only, type Optimizer } from "./Optimizer.ts"

/** an optimiser that is given other gradients, of the parameters that it changes */
const withGradients = (
  self: Optimizer,
  refusal: string | undefined,
  f: (gradients: Named<Tensor>) => Named<Tensor>,
): Optimizer =>
  from({
    ...self,
    update: (step) => self.update({ ...step, gradients: f(only(step.gradients, self.trains)) }),
    refusal: refusal ?? self.refusal,
  })

// a sum or maximum over all dimensions has none
const total = (x: Tensor): Tensor<[]> => Ops.sum(x) as Tensor<[]>
const largest = (x: Tensor): Tensor<[]> => Ops.amax(Ops.abs(x)) as Tensor<[]>
const plus = (a: Tensor<[]>, b: Tensor<[]>): Tensor<[]> => Ops.add(a, b)
const larger = (a: Tensor<[]>, b: Tensor<[]>): Tensor<[]> => Ops.maximum(a, b)

/**
 * The norm of all tensors of a tree together, as if they were one vector: the 2-norm unless told. For gradient norms in
 * loops of one's own.
 *
 * **Shapes** `tree → []`.
 *
 * @example
 * const norm = Optim.globalNorm(Ops.grad(loss, params))
 */
export const globalNorm = (tree: TensorTree, normType: number = 2): Tensor<[]> => {
  const all = tensorsOf(tree)
  if (normType === Number.POSITIVE_INFINITY) return all.map(largest).reduce(larger, fill(0))
  if (normType === 1) return all.map((x) => total(Ops.abs(x))).reduce(plus, fill(0))
  if (normType === 2) return Ops.sqrt(all.map((x) => total(Ops.square(x))).reduce(plus, fill(0)))
  const powers = all.map((x) => total(Ops.pow(Ops.abs(x), fill(normType))))
  return Ops.pow(powers.reduce(plus, fill(0)), fill(1 / normType))
}

/**
 * Scales all gradients together so that their norm is at most `maxNorm`: they are multiplied by
 * `min(1, maxNorm / (norm + 1e-6))`. The norm is the 2-norm unless `normType` says another (`Infinity` for the largest
 * magnitude). PyTorch's `clip_grad_norm_`.
 *
 * What is given last sees the gradients first: `adam.pipe(clipNorm(1), accumulate(4))` clips what four batches gave.
 *
 * @example
 * Optim.adam().pipe(Optim.clipNorm(1))
 */
export const clipNorm: {
  (maxNorm: number, options?: { readonly normType?: number }): (self: Optimizer) => Optimizer
  (self: Optimizer, maxNorm: number, options?: { readonly normType?: number }): Optimizer
} = dual(
  (args) => typeof args[0] !== "number",
  (self: Optimizer, maxNorm: number, { normType = 2 }: { readonly normType?: number } = {}): Optimizer =>
    withGradients(
      self,
      firstRefusal("clipNorm", [
        [maxNorm >= 0, `maxNorm of at least 0, not ${maxNorm}`],
        [normType > 0, `normType above 0, not ${normType}`],
      ]),
      (gradients) => {
        const ratio = Ops.div(fill(maxNorm), Ops.add(globalNorm(gradients, normType), fill(1e-6)))
        const scale = Ops.minimum(ratio, fill(1))
        return named(Object.keys(gradients), (name) => Ops.mul(gradients[name] ?? scale, scale))
      },
    ),
)

/**
 * Brings each element of each gradient into ±`clipValue`. PyTorch's `clip_grad_value_`.
 *
 * @example
 * Optim.sgd({ lr: 0.1 }).pipe(Optim.clipValue(0.5))
 */
export const clipValue: {
  (clipValue: number): (self: Optimizer) => Optimizer
  (self: Optimizer, clipValue: number): Optimizer
} = dual(2, (self: Optimizer, clipValue: number): Optimizer =>
  withGradients(
    self,
    firstRefusal("clipValue", [[clipValue >= 0, `clipValue of at least 0, not ${clipValue}`]]),
    (gradients) => {
      const [low, high] = [fill(-clipValue), fill(clipValue)]
      return named(Object.keys(gradients), (name) => Ops.minimum(Ops.maximum(gradients[name] ?? low, low), high))
    },
  ),
)
