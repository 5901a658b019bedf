/**
 * OpenAI's protocol: what requests may say, what is refused and how, and how answers are written
 * down. The server and its admin's routes read bodies through it. It knows nothing of HTTP, and of
 * the engine only what came of a request.
 */
package kv4j.apps.serve.openai;
