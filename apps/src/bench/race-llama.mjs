// Races llama.cpp: the same three passes on a model of the same shape, in fp32, or on the same GGUF file of any type, on
// the same threads, run by run in turns, so that both meet the machine in the same mood. Never at the same time: llama.cpp's threads spin.
import {spawnSync} from "node:child_process";
import {copyFileSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from "node:fs";
import {availableParallelism, tmpdir} from "node:os";
import {dirname, join, resolve} from "node:path";
import {fileURLToPath} from "node:url";
import {parseArgs} from "node:util";

const USAGE = `usage: node race-llama.mjs PEER [options]

PEER is a folder with
  package.json   that depends on node-llama-cpp; it is installed in a temporary folder, unless PEER has
                 node_modules already
  bench.mjs      that times MODEL.gguf on THREADS threads and prints one JSON line per mode
  make_gguf.py   that writes a random model (takes Python 3 with NumPy)

  --shape LIST   S, M or layers,dim,heads,kvHeads,ffn (default: S)
  --model FILE   a GGUF file instead
  --rounds N     runs of each (default: 3)
  --threads N    threads of each (default: one per processor)
  --repeat N     rounds in a run of kv4j (default: 10)
  --serving      time sequences that generate side by side instead; takes a model with a context of 4096 tokens
  --json FILE    write all figures to this file too`;

const SHAPES = {S: "32,256,8,4,704", M: "32,512,8,4,1408"};
const FIGURES = ["prefill512", "warm480_32", "decode"];
const KV4J = fileURLToPath(new URL("../../../kv4j", import.meta.url));

function fail(sentence) {
  console.error(`race-llama: ${sentence}`);
  process.exit(2);
}

function options() {
  let parsed;
  try {
    parsed = parseArgs({
      allowPositionals: true,
      options: {
        shape: {type: "string", default: "S"},
        model: {type: "string"},
        rounds: {type: "string", default: "3"},
        threads: {type: "string", default: String(availableParallelism())},
        repeat: {type: "string", default: "10"},
        json: {type: "string"},
        serving: {type: "boolean"},
        help: {type: "boolean"}
      }
    });
  } catch (error) {
    fail(error.message);
  }
  const {values, positionals} = parsed;
  if (values.help) {
    console.log(USAGE);
    process.exit(0);
  }
  if (positionals.length !== 1) {
    fail("it takes one folder, the peer's; --help says more");
  }
  for (const name of ["rounds", "threads", "repeat"]) {
    if (!/^[1-9]\d*$/.test(values[name])) {
      fail(`--${name} must be a whole number, at least 1, not ${values[name]}`);
    }
  }
  const shape = SHAPES[values.shape] ?? values.shape;
  if (!/^\d+(,\d+){4}$/.test(shape)) {
    fail(`--shape must be S, M or layers,dim,heads,kvHeads,ffn, not ${values.shape}`);
  }
  if (values.model !== undefined && !existsSync(values.model)) {
    fail(`there is no ${values.model}`);
  }
  const [peer] = positionals;
  for (const file of ["package.json", "bench.mjs", "make_gguf.py"]) {
    if (!existsSync(join(peer, file))) {
      fail(`there is no ${file} in ${peer}`);
    }
  }
  if (values.json !== undefined && !existsSync(dirname(values.json))) {
    fail(`cannot write ${values.json}: there is no folder ${dirname(values.json)}`);
  }
  const model = values.model === undefined ? undefined : resolve(values.model);
  return {...values, rounds: Number(values.rounds), peer, shape, model};
}

/** Runs a program to its end and returns what it prints. */
function run(program, args, cwd) {
  const {status, stdout, stderr, error} = spawnSync(program, args, {cwd, encoding: "utf8", maxBuffer: 1 << 26});
  if (error || status !== 0) {
    fail(`${program} ${args.join(" ")} failed: ${error?.message ?? stderr.trim()}`);
  }
  return stdout;
}

/** Copies the peer to a folder and installs it. */
function install(peer, folder) {
  cpSync(peer, folder, {recursive: true, verbatimSymlinks: true});
  if (!existsSync(join(folder, "node_modules"))) {
    run("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund"], folder);
  }
}

