// What is asked of the Hub by its own client, named one by one: the bundle holds this of it and no transfers, which are the rest.
export { listFiles, modelInfo } from "@huggingface/hub";
