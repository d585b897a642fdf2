import { defineConfig } from "vitest/config"

/*
 * Three tiers, by what a test needs:
 * - `null`: nothing but the sources (shapes, graphs, printed kernel text, house rules);
 * - `cpu`: a device that every machine has (interpreter, WebAssembly, gpu.js on the CPU);
 * - `device`: WebGPU or a browser, skipped where there is none.
 * A test is in the tier `cpu` unless its folder or its name says otherwise. `package` needs a build and runs by itself.
 */
const nullTier = ["property-tests/{house,shapes,docs}/**/*.test.ts", "property-tests/**/*.null.test.ts"]
const deviceTier = ["property-tests/**/*.device.test.ts"]
const packageTier = ["property-tests/package/**/*.test.ts"]

export default defineConfig({
  test: {
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    setupFiles: ["property-tests/support/setup.ts"],
    projects: [
      { extends: true, test: { name: "null", include: nullTier, exclude: deviceTier } },
      {
        extends: true,
        test: {
          name: "cpu",
          include: ["property-tests/**/*.test.ts"],
          exclude: [...nullTier, ...deviceTier, ...packageTier],
        },
      },
      { extends: true, test: { name: "device", include: deviceTier, testTimeout: 300_000, hookTimeout: 120_000 } },
      { extends: true, test: { name: "package", include: packageTier, testTimeout: 300_000, hookTimeout: 300_000 } },
    ],
  },
})
