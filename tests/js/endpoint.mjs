// A long-running program with the AWS SDK for JavaScript v3: one client for each way to our keys. For each line
// on standard input it says which keys each client has at that moment, as one JSON object per line.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { CognitoIdentityClient } from "@aws-sdk/client-cognito-identity";
import { fromContainerMetadata, fromHttp, fromProcess } from "@aws-sdk/credential-providers";

// The oldest provider knows only the variable; the file is read at the time of each fetch, as the others do.
const container = async () => {
  process.env.AWS_CONTAINER_AUTHORIZATION_TOKEN = readFileSync(
    process.env.AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE, "utf8",
  );
  try {
    return await fromContainerMetadata({ timeout: 5000, maxRetries: 3 })();
  } finally {
    delete process.env.AWS_CONTAINER_AUTHORIZATION_TOKEN;
  }
};

const providers = { http: fromHttp(), container, process: fromProcess({ profile: process.argv[2] }) };
const clients = Object.fromEntries(
  Object.entries(providers).map(([name, credentials]) => [
    name, new CognitoIdentityClient({ region: "us-east-1", credentials }),
  ]),
);

for await (const _ of createInterface({ input: process.stdin })) {
  const found = {};
  for (const [name, client] of Object.entries(clients)) {
    const keys = await client.config.credentials();
    found[name] = {
      key: keys.accessKeyId,
      whole: Boolean(keys.secretAccessKey && keys.sessionToken),
      left: (keys.expiration.getTime() - Date.now()) / 1000,
    };
  }
  console.log(JSON.stringify(found));
}
