import type { HostTensor } from "../../ops/HostTensor.ts"
import type { Tensor } from "../../ops/Tensor.ts"
import type { Shape } from "../../shapes/Shape.ts"

/** What training and evaluation need to know of a model. */
export interface Model {
  readonly name: string
  /** the shape of one sample */
  readonly inputShape: Shape
  readonly init: (seed: number) => { readonly [name: string]: HostTensor }
  readonly apply: (
    params: { readonly [name: string]: Tensor },
    x: Tensor,
    mode: { readonly training: boolean },
  ) => Tensor
}
