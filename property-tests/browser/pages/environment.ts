/** What a page finds: isolation, threads, shared memory; and that reports and errors come through. */
type Report = (message: unknown) => Promise<void>

export const main = async (argument: { readonly fail?: boolean } | null, report: Report) => {
  await report({ started: true })
  if (argument?.fail === true) {
    console.error("about to fail")
    throw new Error("asked to fail")
  }
  const file = await fetch("files/cases.json")
  return {
    argument,
    isolated: crossOriginIsolated,
    sharedMemory: typeof SharedArrayBuffer !== "undefined",
    file: file.ok ? Object.keys((await file.json()) as object) : [],
    outside: (await fetch("files/../../environment.ts")).status,
  }
}
