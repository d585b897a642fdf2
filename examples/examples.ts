/** The examples by number, but for the first, which needs no files and runs in a page too. */
import type * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import type { Device } from "../src/index.ts"
import * as ex02 from "./02-mnist.ts"
import * as ex03 from "./03-own-model.ts"
import * as ex04 from "./04-own-loop.ts"
import * as ex05 from "./05-own-layer.ts"
import * as ex06 from "./06-own-op.ts"
import * as ex07 from "./07-tinyvgg-fashion-mnist.ts"
import * as ex08 from "./08-batch-norm-mnist.ts"
import * as ex09 from "./09-freezing.ts"
import * as ex10 from "./10-own-pictures.ts"
import * as ex11 from "./11-predict.ts"
import * as ex12 from "./12-alexnet-fashion-mnist.ts"
import * as ex13 from "./13-distillation.ts"
import * as ex14 from "./14-gan.ts"
import type { Budget } from "./budget.ts"

type Example = (budget: Budget) => Effect.Effect<unknown, Error, Device | FileSystem.FileSystem | Path.Path>

export const examples: { readonly [number: string]: Example } = {
  "02": ex02.run,
  "03": ex03.run,
  "04": ex04.run,
  "05": ex05.run,
  "06": ex06.run,
  "07": ex07.run,
  "08": ex08.run,
  "09": ex09.run,
  "10": ex10.run,
  "11": ex11.run,
  "12": ex12.run,
  "13": ex13.run,
  "14": ex14.run,
}
