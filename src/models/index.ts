/** Models: layers, their composition and parameters, and the zoo. */
export { apply, forward, forwardUnsafe } from "./apply.ts"
export type { Accepted, ApplyOptions, Output } from "./apply.ts"
export { init } from "./init.ts"
export { fanIn, layer, pure, trainable } from "./Layer.ts"
export type {
  Apply,
  At,
  By,
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
export { conv2d, type Conv2d } from "./layers/conv2d.ts"
export { flatten, type Flatten } from "./layers/flatten.ts"
export { linear, type Linear } from "./layers/linear.ts"
export { maxPool2d, type MaxPool2d } from "./layers/maxPool2d.ts"
export { relu, type ReLU } from "./layers/relu.ts"

// the zoo
export { lenet } from "./lenet.ts"
export { tinyVgg } from "./tinyvgg.ts"
