/**
 * Transforms of pictures, with torchvision's names and meaning: for `Data.map`. One file each, listed here.
 *
 * @example
 * fashion.train.pipe(Data.map(Transforms.compose(Transforms.resize([224, 224]), Transforms.normalize([0.286], [0.353]))))
 */
export {
  type Apply,
  type ColourRule,
  type ImageRule,
  type KeepRule,
  type Kernel,
  make,
  type Out,
  type Rule,
  type SizeRule,
  type Transform,
} from "./transforms/Transform.ts"
export { compose } from "./transforms/compose.ts"
export { normalize } from "./transforms/normalize.ts"
