// Asks the real AWS SDK for JavaScript many questions in one process.
//
// Reads a JSON list of {environ, profile, explicit} from stdin, prints a list of {key, token, ini} or {error, ini}:
// the answer of the default chain, and the access key id that `fromIni` alone finds.
import { fromIni, fromNodeProviderChain } from "@aws-sdk/credential-providers";

const inherited = { ...process.env };

async function readAll() {
  const parts = [];
  for await (const part of process.stdin) parts.push(part);
  return Buffer.concat(parts).toString();
}

async function answer(provider) {
  try {
    const found = await provider();
    return { key: found.accessKeyId, token: found.sessionToken ?? null };
  } catch (error) {
    return { error: `${error.name}: ${error.message}` };
  }
}

async function ask({ environ, profile, explicit }) {
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, inherited, environ);
  const init = explicit ? { profile } : {};
  const ini = await answer(fromIni(init));
  return { ...(await answer(fromNodeProviderChain(init))), ini: ini.key ?? null };
}

console.warn = () => {};
const answers = [];
for (const question of JSON.parse(await readAll())) answers.push(await ask(question));
process.stdout.write(JSON.stringify(answers));
