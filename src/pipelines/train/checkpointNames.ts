/** What stands under which name in a checkpoint. */
import type { CheckpointContents } from "./checkpointFile.ts"
import type { Memories } from "./Progress.ts"

/** where the header stands among the texts of a safetensors file */
export const headerKey = "effect-nn"

const separator = "."
/** what the names of a model's tensors begin with */
export const modelPrefix = `model${separator}`

/** the name of a leaf of a run's state in a file */
export const tensorName = ([root, ...rest]: ReadonlyArray<string>): string =>
  [root === "slots" ? "optimizer" : "model", ...rest].join(separator)

/** what the names of an operator's tensors begin with */
export const memoryPrefix = (name: string): string => `memory${separator}${name}${separator}`

/** what operators remember, from a checkpoint */
export const memoriesOf = ({ header, tensors }: CheckpointContents): Memories =>
  Object.fromEntries(
    Object.entries(header.memories).map(([name, values]) => {
      const prefix = memoryPrefix(name)
      const own = Object.entries(tensors).flatMap(([path, tensor]) =>
        path.startsWith(prefix) ? [[path.slice(prefix.length), tensor] as const] : [],
      )
      return [name, own.length === 0 ? { values } : { values, tensors: Object.fromEntries(own) }]
    }),
  )

/** whether the texts of a safetensors file are those of a checkpoint */
export const isCheckpoint = (metadata: Readonly<Record<string, string>>): boolean => metadata[headerKey] !== undefined

/** those of a checkpoint's tensors that are the model's, by their names in the state_dict */
export const modelTensors = <A>(tensors: Iterable<readonly [string, A]>): ReadonlyArray<readonly [string, A]> =>
  Array.from(tensors).flatMap(([name, tensor]) =>
    name.startsWith(modelPrefix) ? [[name.slice(modelPrefix.length), tensor] as const] : [],
  )
