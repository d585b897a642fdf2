import { dropout as op } from "../../ops/dropout.ts"
import * as Op from "../../ops/Op.ts"
import type { Tensor } from "../../ops/Tensor.ts"
import { refuse } from "../../shapes/Refusal.ts"
import { type Layer, layer, pure, type Typed } from "../Layer.ts"
import type { Inplace, SameRule } from "./relu.ts"
import { bool } from "./repr.ts"

export interface Dropout extends Layer {
  readonly kind: "dropout"
  readonly "~": Typed<SameRule, object, "dropout">
}

const seedless =
  "training draws random numbers, but there is no seed: give Nn.apply an input Tensor.seed(), and each run HostTensor.seed(seed, step)"

/**
 * In training each element becomes 0 with probability `p` (0.5 when absent) and the others are multiplied by
 * `1 / (1 − p)`; in evaluation nothing happens. Training needs the `seed` of `Nn.apply`; without one it is refused.
 *
 * **Shapes** `S → S`. PyTorch's `Dropout`; Srivastava et al., 2014.
 *
 * @example
 * Nn.dropout(0.2)
 */
export const dropout = (p: number = 0.5, { inplace = false }: Inplace = {}): Dropout =>
  layer<Dropout>({
    kind: "dropout",
    label: "dropout",
    repr: `Dropout(p=${p}, inplace=${bool(inplace)})`,
    rule: (input) => (p >= 0 && p <= 1 ? input : refuse(`has a wrong p: ${p} is no probability`)),
    forward: pure((x, { training, random }) =>
      !training || p === 0
        ? x
        : random === null
          ? Op.refused("dropout", [x], refuse(seedless))
          : // the limbs of a key are four numbers
            op(x, { p, key: random.key as Tensor<[4]>, stream: random.stream }),
    ),
  })