/** Writes a model of a shape. Returns its vocabulary. */
function write(folder, shape) {
  const [layers, dim, heads, kvHeads, ffn] = shape.split(",");
  const made = run("python3", ["make_gguf.py", "--layers", layers, "--dim", dim, "--heads", heads,
    "--kv-heads", kvHeads, "--ffn", ffn, "--ctx", "4096", "--out", "model.gguf"], folder);
  return made.match(/'vocab': (\d+)/)[1];
}

function runKv4j(folder, model, {threads, repeat}) {
  const json = join(folder, "kv4j.json");
  run(KV4J, ["bench", "--quick", "--compare", "none", ...model, "--threads", threads, "--repeat", repeat,
    "--json", json], folder);
  return JSON.parse(readFileSync(json, "utf8"));
}

function runPeer(folder, file, threads) {
  return run(process.execPath, ["bench.mjs", file, threads], folder).trim().split("\n")
    .map(line => JSON.parse(line));
}

/** What loading a file and one token takes each: time to load, ms, and the process's peak memory, MB. */
function load(folder, file, threads) {
  const json = join(folder, "load.json");
  run(KV4J, ["generate", "--model", file, "--prompt", "Once", "--new-tokens", "1", "--threads", threads,
    "--json", json], folder);
  const {process: report} = JSON.parse(readFileSync(json, "utf8"));
  const script = join(folder, "load.mjs");
  writeFileSync(script, `import {getLlama} from "node-llama-cpp";
    const llama = await getLlama({gpu: false, build: "never", logLevel: "error", maxThreads: ${threads}});
    const start = performance.now();
    const model = await llama.loadModel({modelPath: ${JSON.stringify(file)}, gpuLayers: 0});
    const ms = performance.now() - start;
    const context = await model.createContext({contextSize: 2048, batchSize: 512});
    await context.getSequence().controlledEvaluate([1, [2, {generateNext: {token: true}}]]);
    console.log(JSON.stringify({ms, peakMb: process.resourceUsage().maxRSS / 1024}));
    process.exit(0);`);
  const peer = JSON.parse(run(process.execPath, [script], folder).trim().split("\n").at(-1));
  return {kv4j: {ms: report.phasesMs.model, peakMb: report.peakBytes / (1 << 20)}, llama: peer};
}

