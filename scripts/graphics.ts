/** What of the outside world the GPU tests need, and where it is found. */
import { existsSync, readdirSync } from "node:fs"
import { homedir } from "node:os"
import { delimiter, join } from "node:path"

const list = (folder: string): ReadonlyArray<string> => {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** the browser that Playwright may have downloaded for somebody else */
const playwrightFolders = (): ReadonlyArray<string> => {
  const cache = join(homedir(), ".cache/ms-playwright")
  return list(cache)
    .filter((f) => f.startsWith("chromium-"))
    .flatMap((f) => [join(cache, f, "chrome-linux"), join(cache, f, "chrome-linux64")])
}

/** The path of a Chromium or Chrome: `CHROMIUM`, then `PATH`, then Playwright's cache. */
export const findChromium = (): string | undefined => {
  const named = process.env["CHROMIUM"]
  const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
  const inPath = (process.env["PATH"] ?? "").split(delimiter).flatMap((d) => names.map((n) => join(d, n)))
  const downloaded = playwrightFolders().map((d) => join(d, "chrome"))
  return [...(named === undefined ? [] : [named]), ...inPath, ...downloaded].find(existsSync)
}

/** The Vulkan driver description of SwiftShader, by which Dawn runs without a GPU: `VK_ICD_FILENAMES`, else Chromium's. */
export const findSwiftShader = (): string | undefined => {
  const named = process.env["VK_ICD_FILENAMES"]
  const folders = [
    "/usr/lib/chromium",
    "/usr/lib64/chromium-browser",
    "/usr/lib/chromium-browser",
    "/opt/google/chrome",
  ]
  const files = [...folders, ...playwrightFolders()].map((d) => join(d, "vk_swiftshader_icd.json"))
  return [...(named === undefined ? [] : [named]), ...files].find(existsSync)
}
