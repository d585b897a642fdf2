import { type Refusal, refuse } from "../../shapes/Refusal.ts"

/** The refusal of the first option with a fault, or `null`: a layer of wrong sizes takes no input at all. */
export const firstFault = (options: { readonly [name: string]: string | null }): Refusal | null => {
  const [name, sentence] = Object.entries(options).find(([, fault]) => fault !== null) ?? []
  return name === undefined ? null : refuse(`has a wrong ${name}: ${sentence}`)
}
