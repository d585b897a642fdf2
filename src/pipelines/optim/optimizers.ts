/** Every optimiser by its name: what a command line offers and what reference cases name. */
import { adagrad } from "./adagrad.ts"
import { adam } from "./adam.ts"
import { adamw } from "./adamw.ts"
import { rmsprop } from "./rmsprop.ts"
import { sgd } from "./sgd.ts"

export const optimizers = { adam, adamw, sgd, rmsprop, adagrad }
export type OptimizerName = keyof typeof optimizers
