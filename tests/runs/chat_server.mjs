// A small chat server with OpenAI's interface, for tests: node chat_server.mjs NODE_LLAMA_CPP MODEL.gguf
// NODE_LLAMA_CPP is the folder of the npm package of that name. Prints its port. Answers are short.
import {createServer} from "node:http";
import {join} from "node:path";
import {pathToFileURL} from "node:url";

const [folder, modelPath] = process.argv.slice(2);
const {getLlama, LlamaChatSession} = await import(pathToFileURL(join(folder, "dist", "index.js")));
const llama = await getLlama({gpu: false, build: "never"});
const model = await llama.loadModel({modelPath});
const context = await model.createContext({contextSize: 2048, threads: 1});

async function answer({messages, max_tokens: maxTokens, temperature}) {
  const said = Object.fromEntries(messages.map(({role, content}) => [role, content]));
  const contextSequence = context.getSequence();
  try {
    const session = new LlamaChatSession({contextSequence, systemPrompt: said.system});
    return await session.prompt(said.user, {maxTokens: Math.min(maxTokens, 120), temperature});
  } finally {
    contextSequence.dispose();
  }
}

const server = createServer(async (request, response) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  const content = await answer(JSON.parse(Buffer.concat(parts)));
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify({choices: [{message: {role: "assistant", content}}]}));
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
