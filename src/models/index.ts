/** Models: layers, their composition and parameters, and the zoo. */
export { apply, forward, forwardUnsafe } from "./apply.ts"
export type { Accepted, ApplyOptions, Output } from "./apply.ts"
export { init } from "./init.ts"
export {
  fill,
  gains,
  initWeights,
  kaimingNormal,
  kaimingUniform,
  type KaimingOptions,
  normal,
  type Recipe,
  truncatedNormal,
  xavierNormal,
  xavierUniform,
} from "./initWeights.ts"
export { fanIn, layer, pure, trainable } from "./Layer.ts"
export type {
  Apply,
  At,
  By,
  Call,
  Child,
  Context,
  Forward,
  Init,
  Layer,
  Param,
  RandomStream,
  Rule,
  Spec,
  Typed,
} from "./Layer.ts"
export { input, seq, sequential } from "./sequential.ts"
export type { Input, Item, Named, Net, Seq } from "./sequential.ts"
export { parameters } from "./StateDict.ts"
export type { HostStateDict, NamedParam, ParamShapes, StateDict } from "./StateDict.ts"
export { showSummary, summary } from "./summary.ts"
export type { Summary, SummaryRow } from "./summary.ts"

export { refuse } from "../shapes/Refusal.ts"
export { times } from "../shapes/size.ts"

// layers
export { adaptiveAvgPool2d, type AdaptiveAvgPool2d } from "./layers/adaptiveAvgPool2d.ts"
export { adaptiveMaxPool2d, type AdaptiveMaxPool2d } from "./layers/adaptiveMaxPool2d.ts"
export { avgPool2d, type AvgPool2d } from "./layers/avgPool2d.ts"
export { batchNorm2d, type BatchNorm2d } from "./layers/batchNorm2d.ts"
export { concat, type Concat } from "./layers/concat.ts"
export { conv2d, type Conv2d } from "./layers/conv2d.ts"
export { dropout, type Dropout } from "./layers/dropout.ts"
export { elu, type ELU } from "./layers/elu.ts"
export { flatten, type Flatten } from "./layers/flatten.ts"
export { gelu, type GELU } from "./layers/gelu.ts"
export { hardswish, type Hardswish } from "./layers/hardswish.ts"
export { identity, type Identity } from "./layers/identity.ts"
export { leakyRelu, type LeakyReLU } from "./layers/leakyRelu.ts"
export { linear, type Linear } from "./layers/linear.ts"
export { localResponseNorm, type LocalResponseNorm } from "./layers/localResponseNorm.ts"
export { logSoftmax, type LogSoftmax } from "./layers/logSoftmax.ts"
export { maxPool2d, type MaxPool2d } from "./layers/maxPool2d.ts"
export { relu, type ReLU } from "./layers/relu.ts"
export { relu6, type ReLU6 } from "./layers/relu6.ts"
export { residual, type Residual } from "./layers/residual.ts"
export { sigmoid, type Sigmoid } from "./layers/sigmoid.ts"
export { silu, type SiLU } from "./layers/silu.ts"
export { softmax, type Softmax } from "./layers/softmax.ts"
export { softplus, type Softplus } from "./layers/softplus.ts"
export { tanh, type Tanh } from "./layers/tanh.ts"

// the zoo
export { lenet } from "./lenet.ts"
export { tinyVgg } from "./tinyvgg.ts"
