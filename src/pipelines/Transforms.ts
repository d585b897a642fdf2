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
export { centerCrop } from "./transforms/centerCrop.ts"
export { colorJitter } from "./transforms/colorJitter.ts"
export { grayscale } from "./transforms/grayscale.ts"
export { lighting } from "./transforms/lighting.ts"
export { pad } from "./transforms/pad.ts"
export { randomCrop } from "./transforms/randomCrop.ts"
export { randomErasing } from "./transforms/randomErasing.ts"
export { randomHorizontalFlip } from "./transforms/randomHorizontalFlip.ts"
export { randomResizedCrop } from "./transforms/randomResizedCrop.ts"
export { randomRotation } from "./transforms/randomRotation.ts"
export { randomVerticalFlip } from "./transforms/randomVerticalFlip.ts"
export { resize } from "./transforms/resize.ts"
export { toTensor } from "./transforms/toTensor.ts"