/** Tokens per second of sequences that generate side by side, for each of the cases that kv4j measures. */
function serving(folder, file, {threads, repeat}) {
  const json = join(folder, "serving.json");
  run(KV4J, ["bench", "--serving", "--model", file, "--threads", threads, "--repeat", repeat, "--json", json], folder);
  const kv4j = JSON.parse(readFileSync(json, "utf8"));
  // Not sequences of 2,016 tokens that share none: the same work as those that do, for the binding shares nothing.
  const cases = kv4j.decodes.filter(({sequences, prompt, shared}) => sequences === 1 || prompt < 1000 || shared > 0)
    .map(({sequences, prompt}) => [sequences, prompt]);
  const script = join(folder, "serving.mjs");
  writeFileSync(script, `import {getLlama} from "node-llama-cpp";
    const llama = await getLlama({gpu: false, build: "never", logLevel: "error", maxThreads: ${threads}});
    const model = await llama.loadModel({modelPath: ${JSON.stringify(file)}, gpuLayers: 0});
    const NEW = 64;
    let state = 1;
    const token = () => 10 + (state = (state * 1103515245 + 12345) % 2147483648) % 240;
    const next = {generateNext: {token: true, options: {temperature: 0}}};
    for (const flashAttention of [false]) { // with it on, every figure was lower
      for (const cacheType of ["F32", "F16"]) {
        for (const [sequences, prompt] of ${JSON.stringify(cases)}) {
          const context = await model.createContext({
            contextSize: prompt + NEW + 8, sequences, batchSize: 512, flashAttention,
            threads: {ideal: ${threads}, min: ${threads}},
            experimentalKvCacheKeyType: cacheType, experimentalKvCacheValueType: cacheType
          });
          const evaluate = async (sequence, ids) =>
            (await sequence.controlledEvaluate([...ids.slice(0, -1), [ids.at(-1), next]])).at(-1).next.token;
          const all = Array.from({length: sequences}, () => context.getSequence());
          const firsts = await Promise.all(all.map(
            sequence => evaluate(sequence, Array.from({length: prompt}, token))));
          const start = performance.now();
          await Promise.all(all.map(async (sequence, i) => {
            for (let n = 0, id = firsts[i]; n < NEW; n++) {
              id = await evaluate(sequence, [id]);
            }
          }));
          const tokensPerSecond = sequences * NEW * 1000 / (performance.now() - start);
          console.log(JSON.stringify({sequences, prompt, flashAttention, cacheType, tokensPerSecond}));
          await context.dispose();
        }
      }
    }
    process.exit(0);`);
  const llama = run(process.execPath, [script], folder).trim().split("\n").map(line => JSON.parse(line));
  return {kv4j, llama};
}

function printServing(rounds) {
  const cell = (value, width) => String(value).padStart(width);
  console.log(`${"tokens/s, medians".padEnd(28)}${cell("kv4j", 10)}${cell("llama.cpp", 11)}${cell("kv4j / llama.cpp", 18)}`);
  rounds[0].kv4j.decodes.forEach(({sequences, prompt, shared}, i) => {
    const ours = median(rounds.map(r => r.kv4j.decodes[i].tokensPerSecond.median));
    const same = r => r.sequences === sequences && r.prompt === prompt;
    const modes = [...new Set(rounds[0].llama.filter(same).map(modeOf))]
      .map(mode => median(rounds.flatMap(r => r.llama).filter(r => same(r) && modeOf(r) === mode).map(r => r.tokensPerSecond)));
    const theirs = Math.max(...modes);
    const label = `${sequences} after ${prompt}${shared > 0 ? `, ${shared} shared` : ""}`;
    console.log(label.padEnd(28) + cell(ours.toFixed(0), 10) + cell(theirs.toFixed(0), 11)
      + cell(`${(ours / theirs).toFixed(2)}x`, 18));
  });
  console.log("\nllama.cpp: the best of its modes; its binding lets sequences share no prefix, so that it reads each.");
}

