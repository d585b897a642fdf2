/** What was not finite first in a step, as data and as the part of a sentence. */

/** What was not finite first. */
export type Origin =
  | { readonly _tag: "Input" }
  /** a parameter or running statistic, before the step */
  | { readonly _tag: "Parameter"; readonly name: string }
  /** what a layer gave for finite inputs and finite parameters */
  | { readonly _tag: "Output"; readonly layer: string }
  /** the loss itself: every layer gave finite numbers */
  | { readonly _tag: "Loss" }
  /** what came back to a layer, so that its parameters are not finite after the step before this one */
  | { readonly _tag: "Gradient"; readonly layer: string; readonly step: number }

/** the origin as the part of a sentence */
export const sayOrigin = (origin: Origin): string => {
  switch (origin._tag) {
    case "Input":
      return "the images of the batch hold values that are not finite"
    case "Parameter":
      return `${origin.name} holds values that are not finite`
    case "Output":
      return `the output of ${origin.layer} is the first that is not finite`
    case "Loss":
      return "every layer gives finite values, the loss of them is not finite"
    case "Gradient":
      return `the gradient at ${origin.layer} was the first that was not finite, in step ${origin.step}`
  }
}
