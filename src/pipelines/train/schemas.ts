import * as Effect from "effect/Effect"

/** What files of a run are decoded with: loaded where it is needed, since Effect's Schema takes as long to load as all the rest. */
export const schemas = Effect.promise(() => import("./checkpointSchema.ts"))
