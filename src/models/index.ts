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
export { entitled, input, repeat, seq, sequential } from "./sequential.ts"
export type { Input, Item, Named, Net, Repeat, Seq } from "./sequential.ts"
export { parameters, stateDict } from "./StateDict.ts"
export type { HostStateDict, NamedParam, ParamShapes, StateDict } from "./StateDict.ts"
export { cost, type Cost, outputSize } from "./cost.ts"
export { freeze } from "./freeze.ts"
export { shared, type Shared } from "./shared.ts"
export { pytorch, shapes, torchinfo, torchsummary } from "./styles.ts"
export { showSummary, summary } from "./summary.ts"
export type { Summary, SummaryRow } from "./summary.ts"

export { refuse } from "../shapes/Refusal.ts"
export { times } from "../shapes/size.ts"

// layers
export { adaptiveAvgPool2d, type AdaptiveAvgPool2d } from "./layers/adaptiveAvgPool2d.ts"
export { adaptiveMaxPool2d, type AdaptiveMaxPool2d } from "./layers/adaptiveMaxPool2d.ts"
export { auxiliary, type Auxiliary } from "./layers/auxiliary.ts"
export { avgPool2d, type AvgPool2d } from "./layers/avgPool2d.ts"
export { batchNorm2d, type BatchNorm2d } from "./layers/batchNorm2d.ts"
export { concat, type Concat } from "./layers/concat.ts"
export { conv2d, type Conv2d } from "./layers/conv2d.ts"
export { convTranspose2d, type ConvTranspose2d } from "./layers/convTranspose2d.ts"
export { dropout, type Dropout } from "./layers/dropout.ts"
export { elu, type ELU } from "./layers/elu.ts"
export { embedding, type Embedding } from "./layers/embedding.ts"
export { flatten, type Flatten } from "./layers/flatten.ts"
export { gelu, type GELU } from "./layers/gelu.ts"
export { groupNorm, type GroupNorm } from "./layers/groupNorm.ts"
export { hardswish, type Hardswish } from "./layers/hardswish.ts"
export { identity, type Identity } from "./layers/identity.ts"
export { layerNorm, type LayerNorm } from "./layers/layerNorm.ts"
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
export { alexnet, alexnet5x5, alexnetHalf } from "./alexnet.ts"
export { alexnetD2l, alexnetD2lImagenet, alexnetD2lNopad } from "./alexnetD2l.ts"
export { densenet121, densenet161, densenet169, densenet201 } from "./densenet.ts"
export { googlenet, googlenetAuxiliary } from "./googlenet.ts"
export { lenet } from "./lenet.ts"
export { mnistcnn } from "./mnistcnn.ts"
export { mobilenetV2 } from "./mobilenetV2.ts"
export { nin } from "./nin.ts"
export { resnet18, resnet34, resnet50, resnet101, resnet152 } from "./resnet.ts"
export { squeezenet1_0, squeezenet1_1 } from "./squeezenet.ts"
export { tinyVgg } from "./tinyvgg.ts"
export { vgg11, vgg11Bn, vgg13, vgg13Bn, vgg16, vgg16Bn, vgg19, vgg19Bn } from "./vgg.ts"
export { type AnyNet, zoo } from "./zoo.ts"
export type { Classes } from "./classes.ts"
