/** effect-nn: what does not fit together does not compile, and what compiles trains fast anywhere JavaScript runs. */
export * from "./gpu/index.ts"
export * from "./ops/index.ts"
export { ShapeMismatch } from "./shapes/ShapeMismatch.ts"
export * as Nn from "./models/index.ts"
export * as Shapes from "./shapes/index.ts"
export * from "./pipelines/index.ts"
