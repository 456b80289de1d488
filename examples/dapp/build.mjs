// Builds the page: `node examples/dapp/build.mjs [--out FOLDER]`, after `make dapp`.
// With --tests it bundles the unit tests instead, into .build/dapp-tests; with --sources it writes
// only the generated module, for the type check.
import { build } from "esbuild";
import { cp, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = join(HERE, "..", "..");
const SOURCES = join(ROOT, ".build", "dapp-sources");
/** Version of dapp.json that this page understands. */
const FORMAT = 1;
/** Contracts that the page talks to. */
const CONTRACTS = ["InferenceMarket", "ModelRegistry", "ExecutorStaking", "TestDollar"];

async function writeSources() {
  const path = join(ROOT, "offchain", "gateless", "generated", "dapp.json");
  const text = await readFile(path, "utf8").catch(() => {
    throw new Error(`${path} is missing: run \`make dapp\``);
  });
  const dapp = JSON.parse(text);
  if (dapp.format !== FORMAT) throw new Error(`dapp.json has format ${dapp.format}, not ${FORMAT}: run \`make dapp\``);
  const lines = ["// Made by examples/dapp/build.mjs from dapp.json."];
  for (const name of CONTRACTS) {
    const constant = name[0].toLowerCase() + name.slice(1) + "Abi";
    lines.push(`export const ${constant} = ${JSON.stringify(dapp.contracts[name].abi)} as const;`);
  }
  const { types, domains } = dapp.typedData;
  for (const name of ["InferenceRequest", "Permit"]) {
    lines.push(`export const types${name} = ${JSON.stringify({ [name]: types[name] })} as const;`);
  }
  lines.push(`export const requestStates = ${JSON.stringify(dapp.enums.RequestState)} as const;`);
  const market = domains.find((domain) => domain.contract === "InferenceMarket");
  lines.push(`export const marketDomain = ${JSON.stringify({ name: market.name, version: market.version })} as const;`);
  await mkdir(SOURCES, { recursive: true });
  await writeFile(join(SOURCES, "network.ts"), lines.join("\n") + "\n");
}

async function buildPage(out) {
  await rm(out, { recursive: true, force: true });
  await mkdir(out, { recursive: true });
  await build({
    entryPoints: [join(HERE, "src", "main.ts")],
    outfile: join(out, "main.js"),
    bundle: true,
    minify: true,
    sourcemap: true,
    format: "esm",
    target: "es2022",
    tsconfig: join(HERE, "tsconfig.json"),
    legalComments: "linked",
    logLevel: "warning",
  });
  for (const name of ["index.html", "style.css", "icon.svg"]) await cp(join(HERE, name), join(out, name));
  process.stdout.write(`${out}: built\n`);
}

async function buildTests() {
  const out = join(ROOT, ".build", "dapp-tests");
  await rm(out, { recursive: true, force: true });
  const names = (await readdir(join(HERE, "test"))).filter((name) => name.endsWith(".test.ts"));
  await build({
    entryPoints: names.map((name) => join(HERE, "test", name)),
    outdir: out,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    tsconfig: join(HERE, "tsconfig.json"),
    logLevel: "warning",
  });
}

const { values } = parseArgs({
  options: {
    out: { type: "string", default: join(ROOT, ".build", "dapp") },
    tests: { type: "boolean", default: false },
    sources: { type: "boolean", default: false },
  },
});
await writeSources();
if (values.tests) await buildTests();
else if (!values.sources) await buildPage(resolve(values.out));
