import * as HostTensor from "../../ops/HostTensor.ts"
import * as Ops from "../../ops/Ops.ts"
import { reshapeTo } from "../../ops/reshape.ts"
import * as Tensor from "../../ops/Tensor.ts"
import type { Dim } from "../../shapes/Shape.ts"

/** how many classes logits `[N, C]` tell of */
export const classesOf = (logits: Tensor.Tensor): number => Number(logits.shape[1])

/** the class indices 0 … C − 1, `[1, C]` */
export const classIndices = (classes: number): Tensor.Tensor =>
  Tensor.constant(
    HostTensor.make(
      [1, classes],
      Array.from({ length: classes }, (_, i) => i),
    ),
  )

/** numbers of samples `[N]` as a column `[N, 1]` */
export const column = (x: Tensor.Tensor): Tensor.Tensor => {
  const [n = 1]: ReadonlyArray<Dim> = x.shape
  return reshapeTo(x, [n, 1])
}

/** `[N]` class indices as `[N, C]`, 1 in the place of the class; a row of zeros for padding */
export const oneHot = (labels: Tensor.Tensor, classes: number): Tensor.Tensor =>
  Ops.equal(column(labels), classIndices(classes))
