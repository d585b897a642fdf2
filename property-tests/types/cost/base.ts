// what the layers cost without any model of the zoo; subtracted from the others
export * from "../../../src/models/sequential.ts"
export * from "../../../src/models/StateDict.ts"
export { conv2d } from "../../../src/models/layers/conv2d.ts"
export { flatten } from "../../../src/models/layers/flatten.ts"
export { linear } from "../../../src/models/layers/linear.ts"
export { maxPool2d } from "../../../src/models/layers/maxPool2d.ts"
export { relu } from "../../../src/models/layers/relu.ts"
