// Prints the access key id that the SDK's default provider chain resolves from the environment.
import { fromNodeProviderChain } from "@aws-sdk/credential-providers";

const credentials = await fromNodeProviderChain()();
console.log(credentials.accessKeyId);
