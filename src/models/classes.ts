import type { Size } from "../shapes/size.ts"

/** how many classes a model tells apart */
export interface Classes<K extends number> {
  /** those of the data it is known for when absent */
  readonly numClasses?: Size<K>
}
/** the number that was given, or that of the type's default */
export const classes = <K extends number>(options: Classes<K>, usual: number): K =>
  // a guarded option is the option itself, or the call does not compile; `usual` is the default of K
  (options.numClasses ?? usual) as K
