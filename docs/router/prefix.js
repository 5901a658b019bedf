// Says what requests have in common that should meet in one server's cache: the client's
// prompt_cache_key, or how the prompt begins.

const CHARS = 4000; // about 1,000 tokens of English

function beginning(request) {
  try {
    const body = JSON.parse(request.requestText);
    return body.prompt_cache_key
      || JSON.stringify([body.cache_salt, body.tools, body.messages || body.prompt]).slice(0, CHARS);
  } catch (e) {
    return request.variables.request_id; // nothing to read: any server will do
  }
}

export default { beginning };