function median(values) {
  const sorted = values.slice().sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Of several runs of one engine: the least time, the median of the medians, and how far those lie apart. */
function summary(runs, figure) {
  const medians = runs.map(r => r[figure].median);
  return {
    min: Math.min(...runs.map(r => r[figure].min)),
    median: median(medians),
    medians: [Math.min(...medians), Math.max(...medians)]
  };
}

const modeOf = r => `${r.cacheType} cache, flash attention ${r.flashAttention ? "on" : "off"}`;

/** The peer's best mode, once by the least time and once by the median. */
function best(peerRuns, figure) {
  const modes = [...new Set(peerRuns.map(modeOf))]
    .map(mode => ({mode, ...summary(peerRuns.filter(r => modeOf(r) === mode), figure)}));
  const by = key => modes.reduce((a, b) => (b[key] < a[key] ? b : a));
  return {min: by("min").min, median: by("median").median, medians: by("median").medians, mode: by("median").mode};
}

function compare(ours, theirs) {
  return Object.fromEntries(FIGURES.map(figure => {
    const kv4j = summary(ours, figure);
    const llama = best(theirs, figure);
    return [figure, {kv4j, llama, ratio: {min: llama.min / kv4j.min, median: llama.median / kv4j.median}}];
  }));
}

function print(result) {
  const cell = (value, width) => String(value).padStart(width);
  const ms = value => cell(value.toFixed(2), 10);
  const times = value => cell(`${value.toFixed(2)}x`, 9);
  console.log(`${"ms".padEnd(12)}      kv4j              llama.cpp           llama.cpp / kv4j`);
  console.log(`${"".padEnd(12)}${["min", "median", "min", "median"].map(h => cell(h, 10)).join("")}`
    + `${cell("min", 9)}${cell("median", 9)}`);
  for (const [figure, {kv4j, llama, ratio}] of Object.entries(result)) {
    console.log(figure.padEnd(12) + ms(kv4j.min) + ms(kv4j.median) + ms(llama.min) + ms(llama.median)
      + times(ratio.min) + times(ratio.median));
  }
  console.log();
  for (const [figure, {kv4j, llama}] of Object.entries(result)) {
    const range = ([low, high]) => `${low.toFixed(2)} to ${high.toFixed(2)}`;
    console.log(`${figure}: medians of the runs ${range(kv4j.medians)} and ${range(llama.medians)}`);
    console.log(`  llama.cpp's best mode: ${llama.mode}`);
  }
}

const chosen = options();
const folder = mkdtempSync(join(tmpdir(), "kv4j-race-"));
process.on("exit", () => rmSync(folder, {recursive: true, force: true}));
process.on("SIGINT", () => process.exit(130));
process.on("SIGTERM", () => process.exit(143));

console.error("preparing");
run(KV4J, ["help"], folder); // builds it if need be
install(chosen.peer, folder);
const shape = chosen.model === undefined ? `${chosen.shape},${write(folder, chosen.shape)}` : undefined;
const file = chosen.model ?? join(folder, "model.gguf");
const model = chosen.model === undefined ? ["--shape", shape] : ["--model", chosen.model];
if (chosen.serving) {
  const rounds = [];
  for (let round = 1; round <= chosen.rounds; round++) {
    console.error(`round ${round} of ${chosen.rounds}`);
    rounds.push(serving(folder, file, chosen));
  }
  console.log(`${shape === undefined ? chosen.model : `shape ${shape}, fp32 weights`}; threads: ${chosen.threads};`
    + ` runs of each, in turns: ${chosen.rounds}\n`);
  printServing(rounds);
  if (chosen.json !== undefined) {
    writeFileSync(chosen.json, JSON.stringify({shape, model: chosen.model, rounds}, null, 2) + "\n");
  }
  process.exit(0);
}
const ours = [];
const theirs = [];
const loads = [];
for (let round = 1; round <= chosen.rounds; round++) {
  console.error(`round ${round} of ${chosen.rounds}: kv4j`);
  ours.push(runKv4j(folder, model, chosen));
  console.error(`round ${round} of ${chosen.rounds}: llama.cpp`);
  theirs.push(...runPeer(folder, file, chosen.threads));
  console.error(`round ${round} of ${chosen.rounds}: loading`);
  loads.push(load(folder, file, chosen.threads));
}
const result = compare(ours, theirs);
console.log(`${shape === undefined ? chosen.model : `shape ${shape}, fp32 weights`}; threads: ${chosen.threads};`
  + ` runs of each, in turns: ${chosen.rounds}\n`);
print(result);
for (const engine of ["kv4j", "llama"]) {
  const [ms, mb] = ["ms", "peakMb"].map(key => median(loads.map(l => l[engine][key])).toFixed(0));
  console.log(`${engine === "llama" ? "llama.cpp" : engine}: loads in ${ms} ms, peak memory ${mb} MB`);
}
if (chosen.json !== undefined) {
  const partial = join(folder, "race.json");
  const all = {shape, model: chosen.model, threads: Number(chosen.threads), result, loads, ours, theirs};
  writeFileSync(partial, JSON.stringify(all, null, 2) + "\n");
  copyFileSync(partial, chosen.json);
}
