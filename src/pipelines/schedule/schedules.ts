/** Every schedule that is made from options, by its name: what reference cases name. */
import { constant } from "./constant.ts"
import { cosine } from "./cosine.ts"
import { cosineRestarts } from "./cosineRestarts.ts"
import { exponential } from "./exponential.ts"
import { linear } from "./linear.ts"
import { multiStep } from "./multiStep.ts"
import { oneCycle } from "./oneCycle.ts"
import { polynomial } from "./polynomial.ts"
import { step } from "./step.ts"

export const schedules = {
  constant,
  cosine,
  cosineRestarts,
  exponential,
  linear,
  multiStep,
  oneCycle,
  polynomial,
  step,
}
export type ScheduleName = keyof typeof schedules
